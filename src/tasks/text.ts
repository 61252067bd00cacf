/**
 * A text, read token by token: a transformer learns to say which comes next.
 *
 * The data is UTF-8 bytes, from a file or from the grammar; a token is a character, or several (byte-pairs.ts). A sample is
 * a window of `context` tokens, and each of them is a prediction: what follows is its target.
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
import { vocabularyOf } from "./byte-pairs";
import type { Vocabulary } from "./byte-pairs";
import { givenText, joined } from "./given-text";
import { sentences } from "./grammar";
import { crossEntropy, NO_DROPOUT, rowLosses } from "./layers";
import { TEXT } from "./infos/text";
import { remembered } from "./remembered";
import { settingsOf } from "./settings";
import type { Settings } from "./settings";
import { Transformer } from "./transformer";
import { valuesOf } from "./values";
import { windowsOf } from "./windows";
import type { Windows } from "./windows";

/** Held-out windows that an evaluation reads at most. */
const EVALUATION_WINDOWS = 32;
/** Tokens that a picture writes, and held-out ones that it marks. */
const PICTURE_TOKENS = 160;
/** Of a text that a person brought, to look at. */
const EXCERPT_CHARACTERS = 400;
/** Of a prompt, where it is named: its end is what is gone on from. */
const PROMPT_CHARACTERS = 40;
const TEMPERATURE = 0.8;
/** Beyond it all characters are nearly as likely. */
const HOTTEST = 10;
/** Each takes a pass through the model. */
const MOST_WRITTEN = 2000;
const MAX_BYTES = TEXT.file?.maxBytes ?? 0;
/** Of what was merged, to look at. */
const SHOWN_TOKENS = 40;

/** The task: a decoder-only transformer on characters. */
export const text: Task = {
  info: TEXT,

  generate(config, seed) {
    return sentences(settingsOf(TEXT, config).number("characters"), seed);
  },

  read: (files) => Promise.resolve(joined(files)),

  preview(bytes, config): DataPreview {
    const { characters, vocabulary, ids, beginning } = tokenised(bytes, settingsOf(TEXT, config));
    const { alphabet, tokens } = vocabulary;
    const counted = `${characters.toLocaleString("en")} characters, ${alphabet.toLocaleString("en")} different ones`;
    const isMerged = tokens.length > alphabet;
    const longest = tokens
      .slice(alphabet)
      .sort((a, b) => b.length - a.length)
      .slice(0, SHOWN_TOKENS);
    return {
      notes: [
        `${counted}${isMerged ? `, as ${ids.length.toLocaleString("en")} tokens of ${tokens.length.toLocaleString("en")}` : ""}. The last tenth is held out.`,
      ],
      panels: [
        { kind: "text", title: "How it begins", text: beginning },
        ...(isMerged
          ? [{ kind: "text" as const, title: "Its longest tokens", text: longest.join("  ") }]
          : []),
      ],
    };
  },

  inspect(bytes, config): Config {
    const settings = settingsOf(TEXT, config);
    const context = settings.number("context");
    const { characters, vocabulary, ids } = tokenised(bytes, settings);
    const { alphabet, tokens } = vocabulary;
    const { trainTokens, heldOutTokens } = windowsOf(ids.length, context, 0);
    const isMerged = tokens.length > alphabet;
    return {
      kind: isMerged ? "byte pairs" : "characters",
      // A token may contain any character: there is none to put between them.
      vocabulary: isMerged ? JSON.stringify(tokens) : tokens.join(""),
      vocabularySize: tokens.length,
      characters,
      trainTokens,
      heldOutTokens,
      window: context,
    };
  },

  build(config, bytes, seed) {
    const settings = settingsOf(TEXT, config);
    return new TextModel(settings, tokenised(bytes, settings), seed);
  },
};

interface Tokenised {
  readonly vocabulary: Vocabulary;
  readonly ids: Uint16Array<ArrayBuffer>;
  readonly characters: number;
  readonly beginning: string;
}

/** Learning the pairs takes seconds for a megabyte. */
const tokenised = remembered(
  (settings) => String(settings.number("merges")),
  (bytes, settings): Tokenised => {
    const { text: given, alphabet } = givenText(bytes, MAX_BYTES);
    const vocabulary = vocabularyOf(given, alphabet, settings.number("merges"));
    const ids = Uint16Array.from(vocabulary.encode(given));
    const lengths = vocabulary.tokens.map(lengthOf);
    const characters = ids.reduce((sum, id) => sum + (lengths[id] ?? 0), 0);
    const beginning = Array.from(given.slice(0, 2 * EXCERPT_CHARACTERS))
      .slice(0, EXCERPT_CHARACTERS)
      .join("");
    return { vocabulary, ids, characters, beginning };
  },
);

/** In characters: code points. */
function lengthOf(token: string): number {
  return Array.from(token).length;
}

class TextModel implements Model {
  readonly parameters: readonly ParameterSpec[];
  readonly samplesPerEpoch: number;
  readonly #context: number;
  readonly #batchSize: number;
  readonly #vocabulary: Vocabulary;
  readonly #ids: Uint16Array<ArrayBuffer>;
  readonly #windows: Windows;
  readonly #seed: number;
  readonly #transformer: Transformer;

  constructor(settings: Settings, { vocabulary, ids }: Tokenised, seed: number) {
    this.#context = settings.number("context");
    this.#batchSize = settings.number("batchSize");
    this.#vocabulary = vocabulary;
    this.#ids = ids;
    this.#windows = windowsOf(ids.length, this.#context, seed);
    this.#seed = seed;
    this.#transformer = new Transformer({
      vocabulary: vocabulary.tokens.length,
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
    const offsets = this.#windows.heldOut(EVALUATION_WINDOWS);
    const losses = await this.#heldOutLosses(params, offsets);
    const sum = losses.reduce((before, loss) => before + loss, 0);
    const read = offsets.reduce(
      (before, offset) => before + lengthOf(this.#spell(this.#targetsAt(offset))),
      0,
    );
    return { val_loss: sum / losses.length, val_bits_per_character: sum / read / Math.LN2 };
  }

  async picture(params: Params, step: number): ReturnType<Model["picture"]> {
    const offset = this.#windows.trainTokens;
    const count = Math.min(Math.ceil(PICTURE_TOKENS / this.#context), this.#windows.heldOutWindows);
    const stretch = Array.from({ length: count }, (_, i) => offset + i * this.#context);
    const losses = (await this.#heldOutLosses(params, stretch)).slice(0, PICTURE_TOKENS);
    const shown = Array.from(this.#ids.subarray(offset + 1, offset + 1 + losses.length), (id) =>
      this.#spell([id]),
    );
    return {
      step,
      panels: [
        {
          kind: "text",
          title: "Sample",
          note: `${this.#beginWords("")}, temperature ${TEMPERATURE}`,
          text: await this.#sample(params, step),
        },
        {
          kind: "text",
          title: "Held-out text",
          note: "the redder, the less it was expected",
          text: shown.join(""),
          // A token's surprise is shared by its characters.
          losses: Float32Array.from(
            shown.flatMap((token, at) => Array.from(token, () => (losses[at] ?? 0) / lengthOf(token))),
          ),
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
    const open = this.#vocabulary.openEnd(prompt);
    const begin = this.#read(prompt.slice(0, prompt.length - open.length));
    const draws = uniforms(seed, "ask", 0, open.length + characters);
    const written = await this.#write(params, begin, draws, { temperature, topK, open });
    return [
      {
        kind: "text",
        title: "It writes",
        note: `${this.#beginWords(prompt)}, temperature ${temperature}${topK === 0 ? "" : `, top-k ${topK}`}`,
        text: written.slice(open.length),
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
      inputs.set(this.#ids.subarray(offset, offset + this.#context), row * this.#context);
      targets.set(this.#targetsAt(offset), row * this.#context);
    }
    return [tf.tensor1d(inputs, "int32"), tf.tensor1d(targets, "int32")];
  }

  #targetsAt(offset: number): Uint16Array {
    return this.#ids.subarray(offset + 1, offset + 1 + this.#context);
  }

  /** The loss of each token of the windows at these offsets, in the order given. */
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
    const draws = uniforms(this.#seed, "sample", step, PICTURE_TOKENS);
    return this.#write(params, this.#read(""), draws, { temperature: TEMPERATURE, topK: 0, open: "" });
  }

  /** Where there is nothing to go on from, as if a line had just ended; in a text without line ends, the first token. */
  #read(prompt: string): readonly number[] {
    return prompt === ""
      ? [Math.max(this.#vocabulary.tokens.indexOf("\n"), 0)]
      : this.#vocabulary.encode(prompt);
  }

  /** What it goes on from, as short as a heading. */
  #beginWords(prompt: string): string {
    const begin = prompt === "" ? this.#spell(this.#read("")) : prompt;
    if (begin === "\n") return "from a new line";
    const characters = Array.from(begin.replaceAll("\n", " "));
    const isCut = characters.length > PROMPT_CHARACTERS;
    return `from “${isCut ? "…" : ""}${characters.slice(-PROMPT_CHARACTERS).join("")}”`;
  }

  /**
   * What it writes behind `begin`, as many characters as there are draws. The first token is one that begins with `open`, drawn by what the
   * model gives for those alone: as if it had been told that this is what follows.
   */
  async #write(
    params: Params,
    begin: readonly number[],
    draws: Float32Array,
    { open, ...how }: { readonly temperature: number; readonly topK: number; readonly open: string },
  ): Promise<string> {
    const written = [...begin];
    const characters: string[] = [];
    for (const draw of draws) {
      if (characters.length >= draws.length) break;
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
      const isFirst = written.length === begin.length;
      const id = drawn(isFirst ? this.#beginningWith(open, logits) : logits, draw, how);
      written.push(id);
      characters.push(...Array.from(this.#spell([id])));
    }
    return characters.slice(0, draws.length).join("");
  }

  /** The logits of the tokens that begin with `open`; no other one can be drawn. */
  #beginningWith(open: string, logits: Float32Array): Float32Array {
    return logits.map((logit, id) =>
      this.#vocabulary.tokens[id]?.startsWith(open) === true ? logit : -Infinity,
    );
  }

  #spell(ids: Iterable<number>): string {
    return Array.from(ids, (id) => this.#vocabulary.tokens[id] ?? "").join("");
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
  // What rounding leaves over is the last one's that can be drawn.
  return Math.max(
    shares.findLastIndex((share) => share > 0),
    0,
  );
}

function two(batch: readonly Tensor[]): readonly [Tensor, Tensor] {
  const [inputs, targets] = batch;
  if (!inputs || !targets)
    throw new HoldfastError("internal", "A batch of text is two tensors: inputs and targets.");
  return [inputs, targets];
}
