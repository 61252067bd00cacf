import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { gunzipSync } from "node:zlib";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, expect, suite, test } from "vitest";
import { samplesAt } from "../../src/engine/batches";
import { digits } from "../../src/tasks/digits";
import { drawnDigits } from "../../src/tasks/drawn-digits";
import { readImageSet, writeImageSet } from "../../src/tasks/image-set";
import { configOf, initialParams, modelOf, openCpu, panelOf, present, train, withParams } from "./trial";

const SMALL = configOf(digits, "tiny", { filters: 2, hidden: 8, batchSize: 8, count: 60 });
const MNIST = resolve(import.meta.dirname, "../../../shared/data");

beforeAll(async () => {
  await openCpu();
});

suite("drawn digits", () => {
  test("are a function of seed and place, each another", () => {
    const few = drawnDigits(30, 1);
    expect(drawnDigits(60, 1).pixels.subarray(0, few.pixels.length)).toEqual(few.pixels);
    expect(drawnDigits(30, 2).pixels).not.toEqual(few.pixels);
    const images = Array.from({ length: 30 }, (_, i) => few.pixels.subarray(784 * i, 784 * (i + 1)).join());
    expect(new Set(images).size).toBe(30);
    expect([...few.labels.subarray(8, 12)]).toEqual([8, 9, 0, 1]);
  });

  test.each([
    {},
    { split: "last" },
    { heldOut: 90 },
    { heldOut: 90, count: 400 },
    { split: "last", heldOut: 90 },
  ])("are checked before they are drawn as they are once they are there: %o", (changes) => {
    const config = { ...SMALL, ...changes };
    const told = (inspect: () => unknown): unknown => {
      try {
        return inspect();
      } catch (error) {
        return String(error);
      }
    };
    const once = told(() => digits.inspect(digits.generate(config, 1), config));
    expect(told(() => digits.inspectMadeUp?.(config, 1))).toEqual(once);
  });

  test("stay on the paper: ink in the middle, none at the edge", () => {
    const { pixels } = drawnDigits(200, 3);
    const isEdge = (i: number): boolean => i < 28 || i >= 756 || i % 28 === 0 || i % 28 === 27;
    let edge = 0;
    let all = 0;
    for (const [i, value] of pixels.entries()) {
      if (value < 128) continue;
      all += 1;
      if (isEdge(i % 784)) edge += 1;
    }
    expect(all / 200).toBeGreaterThan(40);
    expect(edge / all).toBeLessThan(0.005);
  });
});

suite("images", () => {
  test("are parted at random, or the last are held out; a fork with another seed parts them the same", () => {
    const bytes = digits.generate(SMALL, 1);
    expect(digits.inspect(bytes, SMALL)).toEqual({
      kind: "images",
      width: 28,
      height: 28,
      channels: 1,
      classes: "0, 1, 2, 3, 4, 5, 6, 7, 8, 9",
      trainImages: 48,
      heldOutImages: 12,
    });
    const unmoved = { ...SMALL, shift: 0 };
    /** Which images an epoch shows, by their pixels. */
    const seen = (config: typeof SMALL, seed: number): readonly string[] => {
      const model = digits.build(config, bytes, seed);
      const batch = model.batch(samplesAt(0, 48, 48, seed));
      const rows = tf.tidy(() => tf.reshape(present(batch[0]), [48, 784]).arraySync()) as number[][];
      tf.dispose([...batch]);
      return rows.map((row) => row.map((value) => Math.round(255 * value)).join());
    };
    const all = Array.from({ length: 60 }, (_, i) =>
      readImageSet(bytes)
        .pixels.subarray(784 * i, 784 * (i + 1))
        .join(),
    );
    expect(new Set(seen({ ...unmoved, split: "last" }, 1))).toEqual(new Set(all.slice(0, 48)));
    const first = new Set(seen(unmoved, 1));
    expect(first.size).toBe(48);
    expect([...first].every((image) => all.includes(image))).toBe(true);
    expect(first).not.toEqual(new Set(all.slice(0, 48)));
    // A fork may have another seed: it shall not be tested on what its parent has learnt from.
    expect(new Set(seen(unmoved, 2))).toEqual(first);
  });

  test("are moved by whole pixels, each time anew, and black comes in", () => {
    const set = drawnDigits(60, 1);
    const bytes = writeImageSet({ ...set, pixels: set.pixels.fill(255) });
    const model = digits.build({ ...SMALL, shift: 2 }, bytes, 1);
    const at = (position: number): readonly number[] => {
      const batch = model.batch(samplesAt(position, 48, 48, 1));
      const lit = tf.tidy(() => tf.sum(present(batch[0]), [1, 2, 3]).arraySync()) as number[];
      tf.dispose([...batch]);
      return lit;
    };
    const [first, second] = [at(0), at(48)];
    expect(new Set(first).size).toBeGreaterThan(3);
    expect(first.every((lit) => [28, 27, 26].some((a) => [28, 27, 26].some((b) => a * b === lit)))).toBe(
      true,
    );
    expect(second).not.toEqual(first);
    expect(at(0)).toEqual(first);
  });

  test("too few are refused", () => {
    const set = drawnDigits(9, 1);
    expect(() => digits.inspect(writeImageSet(set), SMALL)).toThrow(
      /There are 9 images of 10 classes; at least 10/,
    );
  });

  test("a class that is held out to the last image is refused, and named", () => {
    const set = drawnDigits(60, 1);
    // Sorted by class, as the images of folders are, the last part is the last class.
    const order = [...set.labels.keys()].sort((a, b) => (set.labels[a] ?? 0) - (set.labels[b] ?? 0));
    const labels = Uint16Array.from(order, (image) => set.labels[image] ?? 0);
    const bytes = writeImageSet({ ...set, labels });
    expect(() => digits.inspect(bytes, { ...SMALL, split: "last" })).toThrow(
      /The class “8” is left out of the training: all its 6 images are held out\. Add images of it \(more digits, where they are drawn\), or hold out fewer/,
    );
    const one = writeImageSet({
      ...set,
      labels: labels.map((label) => (label === 9 ? 8 : label)).fill(9, 59),
    });
    expect(() => digits.inspect(one, { ...SMALL, split: "last", heldOut: 2 })).toThrow(
      /“9” is left out of the training: its only image is held out/,
    );
    // Controls: drawn at random; and a class without any image, as a number that no label has.
    expect(() => digits.inspect(bytes, SMALL)).not.toThrow();
    const gap = writeImageSet({ ...set, labels: labels.map((label) => (label === 3 ? 4 : label)) });
    expect(() => digits.inspect(gap, SMALL)).not.toThrow();
  });

  test("too small ones are refused", () => {
    const tiny = { ...drawnDigits(60, 1), width: 3, height: 1, pixels: new Uint8Array(180) };
    const wrong = /3 × 1; at least 4 pixels/;
    expect(() => digits.inspect(writeImageSet(tiny), SMALL)).toThrow(wrong);
    expect(() => digits.build(SMALL, writeImageSet(tiny), 1)).toThrow(wrong);
  });

  test("are shown before anything is trained: the first of each class, and how many there are", () => {
    const { notes, panels } = digits.preview?.(digits.generate(SMALL, 1), SMALL) ?? { notes: [], panels: [] };
    expect(notes).toEqual(["60 images of 28 × 28, grey, 10 classes."]);
    const images = panelOf({ step: 0, panels }, "images");
    expect(images.captions.slice(0, 4)).toEqual(["0", "0", "1", "1"]);
    expect(panelOf({ step: 0, panels }, "bars").bars[3]).toEqual({ name: "3", value: 6 });
  });
});

suite("the model", () => {
  // The CPU backend's convolutions are plain loops.
  test("learns to tell the digits apart, and its pictures say so", { timeout: 120_000 }, async () => {
    const config = { ...SMALL, filters: 4, hidden: 24, count: 400, shift: 0, dropout: 0 };
    const model = modelOf(digits, config);
    const { tensors } = await train(model, { steps: 60, batchSize: 16, optimizer: { learningRate: 0.005 } });
    const first = initialParams(model);
    expect(present((await model.evaluate(first))["val_accuracy"])).toBeLessThan(0.3);
    await withParams(tensors, async (params) => {
      const { val_accuracy: accuracy = 0 } = await model.evaluate(params);
      expect(accuracy).toBeGreaterThan(0.6);
      const picture = await model.picture(params, 60);
      const answers = present(await model.answers?.(params));
      if (answers.kind !== "classes") throw new Error("Expected classes.");
      const { right: labels, given } = answers;
      expect(labels.filter((label, i) => label === given[i]).length / labels.length).toBeCloseTo(
        accuracy,
        10,
      );
      const { counts } = panelOf(picture, "confusion");
      const right = Array.from({ length: 10 }, (_, i) => counts[11 * i] ?? 0).reduce(
        (sum, one) => sum + one,
        0,
      );
      expect(counts.reduce((sum, one) => sum + one, 0)).toBe(80);
      expect(right / 80).toBeCloseTo(accuracy, 10);
      const mistakes = picture.panels.find(({ title }) => title === "Worst mistakes");
      if (mistakes?.kind === "images") expect(mistakes.captions[0]).toMatch(/^\d, said \d \(\d+\u00a0%\)$/);
      else expect(accuracy).toBe(1);
    });
    tf.dispose(first);
    model.dispose();
  });
});

test.skipIf(!existsSync(MNIST))("MNIST comes in as its two files", async () => {
  const files = ["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"].map((path) => ({
    path,
    bytes: new Uint8Array(gunzipSync(readFileSync(resolve(MNIST, `${path}.gz`)))),
  }));
  const { bytes, notes } = await present(digits.read)(files);
  expect(notes).toEqual([]);
  expect(digits.inspect(bytes, { ...SMALL, split: "last" })).toMatchObject({
    width: 28,
    trainImages: 8000,
    heldOutImages: 2000,
  });
  // The first digits of that file, as everybody knows them.
  expect([...readImageSet(bytes).labels.subarray(0, 5)]).toEqual([7, 2, 1, 0, 4]);
});
