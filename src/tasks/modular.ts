/**
 * a + b modulo p, on which networks generalise suddenly and late (Power et al. 2022, "Grokking").
 *
 * The data is every pair a, b as uint16, little-endian, shuffled by the seed: the first share of them is learnt from,
 * the rest held out. The model is an embedding of each number, both side by side, and one hidden layer.
 */
import * as tf from "@tensorflow/tfjs-core";
import type { Scalar, Tensor, Tensor2D } from "@tensorflow/tfjs-core";
import { HoldfastError } from "../errors";
import type { Answers } from "../format/answers";
import { randomInteger } from "../engine/random";
import type { Model, ParameterSpec, Params, SamplePosition, Task } from "../engine/task";
import { spectrum } from "./fourier";
import { crossEntropy, dense, parameter, rowLosses } from "./layers";
import { MODULAR } from "./infos/modular";
import { settingsOf } from "./settings";
import type { Settings } from "./settings";
import { valuesOf } from "./values";

const PAIR_BYTES = 4;
/** Sums of either part that an evaluation looks at, at most. */
const EVALUATED = 4096;
/** Sums that go through the model at once where nothing is learnt. */
const AT_ONCE = 2048;

/** Frequencies of the spectrum that are told of together, half of all at most: a network that knows the rule is left with a few. */
const TALLEST = 5;

/** Red, green, blue of a sum in the picture: held out or learnt from, right or wrong. */
const COLOURS = {
  heldOut: { right: [11, 114, 133], wrong: [217, 119, 40] },
  learnt: { right: [150, 200, 208], wrong: [240, 208, 176] },
} as const;

/** The task: a network of one hidden layer on sums modulo p. */
export const modular: Task = {
  info: MODULAR,

  generate(config, seed) {
    const modulus = settingsOf(MODULAR, config).number("modulus");
    const order = Uint32Array.from({ length: modulus ** 2 }, (_, i) => i);
    // Fisher and Yates, each draw a function of the seed and its place.
    for (let i = order.length - 1; i > 0; i--) {
      const other = randomInteger(seed, "data/modular", 0, i, i + 1);
      const moved = order[i] ?? 0;
      order[i] = order[other] ?? 0;
      order[other] = moved;
    }
    const view = new DataView(new ArrayBuffer(order.length * PAIR_BYTES));
    for (const [i, pair] of order.entries()) {
      view.setUint16(i * PAIR_BYTES, Math.floor(pair / modulus), true);
      view.setUint16(i * PAIR_BYTES + 2, pair % modulus, true);
    }
    return new Uint8Array(view.buffer);
  },

  inspect(bytes, config) {
    const settings = settingsOf(MODULAR, config);
    const { training, heldOut } = partsOf(bytes, settings);
    return {
      kind: "pairs",
      modulus: settings.number("modulus"),
      trainPairs: training.length / 2,
      heldOutPairs: heldOut.length / 2,
    };
  },

  build(config, bytes) {
    return new ModularModel(settingsOf(MODULAR, config), bytes);
  },
};

class ModularModel implements Model {
  readonly parameters: readonly ParameterSpec[];
  readonly samplesPerEpoch: number;
  readonly #modulus: number;
  readonly #embedding: number;
  readonly #isSquare: boolean;
  /** a, b of each sum. */
  readonly #training: Uint16Array;
  readonly #heldOut: Uint16Array;

  constructor(settings: Settings, bytes: Uint8Array<ArrayBuffer>) {
    const { training, heldOut } = partsOf(bytes, settings);
    this.#modulus = settings.number("modulus");
    this.#embedding = settings.number("embedding");
    this.#isSquare = settings.choice("activation") === "square";
    this.#training = training;
    this.#heldOut = heldOut;
    this.samplesPerEpoch = training.length / 2;
    this.parameters = parametersOf(this.#modulus, this.#embedding, settings.number("width"));
  }

  batch(samples: readonly SamplePosition[]): readonly Tensor[] {
    const pairs = new Uint16Array(2 * samples.length);
    for (const [row, { index }] of samples.entries()) {
      pairs.set(this.#training.subarray(2 * index, 2 * index + 2), 2 * row);
    }
    return this.#tensorsOf(pairs);
  }

  loss(params: Params, batch: readonly Tensor[]): Scalar {
    const [numbers, sums] = two(batch);
    return crossEntropy(this.#logits(params, numbers), this.#oneHot(sums));
  }

  async evaluate(params: Params): Promise<Readonly<Record<string, number>>> {
    const heldOut = this.#heldOut.subarray(0, 2 * EVALUATED);
    const losses = await this.#through(heldOut, (numbers, sums) =>
      rowLosses(this.#logits(params, numbers), this.#oneHot(sums)),
    );
    return {
      val_loss: losses.reduce((sum, loss) => sum + loss, 0) / losses.length,
      val_accuracy: this.#rightIn(heldOut, await this.#answers(params, heldOut)),
      train_accuracy: this.#rightIn(
        this.#training.subarray(0, 2 * EVALUATED),
        await this.#answers(params, this.#training.subarray(0, 2 * EVALUATED)),
      ),
    };
  }

  async answers(params: Params): Promise<Answers> {
    const pairs = this.#heldOut.subarray(0, 2 * EVALUATED);
    const given = Int32Array.from(await this.#answers(params, pairs));
    const sums = Array.from(given, (_, i) => [pairs[2 * i] ?? 0, pairs[2 * i + 1] ?? 0] as const);
    return {
      kind: "classes",
      classes: Array.from({ length: this.#modulus }, (_, number) => String(number)),
      examples: sums.map(([a, b]) => `${a} + ${b}`),
      right: Int32Array.from(sums, ([a, b]) => (a + b) % this.#modulus),
      given,
    };
  }

  async picture(params: Params, step: number): ReturnType<Model["picture"]> {
    const pixels = new Uint8Array(3 * this.#modulus ** 2);
    for (const [part, pairs] of [
      ["learnt", this.#training],
      ["heldOut", this.#heldOut],
    ] as const) {
      const answers = await this.#answers(params, pairs);
      for (const [i, answer] of answers.entries()) {
        const [a, b] = [pairs[2 * i] ?? 0, pairs[2 * i + 1] ?? 0];
        const isRight = answer === (a + b) % this.#modulus;
        pixels.set(COLOURS[part][isRight ? "right" : "wrong"], 3 * (a * this.#modulus + b));
      }
    }
    const embedding = await valuesOf(() => tf.clone(parameter(params, "embedding/weight")));
    const shares = spectrum(embedding, this.#modulus, this.#embedding);
    return {
      step,
      panels: [
        {
          kind: "images",
          title: "Every sum",
          note: "row a, column b; blue is right, orange wrong, pale learnt from",
          width: this.#modulus,
          height: this.#modulus,
          channels: 3,
          pixels,
          captions: [""],
        },
        {
          kind: "columns",
          title: "Fourier spectrum of the numbers",
          note: tallestWords(shares),
          x: "frequency",
          y: "share of the power",
          first: 1,
          values: shares,
        },
      ],
    };
  }

  dispose(): void {
    // It keeps no tensors: each batch is made of the pairs.
  }

  /** a, b of each sum one after the other, and the sums; int32. */
  #tensorsOf(pairs: Uint16Array): readonly [Tensor, Tensor] {
    const sums = Int32Array.from({ length: pairs.length / 2 }, (_, i) => {
      return ((pairs[2 * i] ?? 0) + (pairs[2 * i + 1] ?? 0)) % this.#modulus;
    });
    return [tf.tensor1d(Int32Array.from(pairs), "int32"), tf.tensor1d(sums, "int32")];
  }

  /** [2 × sums] numbers → [sums, p] logits. */
  #logits(params: Params, numbers: Tensor): Tensor2D {
    // A product with one-hot rows and not `gather`, whose gradient adds in no fixed order on a GPU.
    const embedded = tf.matMul(this.#oneHot(numbers), parameter(params, "embedding/weight"));
    const inner = dense(params, "hidden", tf.reshape(embedded, [-1, 2 * this.#embedding]));
    return dense(params, "output", this.#isSquare ? tf.square(inner) : tf.relu(inner));
  }

  #oneHot(numbers: Tensor): Tensor2D {
    return tf.reshape(tf.oneHot(numbers, this.#modulus, 1, 0, "float32"), [-1, this.#modulus]);
  }

  #answers(params: Params, pairs: Uint16Array): Promise<Float32Array> {
    return this.#through(pairs, (numbers) => tf.argMax(this.#logits(params, numbers), 1));
  }

  /** One number for each sum, a part at a time so that the device needs no more memory however many there are. */
  async #through(
    pairs: Uint16Array,
    compute: (numbers: Tensor, sums: Tensor) => Tensor,
  ): Promise<Float32Array> {
    const values = new Float32Array(pairs.length / 2);
    for (let first = 0; first < values.length; first += AT_ONCE) {
      const part = pairs.subarray(2 * first, 2 * (first + AT_ONCE));
      values.set(await valuesOf(() => compute(...this.#tensorsOf(part))), first);
    }
    return values;
  }

  #rightIn(pairs: Uint16Array, answers: Float32Array): number {
    const right = answers.reduce((count, answer, i) => {
      return count + Number(answer === ((pairs[2 * i] ?? 0) + (pairs[2 * i + 1] ?? 0)) % this.#modulus);
    }, 0);
    return right / answers.length;
  }
}

/** How much the tallest few have, beside what they would have if all were alike: on the clock it is far more. */
function tallestWords(shares: Float32Array): string {
  const tallest = Math.min(TALLEST, Math.floor(shares.length / 2));
  const power = shares.toSorted((a, b) => b - a).slice(0, tallest);
  const percent = (share: number): string => `${Math.round(100 * share)} %`;
  const sum = power.reduce((before, share) => before + share, 0);
  return `the ${tallest} tallest of ${shares.length} have ${percent(sum)} of the power (${percent(tallest / shares.length)} if all were alike); nearly all once it has found the clock`;
}

function parametersOf(modulus: number, embedding: number, width: number): readonly ParameterSpec[] {
  return [
    {
      name: "embedding/weight",
      shape: [modulus, embedding],
      init: { kind: "normal", std: 1 / Math.sqrt(embedding) },
    },
    {
      name: "hidden/weight",
      shape: [2 * embedding, width],
      init: { kind: "normal", std: 1 / Math.sqrt(embedding) },
    },
    { name: "hidden/bias", shape: [width], init: { kind: "zeros" }, decay: false },
    {
      name: "output/weight",
      shape: [width, modulus],
      init: { kind: "normal", std: 1 / Math.sqrt(width) },
    },
    { name: "output/bias", shape: [modulus], init: { kind: "zeros" }, decay: false },
  ];
}

/** The pairs to learn from and those held out; at least one of each. */
function partsOf(
  bytes: Uint8Array<ArrayBuffer>,
  settings: Settings,
): { readonly training: Uint16Array; readonly heldOut: Uint16Array } {
  const modulus = settings.number("modulus");
  const count = modulus ** 2;
  if (bytes.length !== count * PAIR_BYTES) {
    throw new HoldfastError(
      "invalid",
      `The sums are ${bytes.length} bytes; for p = ${modulus} they must be ${count * PAIR_BYTES}.`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const pairs = Uint16Array.from({ length: 2 * count }, (_, i) => view.getUint16(2 * i, true));
  const beyond = pairs.findIndex((number) => number >= modulus);
  if (beyond !== -1) {
    throw new HoldfastError(
      "invalid",
      `Sum ${Math.floor(beyond / 2)} has the number ${pairs[beyond]}; below p = ${modulus} are needed.`,
    );
  }
  const learnt = Math.min(count - 1, Math.max(1, Math.round(settings.number("share") * count)));
  return { training: pairs.subarray(0, 2 * learnt), heldOut: pairs.subarray(2 * learnt) };
}

function two(batch: readonly Tensor[]): readonly [Tensor, Tensor] {
  const [numbers, sums] = batch;
  if (!numbers || !sums)
    throw new HoldfastError("internal", "A batch of sums is two tensors: numbers and sums.");
  return [numbers, sums];
}
