/** What every task keeps to, whatever it is: its gradient is right, and looking at a run changes nothing of it. */
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, expect, suite, test } from "vitest";
import { samplesAt } from "../../src/engine/batches";
import type { Task } from "../../src/engine/task";
import type { Config } from "../../src/format/run";
import { TASKS } from "../../src/tasks/meta";
import { digits } from "../../src/tasks/digits";
import { modular } from "../../src/tasks/modular";
import { spirals } from "../../src/tasks/spirals";
import { table } from "../../src/tasks/table";
import { text } from "../../src/tasks/text";
import {
  configOf,
  droppingAt,
  gradientOf,
  initialParams,
  modelOf,
  nudged,
  openCpu,
  present,
  train,
} from "./trial";

/** The preset `tiny` of each task with these changes, small enough for plain loops. */
const CASES: readonly [string, Task, Config][] = [
  ["spirals, tanh", spirals, {}],
  ["spirals, ReLU", spirals, { activation: "relu" }],
  ["text, tied, GELU", text, { characters: 4000, tied: true, activation: "gelu" }],
  ["text, untied, ReLU", text, { characters: 4000, tied: false, activation: "relu" }],
  ["table, classes, tanh", table, { activation: "tanh" }],
  ["table, amounts, ReLU", table, { target: "weight_g", activation: "relu" }],
  ["digits", digits, { filters: 2, hidden: 8, batchSize: 4, count: 60 }],
  ["modular, square", modular, { modulus: 13, batchSize: 32 }],
  ["modular, ReLU", modular, { modulus: 13, batchSize: 32, activation: "relu" }],
];

/** Half of the step of a finite difference: smaller is lost in float32's rounding, larger in the curve. */
const NUDGE = 2e-3;

beforeAll(openCpu);

test("every task is among them", () => {
  expect(new Set(CASES.map(([, task]) => task.info.id))).toEqual(new Set(TASKS.map(({ id }) => id)));
});

suite.each(CASES)("%s", (_, task, changes) => {
  const config = configOf(task, "tiny", changes);
  const batchSize = Number(config["batchSize"]);

  test("its gradient agrees with finite differences in every tensor, dropout included", async () => {
    const model = modelOf(task, config);
    const batch = model.batch(samplesAt(0, batchSize, model.samplesPerEpoch, 1));
    // Away from S_0: there, biases are zero and norms are idle, and a fault in them would not show.
    const params = tf.tidy(() =>
      Object.fromEntries(
        Object.entries(initialParams(model)).map(([name, value], i) => [
          name,
          tf.add(value, tf.randomNormal(value.shape, 0, 0.1, "float32", i + 1)),
        ]),
      ),
    );
    const lossAt = (p: typeof params): tf.Scalar => model.loss(p, batch, droppingAt(3));
    const { gradients } = await gradientOf(params, lossAt);
    for (const [name, gradient] of Object.entries(gradients)) {
      const steepest = gradient.reduce(
        (best, value, i) => (Math.abs(value) > Math.abs(gradient[best] ?? 0) ? i : best),
        0,
      );
      const moved = (by: number): number =>
        tf.tidy(() => {
          const value = nudged(present(params[name]), steepest, by);
          return lossAt({ ...params, [name]: value }).dataSync()[0] ?? Number.NaN;
        });
      const slope = (moved(NUDGE) - moved(-NUDGE)) / (2 * NUDGE);
      expect(Math.abs(slope - present(gradient[steepest])), `${name}[${steepest}]`).toBeLessThan(
        2e-3 + 0.02 * Math.abs(slope),
      );
    }
    tf.dispose([params, [...batch]]);
    model.dispose();
  });

  test("evaluation, answers and picture repeat, and leave no tensors behind", async () => {
    const before = tf.memory().numTensors;
    const model = modelOf(task, config);
    const params = initialParams(model);
    const held = tf.memory().numTensors;
    const look = async (): Promise<unknown> => [
      await model.evaluate(params),
      await model.answers?.(params),
      await model.picture(params, 7),
    ];
    const seen = await look();
    expect(tf.memory().numTensors).toBe(held);
    expect(await look()).toEqual(seen);
    tf.dispose([...model.batch(samplesAt(0, batchSize, model.samplesPerEpoch, 1))]);
    expect(tf.memory().numTensors).toBe(held);
    model.dispose();
    tf.dispose(params);
    expect(tf.memory().numTensors).toBe(before);
  });

  test("a run that is looked at after each step has the same bits as one that is not", async () => {
    const model = modelOf(task, config);
    const steps = { steps: 4, batchSize };
    const alone = await train(model, steps);
    const watched = await train(model, steps, async (params, step) => {
      await model.evaluate(params);
      await model.answers?.(params);
      await model.picture(params, step);
    });
    expect(watched).toEqual(alone);
    model.dispose();
  });
});
