import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, expect, suite, test } from "vitest";
import { initialValues } from "../../src/engine/initialize";
import type { Params } from "../../src/engine/task";
import { NO_DROPOUT } from "../../src/tasks/layers";
import { Transformer } from "../../src/tasks/transformer";
import type { TransformerShape } from "../../src/tasks/transformer";
import { openCpu } from "./trial";

const CONTEXT = 12;
const VOCABULARY = 20;
const SHAPE: TransformerShape = {
  vocabulary: VOCABULARY,
  context: CONTEXT,
  layers: 2,
  heads: 3,
  headWidth: 4,
  activation: "gelu",
  tied: true,
  dropout: 0,
};
const WINDOW = Array.from({ length: CONTEXT }, (_, i) => (7 * i + 3) % VOCABULARY);

/** Logits of each character of these windows. */
function logitsOf(transformer: Transformer, ids: readonly number[]): readonly (readonly number[])[] {
  return tf.tidy(() => {
    const params: Params = Object.fromEntries(
      transformer.parameters.map((spec) => [spec.name, tf.tensor(initialValues(spec, 1), [...spec.shape])]),
    );
    const hidden = transformer.hidden(params, tf.tensor1d([...ids], "int32"), NO_DROPOUT);
    return transformer.logits(params, hidden).arraySync();
  });
}

beforeAll(openCpu);

suite("attention looks back", () => {
  test("a later character changes no bit of an earlier prediction, and changes its own and all later ones", () => {
    const transformer = new Transformer(SHAPE);
    for (const changed of [1, 7, CONTEXT - 1]) {
      const before = logitsOf(transformer, WINDOW);
      const after = logitsOf(transformer, WINDOW.with(changed, VOCABULARY - 1));
      expect(after.slice(0, changed)).toEqual(before.slice(0, changed));
      for (let place = changed; place < CONTEXT; place++) expect(after[place]).not.toEqual(before[place]);
    }
    transformer.dispose();
  });

  test("windows of a batch do not see each other", () => {
    const transformer = new Transformer(SHAPE);
    const other = WINDOW.toReversed();
    const together = logitsOf(transformer, [...WINDOW, ...other]);
    const apart = [...logitsOf(transformer, WINDOW), ...logitsOf(transformer, other)];
    for (const [row, logits] of together.entries()) {
      for (const [i, logit] of logits.entries()) expect(logit).toBeCloseTo(apart[row]?.[i] ?? Number.NaN, 5);
    }
    transformer.dispose();
  });

  test("a place tells equal characters apart", () => {
    const transformer = new Transformer(SHAPE);
    const [first, second] = logitsOf(
      transformer,
      WINDOW.map(() => 5),
    );
    expect(second).not.toEqual(first);
    transformer.dispose();
  });
});

suite("parameters", () => {
  test("have names of their own, and only an untied model has a head", () => {
    for (const tied of [true, false]) {
      const transformer = new Transformer({ ...SHAPE, tied });
      const names = transformer.parameters.map(({ name }) => name);
      expect(new Set(names).size).toBe(names.length);
      expect(names.includes("head/weight")).toBe(!tied);
      transformer.dispose();
    }
  });

  test("biases and norms are spared from weight decay, and nothing else", () => {
    const transformer = new Transformer({ ...SHAPE, tied: false });
    for (const { name, decay } of transformer.parameters) {
      expect(decay ?? true, name).toBe(!/\/(bias|gain)$/.test(name));
    }
    transformer.dispose();
  });

  test("dispose frees all that a model holds", () => {
    const before = tf.memory().numTensors;
    const transformer = new Transformer(SHAPE);
    expect(tf.memory().numTensors).toBeGreaterThan(before);
    transformer.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});
