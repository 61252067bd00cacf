/** What a step asks of the GPU, in counts that no machine changes, beside tfjs's own loop on the same model. */
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openDevice, type Device } from "../../src/engine/device";
import { TfjsTrainable } from "../../src/engine/tfjs";
import type { Model, Params } from "../../src/engine/task";
import { optimizerConfig } from "./tfjs-model";

let device: Device;
beforeAll(async () => {
  device = await openDevice({ only: "webgpu" });
});
afterAll(() => {
  device.close();
});

const WIDTHS = [8, 32, 32, 1] as const;
const BATCH = 16;
const STEPS = 4;

/** Three dense layers, no dropout: tfjs has none that could be compared. */
const model: Model = {
  parameters: WIDTHS.slice(1).flatMap((width, layer) => [
    { name: `${layer}/weight`, shape: [WIDTHS[layer]!, width], init: { kind: "normal", std: 0.3 } } as const,
    { name: `${layer}/bias`, shape: [width], init: { kind: "zeros" } } as const,
  ]),
  samplesPerEpoch: 64,
  batch: (samples) => [tf.ones([samples.length, WIDTHS[0]])],
  loss: (params: Params, [x]) => {
    let hidden = x!;
    for (let layer = 0; layer < WIDTHS.length - 1; layer++) {
      hidden = tf.tanh(tf.add(tf.matMul(hidden, params[`${layer}/weight`]!), params[`${layer}/bias`]!));
    }
    return tf.mean(tf.square(tf.sub(hidden, 0.5)));
  },
  evaluate: () => Promise.resolve({}),
  picture: (_params, step) => Promise.resolve({ step, panels: [] }),
  dispose: () => undefined,
};

interface Cost {
  readonly dispatches: number;
  readonly submits: number;
  readonly bytesWritten: number;
  readonly mapped: number;
}

/** Counts what `work` asks of the GPU, per step. */
async function costOf(work: () => Promise<void>): Promise<Cost> {
  const counts = { dispatches: 0, submits: 0, bytesWritten: 0, mapped: 0 };
  const { dispatchWorkgroups } = GPUComputePassEncoder.prototype;
  const { submit, writeBuffer } = GPUQueue.prototype;
  const { mapAsync } = GPUBuffer.prototype;
  GPUComputePassEncoder.prototype.dispatchWorkgroups = function (...args) {
    counts.dispatches++;
    dispatchWorkgroups.apply(this, args);
  };
  GPUQueue.prototype.submit = function (...args) {
    counts.submits++;
    submit.apply(this, args);
  };
  GPUQueue.prototype.writeBuffer = function (...args: Parameters<typeof writeBuffer>) {
    counts.bytesWritten += args[2].byteLength;
    writeBuffer.apply(this, args);
  };
  GPUBuffer.prototype.mapAsync = function (...args) {
    counts.mapped++;
    return mapAsync.apply(this, args);
  };
  try {
    await work();
  } finally {
    Object.assign(GPUComputePassEncoder.prototype, { dispatchWorkgroups });
    Object.assign(GPUQueue.prototype, { submit, writeBuffer });
    Object.assign(GPUBuffer.prototype, { mapAsync });
  }
  const { dispatches, submits, bytesWritten, mapped } = counts;
  return {
    dispatches: dispatches / STEPS,
    submits: submits / STEPS,
    bytesWritten: bytesWritten / STEPS,
    mapped,
  };
}

test("a step costs fewer dispatches, submits and bytes than tfjs's own Adam, and waits for none of its losses", async () => {
  const optimizer = optimizerConfig("adamw", { weightDecay: 0 });
  const trainable = new TfjsTrainable({ device, model, optimizer, seed: 1, batchSize: BATCH });
  let step = 0;
  const ours = async (): Promise<void> => {
    const pending = [];
    for (let count = 0; count < STEPS; count++, step++) {
      pending.push(trainable.step({ step, samples: step * BATCH, learningRate: 0.01, clipNorm: 0 }));
    }
    await trainable.losses(pending);
  };
  await ours();
  const exact = await costOf(ours);
  trainable.dispose();

  const flags = {
    WEBGPU_CPU_FORWARD: true,
    WEBGPU_MATMUL_PROGRAM_TYPE: -1,
    WEBGPU_DEFERRED_SUBMIT_BATCH_SIZE: 15,
  };
  const before = Object.keys(flags).map((flag) => [flag, tf.env().get(flag)] as const);
  for (const [flag, value] of Object.entries(flags)) tf.env().set(flag, value);
  const adam = tf.train.adam(0.01);
  const variables = model.parameters.map(({ name, shape }) =>
    tf.variable(tf.fill([...shape], 0.1), true, name),
  );
  const params = Object.fromEntries(variables.map((variable) => [variable.name, variable]));
  const plain = async (): Promise<void> => {
    for (let count = 0; count < STEPS; count++) {
      const loss = adam.minimize(
        () =>
          model.loss(params, model.batch(new Array(BATCH).fill({ epoch: 0, index: 0 })), {
            dropout: (x) => x,
          }),
        true,
        variables,
      );
      await loss?.data();
      loss?.dispose();
    }
  };
  await plain();
  const usual = await costOf(plain);
  for (const [flag, value] of before) tf.env().set(flag, value);
  adam.dispose();
  tf.dispose(variables);

  expect(exact.dispatches, JSON.stringify({ exact, usual })).toBeLessThan(usual.dispatches);
  expect(exact.submits).toBeLessThan(usual.submits);
  expect(exact.bytesWritten).toBeLessThan(usual.bytesWritten);
  expect(exact.mapped).toBe(1);
  expect(usual.mapped).toBe(STEPS);
});
