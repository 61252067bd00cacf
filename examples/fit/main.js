/** A plain page with `model.fit`. The lines that make it resumable are marked with a plus. */
import * as tf from "@tensorflow/tfjs";
import { openStore } from "holdfast"; // +
import { layersModel } from "holdfast/tfjs"; // +
import { showEnd, showError, showRun, showStep } from "../show.js";

const EPOCHS = 60;
const BATCH = 16;
const POINTS = 128;

function spirals() {
  const points = Array.from({ length: POINTS }, (_, i) => {
    const radius = (i >> 1) / (POINTS / 2);
    const angle = 5 * radius + Math.PI * (i % 2);
    return [radius * Math.cos(angle), radius * Math.sin(angle)];
  });
  return { xs: tf.tensor2d(points), ys: tf.tensor2d(points.map((_, i) => [i % 2])) };
}

async function train() {
  await tf.setBackend("cpu"); // The fastest for a model of this size.
  const kernelInitializer = tf.initializers.glorotNormal({ seed: 1 });
  const model = tf.sequential({
    layers: [
      tf.layers.dense({ inputShape: [2], units: 16, activation: "tanh", kernelInitializer }),
      tf.layers.dense({ units: 16, activation: "tanh", kernelInitializer }),
      tf.layers.dense({ units: 1, activation: "sigmoid", kernelInitializer }),
    ],
  });
  model.compile({ optimizer: tf.train.adam(0.01), loss: "binaryCrossentropy" });

  const store = await openStore(); // +
  const trainer = layersModel(tf, model); // +
  const run = await store.open("spirals", trainer, { policy: { save: { kind: "seconds", every: 0.2 } } }); // +
  showRun(run, (EPOCHS * POINTS) / BATCH);

  const { xs, ys } = spirals();
  await model.fit(xs, ys, {
    epochs: EPOCHS,
    batchSize: BATCH,
    // Where to begin, in which order, and what to keep. The page's own callbacks go through it, or they would replace it.
    ...trainer.fit(run, { callbacks: { onEpochEnd: (_, { loss }) => showStep(run.step, loss) } }), // +
  });
  showEnd(await run.finish()); // +
}

train().catch(showError);
