import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, expect, suite, test } from "vitest";
import { samplesAt } from "../../src/engine/batches";
import { hasCode } from "../../src/errors";
import type { OptimizerKind } from "../../src/format/run";
import { NO_DROPOUT } from "../../src/tasks/layers";
import { spirals } from "../../src/tasks/spirals";
import {
  configOf,
  initialParams,
  meanOf,
  modelOf,
  openCpu,
  panelOf,
  present,
  train,
  withParams,
} from "./trial";

const TINY = configOf(spirals, "tiny");
const BATCH = 32;

const RATES: readonly [OptimizerKind, number][] = [
  ["sgd", 0.5],
  ["momentum", 0.1],
  ["rmsprop", 0.01],
  ["adam", 0.02],
  ["adamw", 0.02],
];

beforeAll(openCpu);

suite("spirals learn", () => {
  test.each(RATES)("with %s the loss falls", async (kind, learningRate) => {
    const model = modelOf(spirals, TINY);
    const { losses } = await train(model, {
      steps: 100,
      batchSize: BATCH,
      optimizer: { kind, learningRate },
    });
    expect(meanOf(losses.slice(-10))).toBeLessThan(meanOf(losses.slice(0, 10)) - 0.03);
    model.dispose();
  });

  test("and the held-out points are told apart in the end", async () => {
    const model = modelOf(spirals, TINY);
    const { tensors } = await train(model, {
      steps: 300,
      batchSize: BATCH,
      optimizer: { learningRate: 0.02 },
    });
    const metrics = await withParams(tensors, (params) => model.evaluate(params));
    expect(metrics["val_accuracy"]).toBeGreaterThan(0.9);
    model.dispose();
  });
});

test("what people see first learns within its first steps: the small preset as it is", async () => {
  const { learningRate } = spirals.info.presets.small;
  const model = modelOf(spirals, configOf(spirals, "small"));
  const { tensors } = await train(model, { steps: 200, batchSize: 64, optimizer: { learningRate } });
  const metrics = await withParams(tensors, (params) => model.evaluate(params));
  expect(metrics["val_accuracy"]).toBeGreaterThan(0.85);
  model.dispose();
});

suite("the spirals model", () => {
  test("its loss is finite however sure and wrong it is", () => {
    const model = modelOf(spirals, { ...TINY, layers: 1, width: 1, activation: "relu" });
    const batch = model.batch(samplesAt(0, BATCH, model.samplesPerEpoch, 1));
    const params = Object.fromEntries(
      model.parameters.map(({ name, shape }) => [name, tf.fill([...shape], 1000)]),
    );
    const [loss] = model.loss(params, batch, NO_DROPOUT).dataSync();
    expect(loss).toBeGreaterThan(1000);
    expect(loss).toBeLessThan(Infinity);
  });
});

suite("data of spirals", () => {
  test("the same seed gives the same bytes, little-endian x, y and class", () => {
    expect(spirals.generate(TINY, 4)).toEqual(spirals.generate(TINY, 4));
    expect(spirals.generate(TINY, 0)).not.toEqual(spirals.generate(TINY, 4));
    const bytes = spirals.generate(TINY, 4);
    expect(bytes).toHaveLength(400 * 12);
    const classes = Array.from({ length: 400 }, (_, i) =>
      new DataView(bytes.buffer).getFloat32(12 * i + 8, true),
    );
    expect(classes).toEqual(Array.from({ length: 400 }, (_, i) => i % 2));
    expect(spirals.inspect(bytes, TINY)).toEqual({ kind: "points", trainPoints: 320, heldOutPoints: 80 });
  });

  test("an epoch draws each training point once and no held-out one", () => {
    const model = modelOf(spirals, TINY);
    const bytes = spirals.generate(TINY, 1);
    const all = new Float32Array(bytes.buffer);
    const place = (x: number, y: number): string => `${x},${y}`;
    const training = Array.from({ length: 400 }, (_, i) => i).filter((i) => i % 5 !== 4);
    const expected = training.map((i) => place(present(all[3 * i]), present(all[3 * i + 1])));
    const drawn: string[] = [];
    for (let position = 0; position < 320; position += BATCH) {
      const [places] = model.batch(samplesAt(position, BATCH, model.samplesPerEpoch, 1));
      const values = present(places).dataSync();
      for (let row = 0; row < BATCH; row++)
        drawn.push(place(present(values[2 * row]), present(values[2 * row + 1])));
    }
    expect(drawn.toSorted()).toEqual(expected.toSorted());
    expect(drawn).not.toEqual(expected);
  });

  test.each<[string, Uint8Array<ArrayBuffer>, RegExp]>([
    ["cut off", spirals.generate(TINY, 1).slice(0, 100), /are 100 bytes/],
    ["empty", new Uint8Array(), /are 0 bytes/],
    [
      "not a class",
      new Uint8Array(Float32Array.of(0, 0, 0, 1, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0).buffer),
      /Point 1 is \(1, 1\) of class 2/,
    ],
    [
      "not a number",
      new Uint8Array(Float32Array.of(Number.NaN, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0).buffer),
      /Point 0 is \(NaN, 0\)/,
    ],
  ])("points that are %s are refused", (_, bytes, message) => {
    const attempt = (): unknown => spirals.inspect(bytes, TINY);
    expect(attempt).toThrow(message);
    expect(attempt).toThrow(expect.toSatisfy((error) => hasCode(error, "invalid")));
  });
});

suite("looking at spirals", () => {
  test("the picture is a grid of probabilities with the points on it", async () => {
    const model = modelOf(spirals, TINY);
    const picture = await model.picture(initialParams(model), 7);
    const { grid, size, points } = panelOf(picture, "boundary");
    expect(grid).toHaveLength(size ** 2);
    expect(points).toHaveLength(3 * 400);
    expect(Math.max(...grid)).toBeLessThanOrEqual(1);
    expect(Math.min(...grid)).toBeGreaterThanOrEqual(0);
  });

  test("the picture's first row is its top, and its first column is left", async () => {
    const model = modelOf(spirals, { ...TINY, layers: 1, width: 2, activation: "relu" });
    // Class 1 is likelier the further up and, less so, the further right: x + 4 y, through ReLUs of either sign.
    const params: Record<string, tf.Tensor> = {
      "hidden0/weight": tf.tensor2d([1, -1, 4, -4], [2, 2]),
      "hidden0/bias": tf.zeros([2]),
      "output/weight": tf.tensor2d([1, -1], [2, 1]),
      "output/bias": tf.zeros([1]),
    };
    const picture = panelOf(await model.picture(params, 0), "boundary");
    const at = (row: number, column: number): number => present(picture.grid[row * picture.size + column]);
    const last = picture.size - 1;
    const corners = [at(0, last), at(0, 0), at(last, last), at(last, 0)];
    expect(corners).toEqual(corners.toSorted((a, b) => b - a));
    expect(new Set(corners).size).toBe(4);
  });
});
