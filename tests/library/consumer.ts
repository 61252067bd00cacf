/**
 * A page's code as its compiler sees it: what is right compiles, and what is wrong does not. Checked against the sources
 * with everything else, and against the packed declarations by `tests/library/package.test.ts`.
 */
import * as tf from "@tensorflow/tfjs";
import { arrays, hasCode, openStore, POLICIES, samplesAt, uniforms } from "holdfast";
import type { NamedTensor, Run, Trainer } from "holdfast";
import { optimized } from "holdfast/optimizers";
import { layersModel, variables } from "holdfast/tfjs";

export async function right(): Promise<void> {
  const store = await openStore();
  const weights = new Float32Array(4);
  const run: Run = await store.open("line", arrays({ "param/weights": weights }), {
    seed: 7,
    settings: { batch: 32, name: "x", clipped: true },
    policy: { save: { kind: "steps", every: 10 }, keep: [{ kind: "latest", count: 3 }], budget: 1e9 },
    saved: ({ digest, step }) => `${digest} ${step}`,
    trouble: (error) => hasCode(error, "quota"),
  });
  await run.stepped();
  await run.stepped({ loss: 1, rate: 0.1, samples: 32, mayEndHere: false });
  await run.stepped({ loss: tf.scalar(1).data() });
  const step: number = run.restored?.checkpoint.step ?? 0;
  const [position] = samplesAt(run.samples, 32, 1000, run.seed);
  const digest: string = (await run.save({ val_loss: 1 })).digest;
  const blob: Blob = (await store.export(run.id)).file;
  await store.import(blob);
  await store.open("other", arrays({ a: new Int32Array(uniforms(1, "x", step, position?.index ?? 0)) }), {
    policy: POLICIES.lean,
  });

  const model = tf.sequential();
  const layers = layersModel(tf, model);
  const reasons: readonly string[] = layers.inexact;
  await model.fit(tf.zeros([1]), tf.zeros([1]), { epochs: 3, ...layers.fit(run) });
  const mine = {
    onEpochEnd: (epoch: number, logs?: tf.Logs) => tf.util.assert(epoch >= 0, () => String(logs?.["loss"])),
  };
  const callbacks = [mine, tf.callbacks.earlyStopping()];
  await model.fit(tf.zeros([1]), tf.zeros([1]), { epochs: 3, ...layers.fit(run, { callbacks }) });
  const w = new Float32Array(6);
  const own: Trainer = {
    read: () => ({ tensors: [{ name: "param/w", dtype: "float32", shape: [2, 3], values: w.slice() }] }),
    restore: ({ tensors }) => {
      for (const { values } of tensors) w.set(values);
    },
  };
  await store.open("own", own, { data: { bytes: w, name: "w" }, inexact: ["The code changed."] });
  const parameters = { kernel: tf.variable(tf.zeros([2])) };
  await store.open("plain", variables(tf, parameters, tf.train.adam(0.1)));
  const trainer = optimized(parameters, { kind: "adamw", learningRate: 0.1 });
  await store.open(digest, trainer, { optimizer: trainer.config, task: reasons.join() });
  await run.stepped(trainer.minimize(() => tf.sum(parameters.kernel).asScalar()));
}

export async function wrong(run: Run): Promise<void> {
  const store = await openStore();
  // @ts-expect-error There is no run without a trainer.
  await store.open("line");
  // @ts-expect-error A state has no float64.
  arrays({ weights: new Float64Array(4) });
  // @ts-expect-error A trainer takes its state back as well.
  const half: Trainer = { read: () => ({ tensors: [] }) };
  // @ts-expect-error A tensor has a shape.
  const shapeless: NamedTensor = { name: "a", dtype: "float32", values: new Float32Array(1) };
  // @ts-expect-error Epochs are the loop's own.
  await store.open("line", half, { policy: { save: { kind: "epochs", every: 1 } } });
  // @ts-expect-error Settings are plain values.
  await store.open("line", half, { settings: { layers: [1, 2] } });
  // @ts-expect-error A loss is a number, or one on its way.
  await run.stepped({ loss: "0.5" });
  // @ts-expect-error The loop cannot set the step.
  run.step = 5;
  // @ts-expect-error There is no such error.
  hasCode(shapeless, "full");
  // @ts-expect-error The page's own tf comes first.
  layersModel(tf.sequential());
  // @ts-expect-error An optimizer has a rate.
  optimized({}, { kind: "adam" });
}
