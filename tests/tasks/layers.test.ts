/** Gradients by hand, held against the ones that tfjs tapes through a plain composition of the same function. */
import * as tf from "@tensorflow/tfjs-core";
import type { Scalar, Tensor, Tensor2D } from "@tensorflow/tfjs-core";
import { beforeAll, expect, suite, test } from "vitest";
import { normals } from "../../src/engine/random";
import type { Params } from "../../src/engine/task";
import type { GeluConstants } from "../../src/tasks/layers";
import {
  crossEntropy,
  dense,
  gelu,
  geluConstants,
  layerNorm,
  parameter,
  rowLosses,
} from "../../src/tasks/layers";
import { gradientOf, meanOf, openCpu, present } from "./trial";

const ROWS = 6;
const WIDTH = 10;
const TOLERANCE = 2e-5;

function noise(name: string, shape: [number, number] | [number]): Tensor {
  return tf.tensor(
    normals(
      3,
      name,
      0,
      shape.reduce((a: number, b) => a * b, 1),
    ),
    shape,
  );
}

function matrix(x: Tensor): Tensor2D {
  return tf.reshape<tf.Rank.R2>(x, [ROWS, WIDTH]);
}

/** Any scalar of a tensor whose gradient differs in each element. */
function weighed(x: Tensor): Scalar {
  return tf.sum(tf.mul(x, tf.reshape(noise("weights", [x.size]), x.shape)));
}

async function furthest(
  inputs: Params,
  ours: (inputs: Params) => Scalar,
  reference: (inputs: Params) => Scalar,
): Promise<number> {
  const a = await gradientOf(inputs, ours);
  const b = await gradientOf(inputs, reference);
  let most = Math.abs(a.value - b.value);
  for (const [name, gradient] of Object.entries(a.gradients)) {
    for (const [i, value] of gradient.entries())
      most = Math.max(most, Math.abs(value - present(b.gradients[name]?.[i])));
  }
  return most;
}

beforeAll(openCpu);

suite("layer norm", () => {
  const epsilon = 1e-5;
  const composed = (p: Params, unbiased: boolean): Scalar => {
    const x = parameter(p, "x");
    const centred = tf.sub(x, tf.mean(x, -1, true));
    const variance = tf.div(tf.sum(tf.square(centred), -1, true), unbiased ? WIDTH - 1 : WIDTH);
    return weighed(
      tf.add(
        tf.mul(tf.div(centred, tf.sqrt(tf.add(variance, epsilon))), parameter(p, "n/gain")),
        parameter(p, "n/bias"),
      ),
    );
  };
  const inputs = (): Params => ({
    x: noise("x", [ROWS, WIDTH]),
    "n/gain": noise("gain", [WIDTH]),
    "n/bias": noise("bias", [WIDTH]),
  });
  const ours = (p: Params): Scalar => weighed(layerNorm(p, "n", parameter(p, "x"), tf.scalar(epsilon)));

  test("value and all three gradients are the composition's", async () => {
    expect(await furthest(inputs(), ours, (p) => composed(p, false))).toBeLessThan(TOLERANCE);
  });

  test("control: another variance would be noticed", async () => {
    expect(await furthest(inputs(), ours, (p) => composed(p, true))).toBeGreaterThan(100 * TOLERANCE);
  });
});

suite("GELU", () => {
  let constants: GeluConstants;
  beforeAll(() => {
    constants = geluConstants();
  });
  const composed = (p: Params, cubic: number): Scalar => {
    const x = parameter(p, "x");
    const inner = tf.mul(tf.add(x, tf.mul(tf.mul(tf.mul(x, x), x), cubic)), Math.sqrt(2 / Math.PI));
    return weighed(tf.mul(tf.mul(x, 0.5), tf.add(tf.tanh(inner), 1)));
  };
  const inputs = (): Params => ({ x: noise("x", [ROWS, WIDTH]) });
  const ours = (p: Params): Scalar => weighed(gelu(parameter(p, "x"), constants));

  test("value and gradient are those of the published tanh form", async () => {
    expect(await furthest(inputs(), ours, (p) => composed(p, 0.044715))).toBeLessThan(TOLERANCE);
  });

  test("control: another constant would be noticed", async () => {
    expect(await furthest(inputs(), ours, (p) => composed(p, 0.05))).toBeGreaterThan(50 * TOLERANCE);
  });

  test("is finite far out, in value and gradient", async () => {
    const { value, gradients } = await gradientOf(
      { x: tf.tensor1d([-1e4, -100, -30, 0, 30, 100, 1e4]) },
      (p) => tf.sum(gelu(parameter(p, "x"), constants)),
    );
    expect(value).toBeCloseTo(10130, 2);
    expect([...present(gradients["x"])].map((slope) => Math.round(100 * slope) / 100 + 0)).toEqual([
      0, 0, 0, 0.5, 1, 1, 1,
    ]);
  });
});

suite("cross-entropy", () => {
  const targets = (): Tensor2D =>
    matrix(tf.oneHot(tf.tensor1d([0, 3, 9, 9, 5, 1], "int32"), WIDTH, 1, 0, "float32"));
  const logitsOf = (p: Params): Tensor2D => matrix(parameter(p, "logits"));
  const composed = (p: Params): Scalar => {
    const exponentials = tf.exp(logitsOf(p));
    const shares = tf.div(exponentials, tf.sum(exponentials, 1, true));
    return tf.neg(tf.mean<Scalar>(tf.log(tf.sum(tf.mul(shares, targets()), 1))));
  };

  test("value and gradient are the textbook's", async () => {
    const inputs = { logits: noise("logits", [ROWS, WIDTH]) };
    expect(await furthest(inputs, (p) => crossEntropy(logitsOf(p), targets()), composed)).toBeLessThan(
      TOLERANCE,
    );
  });

  test("scales with what comes from above", async () => {
    const inputs = { logits: noise("logits", [ROWS, WIDTH]) };
    const tripled =
      (f: (p: Params) => Scalar) =>
      (p: Params): Scalar =>
        tf.mul(f(p), tf.scalar(3));
    expect(
      await furthest(
        inputs,
        tripled((p) => crossEntropy(logitsOf(p), targets())),
        tripled(composed),
      ),
    ).toBeLessThan(TOLERANCE);
  });

  test("is exact where the textbook's form overflows", async () => {
    const inputs = { logits: tf.mul(noise("logits", [ROWS, WIDTH]), 1000) };
    const ours = await gradientOf(inputs, (p) => crossEntropy(logitsOf(p), targets()));
    expect(Number.isFinite(ours.value)).toBe(true);
    expect(present(ours.gradients["logits"]).every(Number.isFinite)).toBe(true);
    expect((await gradientOf(inputs, composed)).value).toBeNaN();
  });

  test("is the mean of the rows' losses", async () => {
    const logits = matrix(noise("logits", [ROWS, WIDTH]));
    const rows = Array.from(await rowLosses(logits, targets()).data());
    const [mean] = await crossEntropy(logits, targets()).data();
    expect(mean).toBeCloseTo(meanOf(rows), 6);
  });
});

test("a dense layer is x · weight + bias, gradients included", async () => {
  const inputs = {
    x: noise("x", [ROWS, WIDTH]),
    "d/weight": noise("weight", [WIDTH, 4]),
    "d/bias": noise("bias", [4]),
  };
  const plain = (p: Params): Scalar =>
    weighed(tf.add(tf.matMul(parameter(p, "x"), parameter(p, "d/weight")), parameter(p, "d/bias")));
  expect(await furthest(inputs, (p) => weighed(dense(p, "d", parameter(p, "x"))), plain)).toBeLessThan(
    TOLERANCE,
  );
});
