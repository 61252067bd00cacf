import * as tf from "@tensorflow/tfjs-core";
import { afterEach, beforeAll, expect, suite, test, vi } from "vitest";
import { samplesAt } from "../../src/engine/batches";
import * as random from "../../src/engine/random";
import type { Model, Params } from "../../src/engine/task";
import { hasCode } from "../../src/errors";
import type { Picture } from "../../src/format/picture";
import type { Question } from "../../src/format/question";
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
afterEach(() => {
  vi.restoreAllMocks();
});

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
      characters: 200,
      trainTokens: 180,
      heldOutTokens: 20,
      window: CONTEXT,
    });
  });

  test.each<[string, Uint8Array<ArrayBuffer>, RegExp]>([
    ["empty", new Uint8Array(), /empty/],
    [
      "too short for its context",
      new TextEncoder().encode("ab".repeat(24)),
      /48 tokens; a context of 16 needs at least 49/,
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

  test("what it writes is named by what it goes on from, and is a function of the question and the state", async () => {
    const model = modelOf(text, TINY);
    const [first, other] = [initialParams(model), initialParams(model, 2)];
    const write = async (params: Params, changes: Partial<Extract<Question, { kind: "text" }>>) => {
      const rest = { prompt: "the ", temperature: 0.8, topK: 0, characters: 30, seed: 1 };
      const [panel] = await present(model.respond?.bind(model))(params, {
        kind: "text",
        ...rest,
        ...changes,
      });
      return { note: panel?.note, text: panel?.kind === "text" ? panel.text : "" };
    };
    const told = await write(first, {});
    expect(told.note).toBe("from “the ”, temperature 0.8");
    expect(await write(first, {})).toEqual(told);
    // The controls: another seed, and another state.
    expect((await write(first, { seed: 2 })).text).not.toBe(told.text);
    expect((await write(other, {})).text).not.toBe(told.text);
    expect((await write(first, { prompt: "", topK: 3 })).note).toBe(
      "from a new line, temperature 0.8, top-k 3",
    );
    const long = await write(first, { prompt: `the\n${"a".repeat(30)} the end` });
    expect(long.note).toBe(`from “…e ${"a".repeat(30)} the end”, temperature 0.8`);
    tf.dispose([first, other]);
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

suite("text as byte pairs", () => {
  const MERGED = configOf(text, "tiny", { characters: 4000, merges: 60 });

  test("is learnt from, shown and written on", async () => {
    const model = modelOf(text, MERGED);
    const first = initialParams(model);
    const { tensors } = await train(model, { steps: 120, batchSize: BATCH });
    await withParams(tensors, async (params) => {
      const before = await model.evaluate(first);
      const after = await model.evaluate(params);
      expect(present(after["val_loss"])).toBeLessThan(present(before["val_loss"]) - 0.5);
      // A token is more than a character, and so is what it costs.
      expect(present(after["val_bits_per_character"])).toBeLessThan(
        (0.8 * present(after["val_loss"])) / Math.LN2,
      );
      const [sample, heldOut] = textsOf(await model.picture(params, 60));
      expect(Array.from(sample.text)).toHaveLength(160);
      expect(heldOut.text.length).toBeGreaterThan(200);
      expect(heldOut.losses).toHaveLength(heldOut.text.length);
      const question = { kind: "text", temperature: 0.8, topK: 5, characters: 50, seed: 1 } as const;
      const [answer] = await present(model.respond?.bind(model))(params, { ...question, prompt: "the " });
      expect(answer?.kind === "text" ? answer.text : "").toHaveLength(50);
    });
    tf.dispose(first);
    model.dispose();
  });

  test("goes on from a beginning that ends in a space as it goes on from one before it", async () => {
    await withWriter(async (write) => {
      const unasked = await write("The gull", 30);
      expect(unasked).toMatch(/^ flies\. The/);
      expect(await write("The gull ", 29)).toBe(unasked.slice(1));
      expect(await write(" ", 30)).toHaveLength(30);
    });
  });

  test("behind a space it writes a word, also where what is likeliest begins with none", async () => {
    await withWriter(async (write) => {
      expect(await write("The gull flies", 1)).toBe(".");
      expect(await write("The gull flies ", 8)).toMatch(/^[A-Za-z]/);
    });
  });

  test("what rounding leaves of a draw falls on a token that can be drawn", async () => {
    await withWriter(async (write) => {
      const expected = await write("The gull ", 29);
      // A draw of the whole sum is used up by no share, as one is that rounding made too large.
      vi.spyOn(random, "uniforms").mockImplementation((_seed, _stream, _step, count) =>
        new Float32Array(count).fill(1),
      );
      expect(await write("The gull ", 29)).toBe(expected);
    });
  });

  test("its tokens are told as data, and shown before the run", () => {
    const bytes = text.generate(MERGED, 1);
    const told = text.inspect(bytes, MERGED);
    const characters = Array.from(new TextDecoder().decode(bytes)).length;
    expect(told).toMatchObject({ kind: "byte pairs", characters });
    const tokens: unknown = JSON.parse(String(told["vocabulary"]));
    expect(tokens).toHaveLength(Number(told["vocabularySize"]));
    expect(Number(told["trainTokens"]) + Number(told["heldOutTokens"])).toBeLessThan(characters / 1.5);
    const preview = present(text.preview)(bytes, MERGED);
    expect(preview.panels.map(({ title }) => title)).toEqual(["How it begins", "Its longest tokens"]);
    expect(preview.notes[0]).toContain(`tokens of ${String(told["vocabularySize"])}`);
  });

  test("a run that was made before there were merges is one of characters", () => {
    const { merges, ...before } = TINY;
    expect(merges).toBe(0);
    const bytes = text.generate(before, 1);
    expect(text.inspect(bytes, before)).toEqual(text.inspect(bytes, TINY));
    expect(modelOf(text, before).parameters).toEqual(modelOf(text, TINY).parameters);
  });
});

/** What a model that learnt two sentences by heart writes, each token the likeliest. */
async function withWriter(
  work: (write: (prompt: string, characters: number) => Promise<string>) => Promise<void>,
): Promise<void> {
  const bytes = new TextEncoder().encode("The seal swims. The gull flies. ".repeat(60));
  const model = text.build(configOf(text, "tiny", { merges: 40 }), bytes, 1);
  const { tensors } = await train(model, { steps: 80, batchSize: BATCH });
  await withParams(tensors, (params) =>
    work(async (prompt, characters) => {
      const question = { kind: "text", prompt, temperature: 0.8, topK: 1, characters, seed: 1 } as const;
      const [answer] = await present(model.respond?.bind(model))(params, question);
      return answer?.kind === "text" ? answer.text : "";
    }),
  );
  model.dispose();
}

/** The sample and the held-out text. */
function textsOf({
  panels,
}: Picture): readonly [{ readonly text: string }, { readonly text: string; readonly losses: Float32Array }] {
  const [sample, heldOut] = panels;
  if (sample?.kind !== "text" || heldOut?.kind !== "text") throw new Error("Expected two texts.");
  return [sample, { text: heldOut.text, losses: present(heldOut.losses) }];
}
