/** A training loop of one's own: AdamW on batches that are a function of seed and step, so that any step can be gone on from. */
import * as tf from "@tensorflow/tfjs";
import "@tensorflow/tfjs-backend-webgpu";
import { normals, openStore, uniforms } from "holdfast";
import { optimized } from "holdfast/optimizers";
import { showEnd, showError, showRun, showStep } from "../show.js";

const STEPS = 80;
const BATCH = 32;
const WIDTH = 16;

async function train() {
  if (!(await tf.setBackend("webgpu"))) await tf.setBackend("cpu");

  const seed = 7;
  const drawn = (name, shape) =>
    tf.variable(tf.tensor(normals(seed, `init/${name}`, 0, tf.util.sizeFromShape(shape)), shape));
  const parameters = {
    hidden: drawn("hidden", [1, WIDTH]),
    bias: tf.variable(tf.zeros([WIDTH])),
    out: drawn("out", [WIDTH, 1]),
  };
  const trainer = optimized(parameters, { kind: "adamw", learningRate: 0.01, clipNorm: 1 });

  const store = await openStore();
  const run = await store.open("wave", trainer, {
    seed,
    steps: STEPS,
    optimizer: trainer.config,
    policy: { save: { kind: "steps", every: 20 } },
  });
  showRun(run, STEPS);

  while (run.step < STEPS) {
    const x = tf.tensor(uniforms(run.seed, "batch", run.step, BATCH), [BATCH, 1]);
    const update = trainer.minimize(() => {
      const y = tf.tanh(tf.add(tf.matMul(x, parameters.hidden), parameters.bias)).matMul(parameters.out);
      return tf.losses.meanSquaredError(tf.sin(tf.mul(x, 6)), y);
    });
    x.dispose();
    await run.stepped({ ...update, samples: BATCH });
    if (run.step % 10 === 0) showStep(run.step, (await update.loss)[0]);
  }
  showEnd(await run.finish());
}

train().catch(showError);
