/**
 * A text, read character by character: a transformer learns to say which comes next.
 *
 * The data is UTF-8 bytes, from a file or from the grammar. A sample is a window of `context` characters, and each of
 * its characters is a prediction: what follows is its target.
 */
import * as tf from "@tensorflow/tfjs-core";
import type { Scalar, Tensor } from "@tensorflow/tfjs-core";
import { HoldfastError } from "../errors";
import type { DataPreview } from "../format/dataset";
import type { Panel } from "../format/picture";
import type { Question } from "../format/question";
import type { Config } from "../format/run";
import { uniforms } from "../engine/random";
import type { LossContext, Model, ParameterSpec, Params, SamplePosition, Task } from "../engine/task";
import { charactersOf, joined } from "./characters";
import type { Characters } from "./characters";
import { sentences } from "./grammar";
import { crossEntropy, NO_DROPOUT, rowLosses } from "./layers";
import { TEXT } from "./infos/text";
import { settingsOf } from "./settings";
import type { Settings } from "./settings";
import { Transformer } from "./transformer";
import { valuesOf } from "./values";
import { windowsOf } from "./windows";
import type { Windows } from "./windows";

/** Held-out windows that an evaluation reads at most. */
const EVALUATION_WINDOWS = 32;
/** Characters that a picture writes, and held-out ones that it marks. */
const PICTURE_CHARACTERS = 160;
/** Of a text that a person brought, to look at. */
const EXCERPT_CHARACTERS = 400;
const TEMPERATURE = 0.8;
/** Beyond it all characters are nearly as likely. */
const HOTTEST = 10;
/** Each takes a pass through the model. */
const MOST_WRITTEN = 2000;
const MAX_BYTES = TEXT.file?.maxBytes ?? 0;

/** The task: a decoder-only transformer on characters. */
export const text: Task = {
  info: TEXT,

  generate(config, seed) {
    return sentences(settingsOf(TEXT, config).number("characters"), seed);
  },

  read: (files) => Promise.resolve(joined(files)),

  preview(bytes): DataPreview {
    const { alphabet, ids } = charactersOf(bytes, MAX_BYTES);
    const excerpt = Array.from(ids.subarray(0, EXCERPT_CHARACTERS), (id) => alphabet[id] ?? "").join("");
    return {
      notes: [`${ids.length} characters, ${alphabet.length} different ones. The last tenth is held out.`],
      panels: [{ kind: "text", title: "How it begins", text: excerpt }],
    };
  },

  inspect(bytes, config): Config {
    const context = settingsOf(TEXT, config).number("context");
    const { alphabet, ids } = charactersOf(bytes, MAX_BYTES);
    const { trainCharacters, heldOutCharacters } = windowsOf(ids.length, context, 0);
    return {
      kind: "characters",
      vocabulary: alphabet.join(""),
      vocabularySize: alphabet.length,
      trainCharacters,
      heldOutCharacters,
      window: context,
    };
  },

  build(config, bytes, seed) {
    return new TextModel(settingsOf(TEXT, config), charactersOf(bytes, MAX_BYTES), seed);
  },
};

class TextModel implements Model {
  readonly parameters: readonly ParameterSpec[];
  readonly samplesPerEpoch: number;
  readonly #context: number;
  readonly #batchSize: number;
  readonly #characters: Characters;
  readonly #windows: Windows;
  readonly #seed: number;
  readonly #transformer: Transformer;

  constructor(settings: Settings, characters: Characters, seed: number) {
    this.#context = settings.number("context");
    this.#batchSize = settings.number("batchSize");
    this.#characters = characters;
    this.#windows = windowsOf(characters.ids.length, this.#context, seed);
    this.#seed = seed;
    this.#transformer = new Transformer({
      vocabulary: characters.alphabet.length,
      context: this.#context,
      layers: settings.number("layers"),
      heads: settings.number("heads"),
      headWidth: settings.number("headWidth"),
      activation: settings.choice("activation") === "gelu" ? "gelu" : "relu",
      tied: settings.on("tied"),
      dropout: settings.number("dropout"),
    });
    this.parameters = this.#transformer.parameters;
    this.samplesPerEpoch = this.#windows.perEpoch;
  }

  batch(samples: readonly SamplePosition[]): readonly Tensor[] {
    return this.#batchAt(samples.map((sample) => this.#windows.offsetOf(sample)));
  }

  loss(params: Params, batch: readonly Tensor[], context: LossContext): Scalar {
    const [inputs, targets] = two(batch);
    const logits = this.#transformer.logits(params, this.#transformer.hidden(params, inputs, context));
    return crossEntropy(logits, this.#transformer.oneHot(targets));
  }

  async evaluate(params: Params): Promise<Readonly<Record<string, number>>> {
    const losses = await this.#heldOutLosses(params, this.#windows.heldOut(EVALUATION_WINDOWS));
    const mean = losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
    return { val_loss: mean, val_bits_per_character: mean / Math.LN2 };
  }

  async picture(params: Params, step: number): ReturnType<Model["picture"]> {
    const offset = this.#windows.trainCharacters;
    const count = Math.min(Math.ceil(PICTURE_CHARACTERS / this.#context), this.#windows.heldOutWindows);
    const stretch = Array.from({ length: count }, (_, i) => offset + i * this.#context);
    const losses = (await this.#heldOutLosses(params, stretch)).slice(0, PICTURE_CHARACTERS);
    return {
      step,
      panels: [
        {
          kind: "text",
          title: "Sample",
          note: `temperature ${TEMPERATURE}`,
          text: await this.#sample(params, step),
        },
        {
          kind: "text",
          title: "Held-out text",
          note: "the redder, the less it was expected",
          text: this.#spell(this.#characters.ids.subarray(offset + 1, offset + 1 + losses.length)),
          losses,
        },
      ],
    };
  }

  async respond(params: Params, question: Question): Promise<readonly Panel[]> {
    if (question.kind !== "text") throw new HoldfastError("invalid", "This model is asked with a text.");
    const { prompt, temperature, topK, characters, seed } = question;
    if (!(temperature > 0 && temperature <= HOTTEST) || !(Number.isInteger(topK) && topK >= 0)) {
      throw new HoldfastError(
        "invalid",
        `Temperature ${temperature} and top-k ${topK} are none to write with; give a temperature above 0, at most ${HOTTEST}, and a whole top-k from 0 on.`,
      );
    }
    if (!(Number.isInteger(characters) && characters >= 1 && characters <= MOST_WRITTEN))
      throw new HoldfastError("invalid", `Give a length from 1 to ${MOST_WRITTEN} characters.`);
    const begin = this.#read(prompt);
    const draws = uniforms(seed, "ask", 0, characters);
    return [
      {
        kind: "text",
        title: "It writes",
        text: await this.#write(params, begin, draws, { temperature, topK }),
      },
    ];
  }

  dispose(): void {
    this.#transformer.dispose();
  }

  #batchAt(offsets: readonly number[]): readonly [Tensor, Tensor] {
    const inputs = new Int32Array(offsets.length * this.#context);
    const targets = new Int32Array(inputs.length);
    for (const [row, offset] of offsets.entries()) {
      inputs.set(this.#characters.ids.subarray(offset, offset + this.#context), row * this.#context);
      targets.set(this.#characters.ids.subarray(offset + 1, offset + 1 + this.#context), row * this.#context);
    }
    return [tf.tensor1d(inputs, "int32"), tf.tensor1d(targets, "int32")];
  }

  /** The loss of each character of the windows at these offsets, in the order given. */
  async #heldOutLosses(params: Params, offsets: readonly number[]): Promise<Float32Array<ArrayBuffer>> {
    const losses = new Float32Array(offsets.length * this.#context);
    // By the batch, so that the device needs no more memory, and waits no longer, than for a step.
    for (let first = 0; first < offsets.length; first += this.#batchSize) {
      const part = await valuesOf(() => {
        const [inputs, targets] = this.#batchAt(offsets.slice(first, first + this.#batchSize));
        const logits = this.#transformer.logits(params, this.#transformer.hidden(params, inputs, NO_DROPOUT));
        return rowLosses(logits, this.#transformer.oneHot(targets));
      });
      losses.set(part, first * this.#context);
    }
    return losses;
  }

  #sample(params: Params, step: number): Promise<string> {
    const draws = uniforms(this.#seed, "sample", step, PICTURE_CHARACTERS);
    return this.#write(params, this.#read(""), draws, { temperature: TEMPERATURE, topK: 0 });
  }

  /** Where there is nothing to go on from, as if a line had just ended; in a text without line ends, the first character. */
  #read(prompt: string): readonly number[] {
    const { alphabet } = this.#characters;
    if (prompt === "") return [Math.max(alphabet.indexOf("\n"), 0)];
    const place = new Map(alphabet.map((character, i) => [character, i]));
    const unknown = [...new Set(prompt)].filter((character) => !place.has(character));
    if (unknown.length > 0) {
      throw new HoldfastError(
        "invalid",
        `The text that it learnt from has no ${unknown.map((character) => `“${character}”`).join(", ")}; leave that out.`,
      );
    }
    return Array.from(prompt, (character) => place.get(character) ?? 0);
  }

  /** What it writes behind `begin`, a character for each draw. */
  async #write(
    params: Params,
    begin: readonly number[],
    draws: Iterable<number>,
    how: { readonly temperature: number; readonly topK: number },
  ): Promise<string> {
    const written = [...begin];
    for (const draw of draws) {
      const seen = written.slice(-this.#context);
      const logits = await valuesOf(() => {
        // Filled up with zeros, which the mask hides: one shape, so that the device compiles its kernels once.
        const inputs = tf.tensor1d(
          Int32Array.from({ length: this.#context }, (_, i) => seen[i] ?? 0),
          "int32",
        );
        const hidden = this.#transformer.hidden(params, inputs, NO_DROPOUT);
        return this.#transformer.logits(params, tf.slice(hidden, [seen.length - 1, 0], [1, -1]));
      });
      written.push(drawn(logits, draw, how));
    }
    return this.#spell(written.slice(begin.length));
  }

  #spell(ids: Iterable<number>): string {
    return Array.from(ids, (id) => this.#characters.alphabet[id] ?? "").join("");
  }
}

/** The class that a uniform number in [0, 1) falls on, among the `topK` likeliest (0: all). */
function drawn(
  logits: Float32Array,
  draw: number,
  { temperature, topK }: { readonly temperature: number; readonly topK: number },
): number {
  const order = logits.toSorted((a, b) => b - a);
  const most = order[0] ?? -Infinity;
  const least = topK === 0 ? -Infinity : (order[Math.min(topK, order.length) - 1] ?? -Infinity);
  const shares = Array.from(logits, (logit) => (logit < least ? 0 : Math.exp((logit - most) / temperature)));
  let left = draw * shares.reduce((sum, share) => sum + share, 0);
  for (const [id, share] of shares.entries()) {
    left -= share;
    if (left < 0) return id;
  }
  return shares.length - 1;
}

function two(batch: readonly Tensor[]): readonly [Tensor, Tensor] {
  const [inputs, targets] = batch;
  if (!inputs || !targets)
    throw new HoldfastError("internal", "A batch of text is two tensors: inputs and targets.");
  return [inputs, targets];
}
