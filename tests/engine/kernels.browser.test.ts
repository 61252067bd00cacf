import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, beforeEach, expect, suite, test } from "vitest";
import { openDevice, type Device } from "../../src/engine/device";
import { watchKernels } from "../../src/engine/kernels/banned";
import { uniforms } from "../../src/engine/random";
import { TfjsTrainable } from "../../src/engine/tfjs";
import { configOf } from "../tasks/trial";
import { loadTask } from "../../src/tasks";
import { optimizerConfig, sameBits, tinyModel } from "./tfjs-model";

let webgpu: Device;
let cpu: Device;
beforeAll(async () => {
  cpu = await openDevice({ only: "cpu" });
  webgpu = await openDevice({ only: "webgpu" });
});
afterAll(() => {
  webgpu.close();
  cpu.close();
});
beforeEach(async () => {
  await tf.setBackend("webgpu");
});

/** What must not run, of what ran in `work`. */
function bannedIn(work: () => void): string[] {
  const watch = watchKernels(webgpu);
  try {
    work();
    expect(watch.seen.size).toBeGreaterThan(0);
    return watch.banned();
  } finally {
    watch.stop();
  }
}

suite("banned kernels", () => {
  test.each(["sgd", "momentum", "rmsprop", "adam", "adamw"] as const)("none runs in a step of %s", (kind) => {
    const model = tinyModel();
    const trainable = new TfjsTrainable({
      device: webgpu,
      model,
      optimizer: optimizerConfig(kind),
      seed: 0,
      batchSize: 8,
    });
    const banned = bannedIn(() => {
      trainable.step({ step: 0, samples: 0, learningRate: 0.1, clipNorm: 0.5 });
    });
    trainable.dispose();
    expect(banned).toEqual([]);
  });

  test.each(["spirals", "text"])("none runs in a step of the task %s", async (id) => {
    const task = await loadTask(id);
    const config = configOf(task, "tiny");
    const model = task.build(config, task.generate(config, 1), 1);
    const options = { device: webgpu, model, optimizer: optimizerConfig("adamw"), seed: 1, batchSize: 4 };
    const trainable = new TfjsTrainable(options);
    const banned = bannedIn(() => {
      trainable.step({ step: 0, samples: 0, learningRate: 0.1, clipNorm: 0.5 });
    });
    await trainable.settled();
    trainable.dispose();
    model.dispose();
    expect(banned).toEqual([]);
  });

  test("the gradient of gather is caught", () => {
    const table = tf.ones([20, 6]);
    const banned = bannedIn(() => {
      tf.dispose(tf.grad((x) => tf.gather(x, tf.tensor1d([1, 3, 3], "int32")))(table));
    });
    table.dispose();
    expect(banned.join()).toMatch(/UnsortedSegmentSum/);
  });

  test("a split-K matMul is caught, though its kernel has a good name", () => {
    const [a, b] = [tf.ones([32, 2400]), tf.ones([2400, 32])];
    const product = (): void => {
      tf.dispose(tf.matMul(a, b));
    };
    expect(bannedIn(product)).toEqual([]);
    const chosen = tf.env().getNumber("WEBGPU_MATMUL_PROGRAM_TYPE");
    tf.env().set("WEBGPU_MATMUL_PROGRAM_TYPE", -1);
    const banned = bannedIn(product);
    tf.env().set("WEBGPU_MATMUL_PROGRAM_TYPE", chosen);
    tf.dispose([a, b]);
    expect(banned.join()).toMatch(/float atomics/);
  });
});

/** Ops that tasks are made of, with the shapes of their inputs. */
const OPS: Readonly<
  Record<string, readonly [shapes: readonly (readonly number[])[], op: (...x: tf.Tensor[]) => tf.Tensor]>
> = {
  matMul: [
    [
      [9, 12],
      [12, 7],
    ],
    (a, b) => tf.matMul(a, b),
  ],
  "matMul, first transposed, inner dimension 2400": [
    [
      [2400, 24],
      [2400, 16],
    ],
    (a, b) => tf.matMul(a, b, true, false),
  ],
  "matMul, second transposed, inner dimension 2400": [
    [
      [16, 2400],
      [12, 2400],
    ],
    (a, b) => tf.matMul(a, b, false, true),
  ],
  "matMul of rank 3": [
    [
      [4, 7, 5],
      [4, 5, 6],
    ],
    (a, b) => tf.matMul(a, b),
  ],
  "matMul of rank 4": [
    [
      [2, 3, 7, 5],
      [2, 3, 5, 6],
    ],
    (a, b) => tf.matMul(a, b),
  ],
  "matMul of rank 4, second transposed": [
    [
      [2, 3, 7, 5],
      [2, 3, 6, 5],
    ],
    (a, b) => tf.matMul(a, b, false, true),
  ],
  softmax: [[[8, 33]], (x) => tf.softmax(x)],
  logSoftmax: [[[8, 33]], (x) => tf.logSoftmax(x)],
  "layer norm": [
    [[8, 32]],
    (x) => {
      const { mean, variance } = tf.moments(x, -1, true);
      return tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, 1e-5)));
    },
  ],
  gelu: [[[300]], (x) => tf.mul(tf.mul(x, tf.add(tf.erf(tf.div(x, Math.SQRT2)), 1)), 0.5)],
  tanh: [[[300]], (x) => tf.tanh(x)],
  relu: [[[300]], (x) => tf.relu(x)],
  sigmoid: [[[300]], (x) => tf.sigmoid(x)],
  concat: [
    [
      [4, 5],
      [4, 7],
    ],
    (a, b) => tf.concat([a, b], 1),
  ],
  slice: [[[6, 8, 3]], (x) => tf.slice(x, [1, 2, 0], [3, 4, 2])],
  transpose: [[[2, 3, 4, 5]], (x) => tf.transpose(x, [2, 0, 3, 1])],
  mean: [[[10, 3000]], (x) => tf.mean(x, 1)],
  sum: [[[20_000]], (x) => tf.sum(tf.square(x))],
  "broadcast add": [[[8, 4, 16], [16]], (a, b) => tf.add(a, b)],
  "embedding by oneHot": [
    [[20, 6]],
    (x) => tf.matMul(tf.cast(tf.oneHot(tf.tensor1d([1, 3, 3, 7, 19, 0], "int32"), 20), "float32"), x),
  ],
};

/** Farthest relative distance that rounding may bring, by the Euclidean norm. */
const TOLERANCE = 1e-4;

suite("ops that tasks are made of", () => {
  test.each(Object.keys(OPS))(
    "%s: forward and gradient agree with the CPU backend, and repeat bit for bit",
    async (name) => {
      const [shapes, op] = OPS[name]!;
      await tf.setBackend("cpu");
      const reference = await results(shapes, op);
      await tf.setBackend("webgpu");
      const first = await results(shapes, op);
      for (const [index, values] of first.entries())
        expect(distance(values, reference[index]!)).toBeLessThan(TOLERANCE);
      for (let repeat = 0; repeat < 2; repeat++) {
        const again = await results(shapes, op);
        expect(again.every((values, index) => sameBits(values, first[index]!))).toBe(true);
      }
    },
  );

  test("the audit catches a wrong kernel: split-K with the second factor transposed", async () => {
    const [shapes, op] = OPS["matMul, second transposed, inner dimension 2400"]!;
    await tf.setBackend("cpu");
    const reference = await results(shapes, op);
    await tf.setBackend("webgpu");
    const chosen = tf.env().getNumber("WEBGPU_MATMUL_PROGRAM_TYPE");
    tf.env().set("WEBGPU_MATMUL_PROGRAM_TYPE", -1);
    const wrong = await results(shapes, op);
    tf.env().set("WEBGPU_MATMUL_PROGRAM_TYPE", chosen);
    expect(distance(wrong[0]!, reference[0]!)).toBeGreaterThan(TOLERANCE);
  });
});

/** Value and gradients of an op on inputs in [-1, 1), under weights that differ from element to element. */
async function results(
  shapes: readonly (readonly number[])[],
  op: (...inputs: tf.Tensor[]) => tf.Tensor,
): Promise<Float32Array<ArrayBuffer>[]> {
  const drawn = (shape: readonly number[], stream: string): tf.Tensor => {
    const values = uniforms(5, stream, 0, tf.util.sizeFromShape([...shape]));
    return tf.tensor(
      values.map((value) => 2 * value - 1),
      [...shape],
    );
  };
  const inputs = shapes.map((shape, index) => drawn(shape, `input ${index}`));
  const { value, grads } = tf.tidy(() => {
    const output = op(...inputs);
    return { value: output, grads: tf.grads(op)(inputs, drawn(output.shape, "weights")) };
  });
  const all = await Promise.all(
    [value, ...grads].map(async (tensor) => Float32Array.from(await tensor.data())),
  );
  tf.dispose([inputs, value, grads]);
  return all;
}

function distance(a: Float32Array, b: Float32Array): number {
  const squares = (values: Float32Array): number => values.reduce((sum, value) => sum + value * value, 0);
  return Math.sqrt(squares(a.map((value, index) => value - b[index]!)) / squares(b));
}
