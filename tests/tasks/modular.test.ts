import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, expect, suite, test } from "vitest";
import { modular } from "../../src/tasks/modular";
import { configOf, initialParams, modelOf, openCpu, panelOf, present, train, withParams } from "./trial";

const P = 13;
const SMALL = configOf(modular, "tiny", {
  modulus: P,
  share: 0.8,
  embedding: 12,
  width: 48,
  batchSize: 64,
});
const BATCH = 64;

beforeAll(async () => {
  await openCpu();
});

suite("the sums", () => {
  test("are each there once, in an order that the seed decides", () => {
    const pairs = (seed: number): readonly number[] => {
      const view = new DataView(modular.generate(SMALL, seed).buffer);
      return Array.from(
        { length: P * P },
        (_, i) => view.getUint16(4 * i, true) * P + view.getUint16(4 * i + 2, true),
      );
    };
    expect(pairs(1).toSorted((a, b) => a - b)).toEqual(Array.from({ length: P * P }, (_, i) => i));
    expect(pairs(1)).toEqual(pairs(1));
    expect(pairs(1)).not.toEqual(pairs(2));
  });

  test("are parted by the share that is learnt from, and none is in both", () => {
    const bytes = modular.generate(SMALL, 1);
    expect(modular.inspect(bytes, SMALL)).toEqual({
      kind: "pairs",
      modulus: P,
      trainPairs: 135,
      heldOutPairs: 34,
    });
    expect(modular.inspect(bytes, { ...SMALL, share: 0.95 })).toMatchObject({ trainPairs: 161 });
  });

  test.each([
    ["cut off", (bytes: Uint8Array) => bytes.slice(0, -4), /are 672 bytes; for p = 13 they must be 676/],
    [
      "beyond p",
      (bytes: Uint8Array) => bytes.map((byte, i) => (i === 8 ? P : byte)),
      /Sum 2 has the number 13/,
    ],
  ])("%s are refused", (_, spoiled, said) => {
    const bytes = new Uint8Array(spoiled(modular.generate(SMALL, 1)));
    expect(() => modular.inspect(bytes, SMALL)).toThrow(said);
  });
});

suite("the model", () => {
  test("says the sum: weights that add on a clock by hand are right everywhere", async () => {
    // One-hot numbers, one neuron for each pair, which fires at its own pair alone.
    const config = { ...SMALL, embedding: P, width: P * P, activation: "relu" };
    const model = modelOf(modular, config);
    const hidden = tf.buffer([2 * P, P * P]);
    const output = tf.buffer([P * P, P]);
    for (let a = 0; a < P; a++) {
      for (let b = 0; b < P; b++) {
        hidden.set(1, a, a * P + b);
        hidden.set(1, P + b, a * P + b);
        output.set(10, a * P + b, (a + b) % P);
      }
    }
    const params = {
      "embedding/weight": tf.eye(P),
      "hidden/weight": hidden.toTensor(),
      "hidden/bias": tf.fill([P * P], -1),
      "output/weight": output.toTensor(),
      "output/bias": tf.zeros([P]),
    };
    const metrics = await model.evaluate(params);
    expect(metrics).toMatchObject({ val_accuracy: 1, train_accuracy: 1 });
    expect(metrics["val_loss"]).toBeCloseTo(Math.log(1 + (P - 1) * Math.exp(-10)), 5);
    const answers = present(await model.answers?.(params));
    if (answers.kind !== "classes") throw new Error("Expected classes.");
    expect(answers.given).toEqual(answers.right);
    for (const [i, example] of answers.examples.entries()) {
      const [a = 0, b = 0] = example.split(" + ").map(Number);
      expect(answers.classes[present(answers.right[i])]).toBe(String((a + b) % P));
    }
    const image = panelOf(await model.picture(params, 1), "images");
    const blues = image.pixels.filter((_, i) => i % 3 === 2);
    expect(blues.every((blue) => blue > 120)).toBe(true);
    // Control: one wrong answer is one point that is not blue, at its place.
    const wrong = output.toTensor().bufferSync();
    wrong.set(-10, 3 * P + 4, 7);
    const spoiled = panelOf(
      await model.picture({ ...params, "output/weight": wrong.toTensor() }, 1),
      "images",
    );
    const changed = Array.from(spoiled.pixels.keys()).filter((i) => spoiled.pixels[i] !== image.pixels[i]);
    expect(new Set(changed.map((i) => Math.floor(i / 3)))).toEqual(new Set([3 * P + 4]));
    tf.dispose(params);
    model.dispose();
  });

  test("learns by heart first, and the rule much later", async () => {
    const model = modelOf(modular, SMALL);
    const seen: { step: number; learnt: number; heldOut: number }[] = [];
    const { tensors } = await train(
      model,
      { steps: 400, batchSize: BATCH, optimizer: { learningRate: 0.01, weightDecay: 1 } },
      async (params, step) => {
        if (step % 25 !== 0) return;
        const { val_accuracy = 0, train_accuracy = 0 } = await model.evaluate(params);
        seen.push({ step, learnt: train_accuracy, heldOut: val_accuracy });
      },
    );
    const byHeart = present(seen.find(({ learnt }) => learnt > 0.9));
    expect(byHeart.heldOut).toBeLessThan(0.5);
    expect(present(seen.at(-1)).heldOut).toBeGreaterThan(0.9);
    // Its numbers lie on few circles then; at first they lie anywhere.
    const spectrumOf = async (params: Parameters<typeof model.picture>[0]) => {
      const { values, note = "" } = panelOf(await model.picture(params, 0), "columns");
      const inWords = /^the 3 tallest of 6 have (\d+) % of the power \(50 % if all were alike\)/.exec(note);
      const three = [...values].sort((a, b) => b - a).slice(0, 3);
      expect(Number(inWords?.[1])).toBe(Math.round(100 * three.reduce((sum, share) => sum + share, 0)));
      return { highest: Math.max(...values), told: Number(inWords?.[1]) };
    };
    const first = initialParams(model);
    await withParams(tensors, async (params) => {
      const [before, after] = [await spectrumOf(first), await spectrumOf(params)];
      expect(after.highest).toBeGreaterThan(1.5 * before.highest);
      expect(before.told).toBeLessThan(70);
      expect(after.told).toBeGreaterThan(90);
    });
    tf.dispose(first);
    model.dispose();
  });
});
