/** Models of TensorFlow.js: restored, they go on as if nothing had happened, with each of its optimizers. */
import * as tf from "@tensorflow/tfjs";
import { beforeAll, expect, suite, test } from "vitest";
import { digestOf, HoldfastError, type Contents, type State } from "../../src/index";
import { optimized } from "../../src/optimizers";
import { layersModel, variables } from "../../src/tfjs";

beforeAll(async () => {
  await tf.setBackend("cpu");
});

const OPTIMIZERS: Readonly<Record<string, () => tf.Optimizer>> = {
  sgd: () => tf.train.sgd(0.05),
  momentum: () => tf.train.momentum(0.05, 0.9),
  nesterov: () => tf.train.momentum(0.05, 0.9, true),
  rmsprop: () => tf.train.rmsprop(0.01),
  "rmsprop with a mean": () => tf.train.rmsprop(0.01, 0.9, 0.5, 1e-7, true),
  adagrad: () => tf.train.adagrad(0.05),
  adadelta: () => tf.train.adadelta(0.5),
  adam: () => tf.train.adam(0.02),
  adamax: () => tf.train.adamax(0.02),
};

function network(optimizer: tf.Optimizer, seed = 1): tf.LayersModel {
  const kernelInitializer = tf.initializers.glorotNormal({ seed });
  const model = tf.sequential({
    layers: [
      tf.layers.dense({ inputShape: [3], units: 5, activation: "tanh", kernelInitializer }),
      tf.layers.batchNormalization(),
      tf.layers.dense({ units: 1, kernelInitializer }),
    ],
  });
  model.compile({ optimizer, loss: "meanSquaredError" });
  return model;
}

/** Updates `from` … `to - 1`, on batches that are a function of the step. */
async function train(model: tf.LayersModel, from: number, to: number): Promise<void> {
  for (let step = from; step < to; step++) {
    const x = tf.tensor(
      Float32Array.from({ length: 12 }, (_, i) => Math.sin(step * 12 + i)),
      [4, 3],
    );
    const y = x.sum(1, true);
    await model.trainOnBatch(x, y);
    tf.dispose([x, y]);
  }
}

function stateOf({ tensors, counters = {} }: Contents, step: number): State {
  return { tensors, scalars: { step, samples: 0, counters } };
}

async function digestAt(model: tf.LayersModel, step: number): Promise<string> {
  return digestOf(stateOf(await layersModel(tf, model).read(), step));
}

suite.each(Object.entries(OPTIMIZERS))("a model with %s", (_name, optimizer) => {
  test("goes on from a state as it would have gone on", async () => {
    const calm = network(optimizer());
    await train(calm, 0, 6);
    const state = stateOf(await layersModel(tf, calm).read(), 6);
    await train(calm, 6, 14);

    const again = network(optimizer(), 99);
    await layersModel(tf, again).restore(state);
    await train(again, 6, 14);
    expect(await digestAt(again, 14)).toBe(await digestAt(calm, 14));
  });

  test("goes back to where it was before its first step, slots and all", async () => {
    const model = network(optimizer());
    const first = stateOf(await layersModel(tf, model).read(), 0);
    await train(model, 0, 5);
    const there = await digestAt(model, 5);
    await layersModel(tf, model).restore(first);
    await train(model, 0, 5);
    expect(await digestAt(model, 5)).toBe(there);
  });
});

suite("controls", () => {
  /** Powers and products of so many factors are not the same float32 any more; of a few they may be. */
  const BEFORE = 25;

  /** Adam at that step, put into a fresh model in a way that is not ours. */
  async function carried(carry: (from: tf.Optimizer, to: tf.Optimizer) => Promise<void>) {
    const calm = network(tf.train.adam(0.02));
    await train(calm, 0, BEFORE);
    const again = network(tf.train.adam(0.02), 99);
    again.setWeights(calm.getWeights());
    // The variables' names, by which our reading knows slots, are counted up by the page.
    await carry(calm.optimizer, again.optimizer);
    await train(calm, BEFORE, BEFORE + 8);
    await train(again, BEFORE, BEFORE + 8);
    const weights = async (model: tf.LayersModel) =>
      Promise.all(model.getWeights().map(async (weight) => Array.from(await weight.data())));
    return { calm: await weights(calm), again: await weights(again) };
  }

  test("with Adam.setWeights, the powers of beta are others, and so is the run", async () => {
    const { calm, again } = await carried(async (from, to) => to.setWeights(await from.getWeights()));
    expect(again).not.toEqual(calm);
  });

  test("with those restored raw beside it, it is the same: nothing else differs", async () => {
    const { calm, again } = await carried(async (from, to) => {
      await to.setWeights(await from.getWeights());
      for (const field of ["accBeta1", "accBeta2"]) {
        const power = Reflect.get(to, field) as tf.Variable;
        power.assign((Reflect.get(from, field) as tf.Variable).clone());
      }
    });
    expect(again).toEqual(calm);
  });

  test("without slots it is another run", async () => {
    const { calm, again } = await carried(async () => undefined);
    expect(again).not.toEqual(calm);
  });
});

suite("what cannot be kept is refused", () => {
  test("layers that are frozen after training began, which would mix up moments", async () => {
    const model = network(tf.train.adam(0.02));
    await train(model, 0, 2);
    const { optimizer } = model;
    model.layers[0]!.trainable = false;
    model.compile({ optimizer, loss: "meanSquaredError" });
    expect(() => layersModel(tf, model).read()).toThrow(/were frozen or thawed since training began/);
  });

  test("an optimizer whose fields are not what they were", async () => {
    const model = network(tf.train.adam(0.02));
    Reflect.set(model.optimizer, "accBeta1", 0.9);
    expect(() => layersModel(tf, model).read()).toThrow(
      /Adam\.accBeta1 is not what it is in TensorFlow\.js 4\.22/,
    );
  });

  test("an optimizer that nobody knows", () => {
    class Lion extends tf.SGDOptimizer {
      override getClassName(): string {
        return "Lion";
      }
    }
    expect(() => layersModel(tf, network(new Lion(0.1))).read()).toThrow(/Lion keeps is not known/);
  });

  test("the state of another optimizer, or of another model", async () => {
    const adam = stateOf(await layersModel(tf, network(tf.train.adam(0.02))).read(), 0);
    expect(() => layersModel(tf, network(tf.train.sgd(0.1))).restore(adam)).toThrow(
      /optimizer\/accBeta1 is unknown/,
    );
    const other = tf.sequential({ layers: [tf.layers.dense({ inputShape: [3], units: 4 })] });
    other.compile({ optimizer: tf.train.adam(0.02), loss: "meanSquaredError" });
    expect(() => layersModel(tf, other).restore(adam)).toThrow(
      /param\/0-dense\/0-kernel is float32 \[3, 5\], not float32 \[3, 4\]/,
    );
  });
});

test("arguments in another order, and models that are not compiled, are told apart", () => {
  const model = network(tf.train.sgd(0.1));
  const swapped = layersModel as unknown as (...values: readonly unknown[]) => unknown;
  expect(() => swapped(model, tf)).toThrow(/first argument is not the module of TensorFlow\.js/);
  expect(() => swapped(tf, tf)).toThrow(/is no tf\.LayersModel/);
  expect(() => swapped(tf)).toThrow(/is no tf\.LayersModel/);
  const bare = tf.sequential({ layers: [tf.layers.dense({ inputShape: [1], units: 1 })] });
  expect(() => layersModel(tf, bare)).toThrow(/not compiled\. `model\.compile/);
  expect(() => (variables as typeof swapped)({}, tf)).toThrow(HoldfastError);
});

test("layers that draw from Math.random, or keep states, are named", () => {
  const model = tf.sequential({
    layers: [
      tf.layers.lstm({ batchInputShape: [1, 4, 2], units: 3, returnSequences: true, stateful: true }),
      tf.layers.gru({ units: 3, dropout: 0.5 }),
      tf.layers.dropout({ rate: 0.2 }),
      tf.layers.dense({ units: 1 }),
    ],
  });
  model.compile({ optimizer: "sgd", loss: "meanSquaredError" });
  expect(layersModel(tf, model).inexact).toEqual([
    "Layer 0 (LSTM) keeps states that are no weights.",
    "Layer 1 (GRU) draws from Math.random.",
    "Layer 2 (Dropout) draws from Math.random.",
  ]);
  expect(layersModel(tf, network(tf.train.sgd(0.1))).inexact).toEqual([]);
});

test("reading leaves no tensor behind, and steps may go on meanwhile", async () => {
  const model = network(tf.train.adam(0.02));
  const trainer = layersModel(tf, model);
  await train(model, 0, 3);
  const expected = await digestAt(model, 3);
  const { numTensors } = tf.memory();
  const reading = trainer.read();
  await train(model, 3, 6);
  expect(await digestOf(stateOf(await reading, 3))).toBe(expected);
  expect(tf.memory().numTensors).toBe(numTensors);
});

suite("variables", () => {
  function line(start: number) {
    const parameters = { kernel: tf.variable(tf.tensor1d([start, 2])), bias: tf.variable(tf.scalar(0)) };
    const loss = (step: number) => () =>
      tf.square(tf.sub(tf.add(tf.sum(tf.mul(parameters.kernel, step + 1)), parameters.bias), 3)).asScalar();
    return { parameters, loss };
  }

  test("with tf.train.adam", async () => {
    const one = line(1);
    const adam = tf.train.adam(0.01);
    const trainer = variables(tf, one.parameters, adam);
    for (let step = 0; step < 4; step++) adam.minimize(one.loss(step));
    const state = stateOf(await trainer.read(), 4);
    for (let step = 4; step < 9; step++) adam.minimize(one.loss(step));

    const two = line(50);
    const fresh = tf.train.adam(0.01);
    const again = variables(tf, two.parameters, fresh);
    await again.restore(state);
    const list = Object.values(two.parameters);
    for (let step = 4; step < 9; step++) fresh.minimize(two.loss(step), false, list);
    expect(await digestOf(stateOf(await again.read(), 9))).toBe(
      await digestOf(stateOf(await trainer.read(), 9)),
    );
  });

  test.each(["sgd", "momentum", "rmsprop", "adam", "adamw"] as const)("with our own %s", async (kind) => {
    const options = {
      kind,
      learningRate: 0.01,
      clipNorm: 1,
      schedule: { kind: "cosine", warmup: 2, horizon: 9, floor: 0.1, every: 1, factor: 1 },
    } as const;
    const one = line(1);
    const trainer = optimized(one.parameters, options);
    const rates: number[] = [];
    for (let step = 0; step < 4; step++) await trainer.minimize(one.loss(step)).loss;
    const state = stateOf(await trainer.read(), 4);
    for (let step = 4; step < 9; step++) {
      const { loss, rate } = trainer.minimize(one.loss(step));
      await loss;
      rates.push(rate);
    }

    const two = line(50);
    const again = optimized(two.parameters, options);
    again.restore(state);
    const ratesAgain: number[] = [];
    const counts = new Set<number>();
    for (let step = 4; step < 9; step++) {
      const { loss, rate } = again.minimize(two.loss(step));
      await loss;
      ratesAgain.push(rate);
      counts.add(tf.memory().numTensors);
    }
    expect(counts.size).toBe(1);
    expect(ratesAgain).toEqual(rates);
    expect(await digestOf(stateOf(await again.read(), 9))).toBe(
      await digestOf(stateOf(await trainer.read(), 9)),
    );
  });

  test.each(["sgd", "momentum", "rmsprop", "adam", "adamw"] as const)(
    "%s with options that are undefined is what it is without them",
    async (kind) => {
      const bare = { kind, learningRate: 0.05 };
      const names = Object.keys(optimized(line(1).parameters, bare).config);
      const others = names.filter((name) => name !== "kind" && name !== "learningRate");
      expect(others).toHaveLength(8);
      const options = { ...Object.fromEntries(others.map((name) => [name, undefined])), ...bare };
      const after = async (config: typeof bare) => {
        const { parameters, loss } = line(1);
        const trainer = optimized(parameters, config);
        for (let step = 0; step < 3; step++) await trainer.minimize(loss(step)).loss;
        return { config: trainer.config, digest: await digestOf(stateOf(await trainer.read(), 3)) };
      };
      expect(await after(options)).toEqual(await after(bare));
      const schedule = { kind: "step", every: 5, factor: undefined } as never;
      expect(optimized(line(1).parameters, { ...bare, schedule }).config.schedule).toMatchObject({
        kind: "step",
        every: 5,
        factor: 1,
      });
    },
  );

  test("what has no default is refused by its name where it is undefined", () => {
    const without = (options: object) => () => optimized(line(1).parameters, options as never);
    expect(without({ kind: "sgd", learningRate: undefined })).toThrow(/learningRate is undefined/);
    expect(without({ kind: undefined, learningRate: 0.1 })).toThrow(/no optimizer "undefined"/);
    expect(without({ kind: "sgd", learningRate: 0.1, momentum: null })).toThrow(/momentum is null/);
    expect(without({ kind: "sgd", learningRate: "0.1" })).toThrow(/learningRate is 0.1; it must be/);
  });
});
