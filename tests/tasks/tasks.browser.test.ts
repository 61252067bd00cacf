/** The tasks on real WebGPU: the mathematics of the CPU backend, the same bits each time, and no banned kernel. */
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, expect, suite, test } from "vitest";
import { samplesAt } from "../../src/engine/batches";
import { openDevice } from "../../src/engine/device";
import type { Device } from "../../src/engine/device";
import { watchKernels } from "../../src/engine/kernels/banned";
import type { Task } from "../../src/engine/task";
import type { Config } from "../../src/format/run";
import { digits } from "../../src/tasks/digits";
import { modular } from "../../src/tasks/modular";
import { spirals } from "../../src/tasks/spirals";
import { table } from "../../src/tasks/table";
import { text } from "../../src/tasks/text";
import { configOf, droppingAt, gradientOf, initialParams, modelOf, present } from "./trial";

/** Farthest relative distance that rounding may bring, by the Euclidean norm. */
const TOLERANCE = 1e-4;
const SMALL = { characters: 2000, points: 100, rows: 60 };

const CASES: readonly [string, Task, Config][] = [
  ["spirals, tanh", spirals, { points: SMALL.points }],
  ["spirals, ReLU", spirals, { points: SMALL.points, activation: "relu" }],
  ["text, ReLU, tied", text, { characters: SMALL.characters }],
  ["text, GELU, untied", text, { characters: SMALL.characters, activation: "gelu", tied: false }],
  ["digits", digits, { count: 50, filters: 2, hidden: 8, batchSize: 4 }],
  ["modular, square", modular, { modulus: 13 }],
  ["modular, ReLU", modular, { modulus: 13, activation: "relu" }],
  ["table, classes, ReLU", table, { rows: SMALL.rows }],
  ["table, amounts, tanh", table, { rows: SMALL.rows, target: "weight_g", activation: "tanh" }],
];

let cpu: Device;
let webgpu: Device;
beforeAll(async () => {
  cpu = await openDevice({ only: "cpu" });
  webgpu = await openDevice({ only: "webgpu" });
});
afterAll(() => {
  webgpu.close();
  cpu.close();
});

/** Loss and gradients of the first batch at S_0, dropout included. */
async function firstGradient(
  task: Task,
  config: Config,
  backend: "cpu" | "webgpu",
): ReturnType<typeof gradientOf> {
  await tf.setBackend(backend);
  const model = modelOf(task, config);
  const params = initialParams(model);
  const batch = model.batch(samplesAt(0, Number(config["batchSize"]), model.samplesPerEpoch, 1));
  const result = await gradientOf(params, (p) => model.loss(p, batch, droppingAt(0)));
  tf.dispose([params, [...batch]]);
  model.dispose();
  return result;
}

suite.each(CASES)("%s on WebGPU", (_, task, changes) => {
  const config = configOf(task, "tiny", changes);

  test("loss and gradients are the CPU backend's, up to rounding, and repeat bit for bit", async () => {
    const reference = await firstGradient(task, config, "cpu");
    const first = await firstGradient(task, config, "webgpu");
    expect(Math.abs(first.value - reference.value)).toBeLessThan(TOLERANCE);
    for (const [name, gradient] of Object.entries(first.gradients)) {
      expect(distance(gradient, present(reference.gradients[name])), name).toBeLessThan(TOLERANCE);
    }
    expect(await firstGradient(task, config, "webgpu")).toEqual(first);
  });

  test("a step, an evaluation and a picture run no banned kernel and leave no tensors behind", async () => {
    await tf.setBackend("webgpu");
    const before = tf.memory().numTensors;
    const watch = watchKernels(webgpu);
    try {
      const gradient = await firstGradient(task, config, "webgpu");
      expect(gradient.value).toBeGreaterThan(0);
      const model = modelOf(task, config);
      const params = initialParams(model);
      expect(present((await model.evaluate(params))["val_loss"])).toBeGreaterThan(0);
      expect((await model.picture(params, 3)).step).toBe(3);
      tf.dispose(params);
      model.dispose();
      expect(watch.seen.size).toBeGreaterThan(5);
      expect(watch.banned()).toEqual([]);
      expect(tf.memory().numTensors).toBe(before);
    } finally {
      watch.stop();
    }
  });
});

test("control: a gradient without its dropout is told from one with it", async () => {
  const withDropout = await firstGradient(spirals, configOf(spirals, "tiny", { dropout: 0.1 }), "webgpu");
  const without = await firstGradient(spirals, configOf(spirals, "tiny", { dropout: 0 }), "cpu");
  const names = Object.keys(without.gradients);
  const distances = names.map((name) =>
    distance(present(withDropout.gradients[name]), present(without.gradients[name])),
  );
  expect(Math.max(...distances)).toBeGreaterThan(100 * TOLERANCE);
});

function distance(a: Float32Array, b: Float32Array): number {
  const squares = (values: Float32Array): number => values.reduce((sum, value) => sum + value * value, 0);
  return Math.sqrt(squares(a.map((value, i) => value - present(b[i]))) / squares(b));
}
