/** Ways to train that do not resume bit for bit. If these stopped failing, the tests of exactness would prove nothing. */
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openDevice, type Device } from "../../src/engine/device";
import { uniforms } from "../../src/engine/random";
import { sameBits } from "./tfjs-model";

let device: Device;
beforeAll(async () => {
  device = await openDevice({ only: "webgpu" });
});
afterAll(() => {
  device.close();
});

async function valuesOf(tensor: tf.Tensor): Promise<Float32Array<ArrayBuffer>> {
  return Float32Array.from(await tensor.data());
}

test("tfjs's own Adam does not go on bit for bit after getWeights and setWeights", async () => {
  const STOP = 12;
  const END = 32;
  const start = uniforms(1, "start", 0, 64);
  const target = tf.tensor1d(uniforms(2, "target", 0, 64));
  const steps = (adam: tf.AdamOptimizer, variable: tf.Variable, count: number): void => {
    for (let step = 0; step < count; step++) {
      adam.minimize(() => tf.mean(tf.square(tf.sub(variable, target))), false, [variable]);
    }
  };
  const whole = tf.variable(tf.tensor1d(start.slice()));
  steps(tf.train.adam(0.05), whole, END);

  const first = tf.variable(tf.tensor1d(start.slice()));
  const before = tf.train.adam(0.05);
  steps(before, first, STOP);
  const resumed = tf.variable(tf.tensor1d(await valuesOf(first)));
  const after = tf.train.adam(0.05);
  await after.setWeights(await before.getWeights());
  steps(after, resumed, END - STOP);

  expect(sameBits(await valuesOf(resumed), await valuesOf(whole))).toBe(false);
  tf.disposeVariables();
  target.dispose();
});

test("the gradient of gather differs from run to run, on a table this large", async () => {
  const ROWS = 8;
  const WIDTH = 64;
  const LOOKUPS = 4096;
  const MOST_RUNS = 30;
  const table = tf.ones([ROWS, WIDTH]);
  const indices = tf.tensor1d(
    Int32Array.from(uniforms(3, "indices", 0, LOOKUPS), (value) => Math.floor(value * ROWS)),
    "int32",
  );
  const dy = tf.tensor2d(uniforms(4, "dy", 0, LOOKUPS * WIDTH), [LOOKUPS, WIDTH]);
  const gradient = tf.grad((x) => tf.gather(x, indices));
  const gradientBits = async (): Promise<Float32Array<ArrayBuffer>> => {
    const grad = gradient(table, dy);
    const values = await valuesOf(grad);
    grad.dispose();
    return values;
  };
  const first = await gradientBits();
  let runs = 1;
  while (runs < MOST_RUNS && sameBits(await gradientBits(), first)) runs++;
  expect(runs).toBeLessThan(MOST_RUNS);
  tf.dispose([table, indices, dy]);
});
