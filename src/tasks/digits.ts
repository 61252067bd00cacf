/**
 * Images of one size, told apart by a convolutional network: two layers of 3 × 3 filters with pooling, a hidden layer.
 *
 * The data is an image set (image-set.ts): drawn digits, MNIST's IDX files, or image files sorted by class.
 */
import * as tf from "@tensorflow/tfjs-core";
import type { Scalar, Tensor, Tensor2D, Tensor4D } from "@tensorflow/tfjs-core";
import { HoldfastError } from "../errors";
import { permuted } from "../engine/batches";
import { randomInteger } from "../engine/random";
import type { LossContext, Model, ParameterSpec, Params, SamplePosition, Task } from "../engine/task";
import type { Answers } from "../format/answers";
import type { Panel } from "../format/picture";
import type { Question } from "../format/question";
import { centred } from "./centred";
import { decodedImages } from "./decoded-images";
import { blankDigits, drawnDigits } from "./drawn-digits";
import { imagesOfIdx, isIdx } from "./idx";
import { readImageSet, writeImageSet, type ImageSet } from "./image-set";
import { DIGITS, LEAST_IMAGES } from "./infos/digits";
import { crossEntropy, dense, NO_DROPOUT, parameter } from "./layers";
import { settingsOf } from "./settings";
import type { Settings } from "./settings";
import { valuesOf } from "./values";

/** Pixels along each side of a filter. */
const FILTER = 3;
/** Layers of filters; each halves the image. */
const LAYERS = 2;
/** Of an image, so that something is left of it behind the layers. */
const LEAST_SIDE = 2 ** LAYERS;
/** The second layer has twice the filters of the first. */
const WIDER = 2;
/** Held-out images that an evaluation looks at, at most, and that go through the model at once. */
const EVALUATED = 2000;
const AT_ONCE = 250;
/** Wrong ones that a picture shows, the surest first. */
const MISTAKES = 12;
/** Of each class in a preview. */
const SHOWN = 2;
/** Classes in a preview's images, and in its counts. */
const SHOWN_CLASSES = 20;
/** Classes that an answer names. */
const ANSWERS = 5;
const WHITE = 255;
/** Not the run's seed: a fork may have another one, and would be tested on what its parent has learnt from. */
const SPLIT_SEED = 0;

/** The task: a small convolutional network. */
export const digits: Task = {
  info: DIGITS,

  generate(config, seed) {
    return writeImageSet(drawnDigits(settingsOf(DIGITS, config).number("count"), seed));
  },

  async read(files) {
    if (files.some(isIdx)) {
      const others = files
        .filter((file) => !isIdx(file))
        .map(({ path }) => `“${path}” is left out: it is no IDX file.`);
      return { bytes: writeImageSet(imagesOfIdx(files.filter(isIdx))), notes: others };
    }
    const { set, notes } = await decodedImages(files);
    return { bytes: writeImageSet(set), notes };
  },

  preview(bytes) {
    const set = readImageSet(bytes);
    const { width, height, channels, classes } = set;
    const shown = classes.slice(0, SHOWN_CLASSES).flatMap((_, label) => firstOf(set, label, SHOWN));
    const counts = new Array<number>(classes.length).fill(0);
    for (const label of set.labels) counts[label] = (counts[label] ?? 0) + 1;
    return {
      notes: [
        `${set.labels.length} images of ${width} × ${height}, ${channels === 1 ? "grey" : "in colour"}, ${classes.length} classes.`,
      ],
      panels: [
        imagesPanel(set, "The first of each class", shown, (index) => nameOf(set, index)),
        {
          kind: "bars",
          title: "Images of each class",
          bars: classes.slice(0, SHOWN_CLASSES).map((name, i) => ({ name, value: counts[i] ?? 0 })),
        },
      ],
    };
  },

  inspect: (bytes, config) => factsOf(readImageSet(bytes), settingsOf(DIGITS, config)),

  inspectMadeUp(config) {
    const settings = settingsOf(DIGITS, config);
    return factsOf(blankDigits(settings.number("count")), settings);
  },

  build(config, bytes, seed) {
    return new DigitsModel(settingsOf(DIGITS, config), readImageSet(bytes), seed);
  },
};

/** What is kept with the run. */
function factsOf(set: Omit<ImageSet, "pixels">, settings: Settings): ReturnType<Task["inspect"]> {
  const { training, heldOut } = partsOf(set, settings);
  expectSomeOfEach(set, training);
  const { width, height, channels, classes } = set;
  return {
    kind: "images",
    width,
    height,
    channels,
    classes: classes.join(", "),
    trainImages: training.length,
    heldOutImages: heldOut.length,
  };
}

class DigitsModel implements Model {
  readonly parameters: readonly ParameterSpec[];
  readonly samplesPerEpoch: number;
  readonly #set: ImageSet;
  readonly #seed: number;
  readonly #shift: number;
  readonly #dropout: number;
  /** Places in the set. */
  readonly #training: Uint32Array;
  readonly #evaluated: Uint32Array;

  constructor(settings: Settings, set: ImageSet, seed: number) {
    const { training, heldOut } = partsOf(set, settings);
    this.#set = set;
    this.#seed = seed;
    this.#shift = settings.number("shift");
    this.#dropout = settings.number("dropout");
    this.#training = training;
    this.#evaluated = heldOut.subarray(0, EVALUATED);
    this.samplesPerEpoch = training.length;
    this.parameters = parametersOf(set, settings.number("filters"), settings.number("hidden"));
  }

  batch(samples: readonly SamplePosition[]): readonly Tensor[] {
    const { width, height, channels } = this.#set;
    const images = new Float32Array(samples.length * width * height * channels);
    const span = 2 * this.#shift + 1;
    const labels = new Int32Array(samples.length);
    for (const [row, { epoch, index }] of samples.entries()) {
      const image = this.#training[index] ?? 0;
      const by = (axis: 0 | 1): number =>
        randomInteger(this.#seed, "augment/shift", epoch, 2 * index + axis, span) - this.#shift;
      this.#copy(image, images, row, by(0), by(1));
      labels[row] = this.#set.labels[image] ?? 0;
    }
    return [tf.tensor4d(images, [samples.length, height, width, channels]), tf.tensor1d(labels, "int32")];
  }

  loss(params: Params, batch: readonly Tensor[], context: LossContext): Scalar {
    const [images, labels] = batch;
    if (!images || !labels)
      throw new HoldfastError("internal", "A batch of images is two tensors: images and labels.");
    const classes = this.#set.classes.length;
    const targets = tf.reshape<tf.Rank.R2>(tf.oneHot(labels, classes, 1, 0, "float32"), [-1, classes]);
    return crossEntropy(this.#logits(params, images, context), targets);
  }

  async evaluate(params: Params): Promise<Readonly<Record<string, number>>> {
    const said = await this.#said(params);
    return {
      val_loss: said.reduce((sum, { loss }) => sum + loss, 0) / said.length,
      val_accuracy: said.filter(({ answer, label }) => answer === label).length / said.length,
    };
  }

  async answers(params: Params): Promise<Answers> {
    const said = await this.#said(params);
    return {
      kind: "classes",
      classes: this.#set.classes,
      examples: said.map(({ image }) => `image ${image + 1}`),
      right: Int32Array.from(said, ({ label }) => label),
      given: Int32Array.from(said, ({ answer }) => answer),
    };
  }

  async picture(params: Params, step: number): ReturnType<Model["picture"]> {
    const { classes } = this.#set;
    const said = await this.#said(params);
    const counts = new Int32Array(classes.length ** 2);
    for (const { label, answer } of said) {
      const cell = label * classes.length + answer;
      counts[cell] = (counts[cell] ?? 0) + 1;
    }
    const mistakes = said
      .filter(({ label, answer }) => label !== answer)
      .sort((a, b) => b.loss - a.loss)
      .slice(0, MISTAKES);
    const captionOf = new Map(
      mistakes.map(({ image, label, answer, share }) => [
        image,
        `${classes[label]}, said ${classes[answer]} (${Math.round(100 * share)}\u00a0%)`,
      ]),
    );
    const filters = await valuesOf(() => tf.clone(parameter(params, "filters0/weight")));
    return {
      step,
      panels: [
        {
          kind: "confusion",
          title: "Confusion",
          note: `${said.length.toLocaleString("en")} held-out images`,
          classes,
          counts,
        },
        ...(mistakes.length === 0
          ? []
          : [
              imagesPanel(
                this.#set,
                "Worst mistakes",
                mistakes.map(({ image }) => image),
                (image) => captionOf.get(image) ?? "",
              ),
            ]),
        filtersPanel(filters, this.#set.channels),
      ],
    };
  }

  async respond(params: Params, question: Question): Promise<readonly Panel[]> {
    if (question.kind !== "image") throw new HoldfastError("invalid", "This model is asked with an image.");
    const { width, height, channels, classes } = this.#set;
    const grey = centred(question.pixels, question.width, question.height, this.#set);
    if (grey === null)
      throw new HoldfastError("invalid", "There is nothing drawn yet; draw something first.");
    const shares = await valuesOf(() => {
      const x = new Float32Array(width * height * channels);
      for (let i = 0; i < x.length; i++) x[i] = (grey[Math.floor(i / channels)] ?? 0) / WHITE;
      return tf.softmax(this.#logits(params, tf.tensor4d(x, [1, height, width, channels]), NO_DROPOUT));
    });
    const bars = classes.map((name, i) => ({ name, value: shares[i] ?? 0 }));
    const first = bars.toSorted((a, b) => b.value - a.value).slice(0, ANSWERS);
    return [
      { kind: "bars", title: "It sees", bars: first },
      {
        kind: "images",
        title: "What it was shown",
        width,
        height,
        channels: 1,
        pixels: grey,
        captions: [""],
      },
    ];
  }

  dispose(): void {
    // It keeps no tensors: batches are made of the set.
  }

  #logits(params: Params, images: Tensor, context: LossContext): Tensor2D {
    // 0 … 1, so that a first weight is neither lost in rounding nor the only one that matters.
    let x = images as Tensor4D;
    for (let layer = 0; layer < LAYERS; layer++) {
      const name = `filters${layer}`;
      const filtered = tf.fused.conv2d({
        x,
        filter: parameter(params, `${name}/weight`) as Tensor4D,
        bias: parameter(params, `${name}/bias`),
        strides: 1,
        pad: "same",
        activation: "relu",
      });
      x = tf.maxPool(filtered, 2, 2, "valid");
    }
    const hidden = tf.relu(dense(params, "hidden", tf.reshape(x, [x.shape[0], -1])));
    return dense(params, "output", context.dropout(hidden, "hidden", this.#dropout));
  }

  /** What is said of each evaluated image. */
  async #said(params: Params): Promise<readonly Said[]> {
    const { width, height, channels, classes, labels } = this.#set;
    const said: Said[] = [];
    for (let first = 0; first < this.#evaluated.length; first += AT_ONCE) {
      const part = this.#evaluated.subarray(first, first + AT_ONCE);
      const logarithms = await valuesOf(() => {
        const images = new Float32Array(part.length * width * height * channels);
        for (const [row, image] of part.entries()) this.#copy(image, images, row, 0, 0);
        const x = tf.tensor4d(images, [part.length, height, width, channels]);
        return tf.logSoftmax(this.#logits(params, x, NO_DROPOUT));
      });
      for (const [row, image] of part.entries()) {
        const own = logarithms.subarray(row * classes.length, (row + 1) * classes.length);
        const label = labels[image] ?? 0;
        const most = own.reduce((a, b) => Math.max(a, b), -Infinity);
        // Where nothing is finite, the first: a wrong answer, not none.
        const answer = Math.max(0, own.indexOf(most));
        said.push({ image, label, answer, share: Math.exp(most), loss: -(own[label] ?? 0) });
      }
    }
    return said;
  }

  /** One image as 0 … 1 into a row, moved by whole pixels; black comes in from the edges. */
  #copy(image: number, into: Float32Array, row: number, right: number, down: number): void {
    const { width, height, channels, pixels } = this.#set;
    const size = width * height * channels;
    for (let y = Math.max(0, down); y < Math.min(height, height + down); y++) {
      for (let x = Math.max(0, right); x < Math.min(width, width + right); x++) {
        const from = image * size + ((y - down) * width + x - right) * channels;
        const to = row * size + (y * width + x) * channels;
        for (let channel = 0; channel < channels; channel++)
          into[to + channel] = (pixels[from + channel] ?? 0) / WHITE;
      }
    }
  }
}

interface Said {
  readonly image: number;
  readonly label: number;
  readonly answer: number;
  /** How sure it was of its answer, 0 … 1. */
  readonly share: number;
  /** Nats. */
  readonly loss: number;
}

/** He et al. 2015: each layer is followed by a ReLU, but the last. */
function parametersOf(
  { width, height, channels, classes }: ImageSet,
  filters: number,
  hidden: number,
): readonly ParameterSpec[] {
  const layer = (name: string, shape: readonly number[], inputs: number): readonly ParameterSpec[] => [
    { name: `${name}/weight`, shape, init: { kind: "normal", std: Math.sqrt(2 / inputs) } },
    { name: `${name}/bias`, shape: [shape.at(-1) ?? 0], init: { kind: "zeros" }, decay: false },
  ];
  const second = WIDER * filters;
  const seen = Math.floor(width / 2 ** LAYERS) * Math.floor(height / 2 ** LAYERS) * second;
  return [
    ...layer("filters0", [FILTER, FILTER, channels, filters], FILTER ** 2 * channels),
    ...layer("filters1", [FILTER, FILTER, filters, second], FILTER ** 2 * filters),
    ...layer("hidden", [seen, hidden], seen),
    ...layer("output", [hidden, classes.length], 2 * hidden),
  ];
}

/** Which images are learnt from and which are held out; places in the set. */
function partsOf(
  { width, height, labels, classes }: Omit<ImageSet, "pixels">,
  settings: Settings,
): { readonly training: Uint32Array; readonly heldOut: Uint32Array } {
  if (Math.min(width, height) < LEAST_SIDE) {
    throw new HoldfastError(
      "invalid",
      `The images are ${width} × ${height}; at least ${LEAST_SIDE} pixels along each side are needed. Choose larger ones.`,
    );
  }
  if (labels.length < LEAST_IMAGES || classes.length < 2) {
    throw new HoldfastError(
      "invalid",
      `There are ${labels.length} images of ${classes.length} classes; at least ${LEAST_IMAGES} of two classes are needed. Add more.`,
    );
  }
  const count = labels.length;
  const heldOut = Math.min(count - 1, Math.max(1, Math.round((count * settings.number("heldOut")) / 100)));
  const isLast = settings.choice("split") === "last";
  const order = Uint32Array.from({ length: count }, (_, i) =>
    isLast ? i : permuted(SPLIT_SEED, 0, i, count),
  );
  return { training: order.subarray(0, count - heldOut), heldOut: order.subarray(count - heldOut) };
}

/** A class of which every image is held out would be asked for, and never learnt. */
function expectSomeOfEach({ labels, classes }: Omit<ImageSet, "pixels">, training: Uint32Array): void {
  const learnt = new Set(Array.from(training, (image) => labels[image]));
  const missed = labels.find((label) => !learnt.has(label));
  if (missed === undefined) return;
  const count = labels.filter((label) => label === missed).length;
  throw new HoldfastError(
    "invalid",
    `The class “${classes[missed]}” is left out of the training: ${count === 1 ? "its only image is" : `all its ${count} images are`} held out. Add images of it (more digits, where they are drawn), or hold out fewer.`,
  );
}

function nameOf({ classes, labels }: ImageSet, image: number): string {
  return classes[labels[image] ?? 0] ?? "";
}

function firstOf({ labels }: ImageSet, label: number, count: number): readonly number[] {
  const found: number[] = [];
  for (let i = labels.indexOf(label); i !== -1 && found.length < count; i = labels.indexOf(label, i + 1))
    found.push(i);
  return found;
}

function imagesPanel(
  { width, height, channels, pixels }: ImageSet,
  title: string,
  images: readonly number[],
  caption: (image: number) => string,
): Panel {
  const size = width * height * channels;
  const shown = new Uint8Array(images.length * size);
  for (const [i, image] of images.entries())
    shown.set(pixels.subarray(image * size, (image + 1) * size), i * size);
  return { kind: "images", title, width, height, channels, pixels: shown, captions: images.map(caption) };
}

/** The filters of the first layer, each as an image: grey is 0, its largest weight white or black. */
function filtersPanel(weights: Float32Array, channels: 1 | 3): Panel {
  const count = weights.length / (FILTER ** 2 * channels);
  const pixels = new Uint8Array(weights.length);
  const size = FILTER ** 2 * channels;
  for (let filter = 0; filter < count; filter++) {
    const own = Float32Array.from({ length: size }, (_, i) => weights[i * count + filter] ?? 0);
    const most = own.reduce((a, b) => Math.max(a, Math.abs(b)), Number.MIN_VALUE);
    pixels.set(
      own.map((weight) => Math.round((WHITE * (weight / most + 1)) / 2)),
      filter * size,
    );
  }
  return {
    kind: "images",
    title: "Filters of the first layer",
    width: FILTER,
    height: FILTER,
    channels,
    pixels,
    captions: Array.from({ length: count }, () => ""),
  };
}
