import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, expect, suite, test } from "vitest";
import { samplesAt } from "../../src/engine/batches";
import type { Model } from "../../src/engine/task";
import { hasCode } from "../../src/errors";
import type { Picture } from "../../src/format/picture";
import type { OptimizerKind } from "../../src/format/run";
import { text } from "../../src/tasks/text";
import { configOf, initialParams, meanOf, modelOf, openCpu, present, train, withParams } from "./trial";

const TINY = configOf(text, "tiny", { characters: 4000 });
const BATCH = 4;
const CONTEXT = 16;

/** Rates at which each optimizer learns in a few steps. */
const RATES: readonly [OptimizerKind, number][] = [
  ["sgd", 0.3],
  ["momentum", 0.1],
  ["rmsprop", 0.005],
  ["adam", 0.01],
  ["adamw", 0.01],
];

function batchOf(model: Model, step = 0): readonly tf.Tensor[] {
  return model.batch(samplesAt(step * BATCH, BATCH, model.samplesPerEpoch, 1));
}

beforeAll(openCpu);

suite("text learns", () => {
  test.each(RATES)("with %s the loss falls well below that of a guess", async (kind, learningRate) => {
    const model = modelOf(text, TINY);
    const { losses } = await train(model, { steps: 40, batchSize: BATCH, optimizer: { kind, learningRate } });
    const guess = Math.log(45);
    expect(losses[0]).toBeGreaterThan(guess - 0.5);
    expect(losses[0]).toBeLessThan(guess + 0.5);
    expect(meanOf(losses.slice(-10))).toBeLessThan(guess - 0.5);
    model.dispose();
  });
});

suite("data of text", () => {
  test("the same seed gives the same bytes and batches", async () => {
    expect(text.generate(TINY, 4)).toEqual(text.generate(TINY, 4));
    expect(text.generate(TINY, 5)).not.toEqual(text.generate(TINY, 4));
    const model = modelOf(text, TINY);
    const [inputs, targets] = batchOf(model, 2).map((tensor) => tensor.dataSync());
    expect(batchOf(modelOf(text, TINY), 2).map((tensor) => tensor.dataSync())).toEqual([inputs, targets]);
    for (let row = 0; row < BATCH; row++) {
      const places = [row * CONTEXT, (row + 1) * CONTEXT] as const;
      expect(present(targets).slice(places[0], places[1] - 1)).toEqual(
        present(inputs).slice(places[0] + 1, places[1]),
      );
    }
  });

  test("what was found out about a file is told as data", () => {
    const bytes = new TextEncoder().encode("abc\n".repeat(50));
    expect(text.inspect(bytes, TINY)).toEqual({
      kind: "characters",
      vocabulary: "\nabc",
      vocabularySize: 4,
      trainCharacters: 180,
      heldOutCharacters: 20,
      window: CONTEXT,
    });
  });

  test.each<[string, Uint8Array<ArrayBuffer>, RegExp]>([
    ["empty", new Uint8Array(), /empty/],
    [
      "too short for its context",
      new TextEncoder().encode("ab".repeat(24)),
      /48 characters; a context of 16 needs at least 49/,
    ],
    ["one character only", new TextEncoder().encode("a".repeat(100)), /only one character/],
    ["binary", Uint8Array.of(1, 2, 0), /byte 2 is zero/],
    ["over 4 MiB", new Uint8Array(4 * 1024 * 1024 + 1).fill(0x61), /at most 4 MiB/],
  ])("a file that is %s is refused", (_, bytes, message) => {
    for (const attempt of [() => text.inspect(bytes, TINY), () => text.build(TINY, bytes, 1)]) {
      expect(attempt).toThrow(message);
      expect(attempt).toThrow(expect.toSatisfy((error) => hasCode(error, "invalid")));
    }
  });
});

suite("looking at text", () => {
  test("the held-out text is marked with the losses that the evaluation means", async () => {
    const model = modelOf(text, TINY);
    const params = initialParams(model);
    const metrics = await model.evaluate(params);
    const picture = await model.picture(params, 7);
    expect(metrics["val_bits_per_character"]).toBeCloseTo(present(metrics["val_loss"]) / Math.LN2, 10);
    const [sample, heldOut] = textsOf(picture);
    expect(Array.from(sample.text)).toHaveLength(160);
    expect(Array.from(heldOut.text)).toHaveLength(heldOut.losses.length);
    expect(new TextDecoder().decode(text.generate(TINY, 1))).toContain(heldOut.text);
    expect(Math.abs(meanOf(heldOut.losses) - present(metrics["val_loss"]))).toBeLessThan(0.2);
  });

  test("another step is another sample", async () => {
    const model = modelOf(text, TINY);
    const params = initialParams(model);
    const samples = await Promise.all(
      [7, 8].map(async (step) => ({ ...(await model.picture(params, step)), step: 0 })),
    );
    expect(samples[0]).not.toEqual(samples[1]);
    tf.dispose(params);
    model.dispose();
  });

  test("a trained model reads better than it did, and its loss is uneven over the text", async () => {
    const model = modelOf(text, TINY);
    const first = initialParams(model);
    const { tensors } = await train(model, { steps: 100, batchSize: BATCH });
    await withParams(tensors, async (params) => {
      const [before, after] = [await model.evaluate(first), await model.evaluate(params)];
      expect(present(after["val_loss"])).toBeLessThan(present(before["val_loss"]) - 1);
      const [sample, heldOut] = textsOf(await model.picture(params, 100));
      expect(sample.text).toContain(" ");
      expect(Math.max(...heldOut.losses)).toBeGreaterThan(2 * meanOf(heldOut.losses));
    });
    tf.dispose(first);
    model.dispose();
  });
});

/** The sample and the held-out text. */
function textsOf({
  panels,
}: Picture): readonly [{ readonly text: string }, { readonly text: string; readonly losses: Float32Array }] {
  const [sample, heldOut] = panels;
  if (sample?.kind !== "text" || heldOut?.kind !== "text") throw new Error("Expected two texts.");
  return [sample, { text: heldOut.text, losses: present(heldOut.losses) }];
}
