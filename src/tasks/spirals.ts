/**
 * Two interleaved spirals, told apart by a small network.
 *
 * The data is float32 x, y, class of each point, little-endian; classes alternate, and every fifth point is held
 * out, so both parts hold both classes and the whole length of the spirals.
 */
import * as tf from "@tensorflow/tfjs-core";
import type { Scalar, Tensor } from "@tensorflow/tfjs-core";
import { HoldfastError } from "../errors";
import type { Answers } from "../format/answers";
import { normals, uniforms } from "../engine/random";
import type { LossContext, Model, ParameterSpec, Params, SamplePosition, Task } from "../engine/task";
import { dense, NO_DROPOUT } from "./layers";
import { SPIRALS } from "./infos/spirals";
import { settingsOf } from "./settings";
import type { Settings } from "./settings";
import { valuesOf } from "./values";

const POINT_BYTES = 12;
const HELD_OUT_EVERY = 5;
/** Pixels along each side of the picture. */
const PICTURE_SIZE = 56;
/** Points that the picture shows at most. */
const PICTURE_POINTS = 2000;
/** In the unit circle a network of tanh needs 700 steps before it bends enough to follow 1.5 turns; here 150. */
const RADIUS = 5;
/** Where a spiral begins, as a share of the radius: at the very centre the two cannot be told apart. */
const INNER_SHARE = 0.08;

interface Points {
  /** x, y of each point. */
  readonly places: Float32Array<ArrayBuffer>;
  /** +1 for class 0, −1 for class 1: the sign of the logit's share in the loss. */
  readonly signs: Float32Array<ArrayBuffer>;
}

/** The task: an MLP with dropout on generated points. */
export const spirals: Task = {
  info: SPIRALS,

  generate(config, seed) {
    const settings = settingsOf(SPIRALS, config);
    const points = settings.number("points");
    const along = uniforms(seed, "data/spirals/along", 0, points);
    const noise = normals(seed, "data/spirals/noise", 0, 2 * points);
    const view = new DataView(new ArrayBuffer(points * POINT_BYTES));
    const astray = RADIUS * settings.number("noise");
    for (let i = 0; i < points; i++) {
      const share = INNER_SHARE + (1 - INNER_SHARE) * at(along, i);
      const angle = 2 * Math.PI * settings.number("turns") * share + Math.PI * (i % 2);
      const offset = i * POINT_BYTES;
      view.setFloat32(offset, RADIUS * share * Math.cos(angle) + astray * at(noise, 2 * i), true);
      view.setFloat32(offset + 4, RADIUS * share * Math.sin(angle) + astray * at(noise, 2 * i + 1), true);
      view.setFloat32(offset + 8, i % 2, true);
    }
    return new Uint8Array(view.buffer);
  },

  inspect(bytes, config) {
    settingsOf(SPIRALS, config);
    const { training, heldOut } = pointsOf(bytes);
    return { kind: "points", trainPoints: training.signs.length, heldOutPoints: heldOut.signs.length };
  },

  build(config, bytes) {
    return new SpiralsModel(settingsOf(SPIRALS, config), bytes);
  },

  layers(config) {
    const settings = settingsOf(SPIRALS, config);
    const activation: "tanh" | "relu" = settings.choice("activation") === "tanh" ? "tanh" : "relu";
    const hidden = Array.from({ length: settings.number("layers") }, (_, i) => ({
      name: `hidden${i}`,
      activation,
    }));
    return [...hidden, { name: "output", activation: "linear" }] as const;
  },
};

class SpiralsModel implements Model {
  readonly parameters: readonly ParameterSpec[];
  readonly samplesPerEpoch: number;
  readonly #layers: number;
  readonly #dropout: number;
  readonly #activate: (x: Tensor) => Tensor;
  readonly #training: Points;
  readonly #heldOut: Points;
  readonly #shown: Float32Array<ArrayBuffer>;
  readonly #extent: number;
  readonly #heldOutPlaces: Tensor;
  readonly #grid: Tensor;

  constructor(settings: Settings, bytes: Uint8Array<ArrayBuffer>) {
    const { training, heldOut, shown, extent } = pointsOf(bytes);
    const smooth = settings.choice("activation") === "tanh";
    this.#layers = settings.number("layers");
    this.#dropout = settings.number("dropout");
    this.#activate = smooth ? tf.tanh : tf.relu;
    this.parameters = parametersOf(this.#layers, settings.number("width"), smooth);
    this.samplesPerEpoch = training.signs.length;
    this.#training = training;
    this.#heldOut = heldOut;
    this.#shown = shown;
    this.#extent = extent;
    this.#heldOutPlaces = tf.tensor2d(heldOut.places, [heldOut.signs.length, 2]);
    this.#grid = tf.tensor2d(gridOf(extent), [PICTURE_SIZE ** 2, 2]);
  }

  batch(samples: readonly SamplePosition[]): readonly Tensor[] {
    const places = new Float32Array(2 * samples.length);
    const signs = new Float32Array(samples.length);
    for (const [row, { index }] of samples.entries()) {
      places.set(this.#training.places.subarray(2 * index, 2 * index + 2), 2 * row);
      signs[row] = at(this.#training.signs, index);
    }
    return [tf.tensor2d(places, [samples.length, 2]), tf.tensor2d(signs, [samples.length, 1])];
  }

  loss(params: Params, batch: readonly Tensor[], context: LossContext): Scalar {
    const [places, signs] = batch;
    if (!places || !signs)
      throw new HoldfastError("internal", "A batch of spirals is two tensors: places and signs.");
    // −log sigmoid(±z) = softplus(∓z): one kernel that is stable at both ends, where a logarithm of a sigmoid is not.
    return tf.mean(tf.softplus(tf.mul(this.#logits(params, places, context), signs)));
  }

  async evaluate(params: Params): Promise<Readonly<Record<string, number>>> {
    const logits = await valuesOf(() => this.#logits(params, this.#heldOutPlaces, NO_DROPOUT));
    let loss = 0;
    let right = 0;
    for (const [i, logit] of logits.entries()) {
      const towards = logit * at(this.#heldOut.signs, i);
      loss += Math.max(towards, 0) + Math.log1p(Math.exp(-Math.abs(towards)));
      if (towards < 0) right++;
    }
    return { val_loss: loss / logits.length, val_accuracy: right / logits.length };
  }

  async answers(params: Params): Promise<Answers> {
    const logits = await valuesOf(() => this.#logits(params, this.#heldOutPlaces, NO_DROPOUT));
    const { places, signs } = this.#heldOut;
    const coordinate = (i: number): string => at(places, i).toFixed(2);
    return {
      kind: "classes",
      classes: ["0", "1"],
      examples: Array.from(signs, (_, i) => `point at (${coordinate(2 * i)}, ${coordinate(2 * i + 1)})`),
      right: Int32Array.from(signs, (sign) => (sign > 0 ? 0 : 1)),
      given: Int32Array.from(logits, (logit) => (logit > 0 ? 1 : 0)),
    };
  }

  async picture(params: Params, step: number): ReturnType<Model["picture"]> {
    const grid = await valuesOf(() => tf.sigmoid(this.#logits(params, this.#grid, NO_DROPOUT)));
    return {
      step,
      panels: [
        {
          kind: "boundary",
          title: "Decision boundary",
          size: PICTURE_SIZE,
          grid,
          extent: this.#extent,
          points: this.#shown.slice(),
        },
      ],
    };
  }

  dispose(): void {
    tf.dispose([this.#heldOutPlaces, this.#grid]);
  }

  #logits(params: Params, places: Tensor, context: LossContext): Tensor {
    let x = places;
    for (let layer = 0; layer < this.#layers; layer++) {
      const active = this.#activate(dense(params, `hidden${layer}`, x));
      x = context.dropout(active, `hidden${layer}`, this.#dropout);
    }
    return dense(params, "output", x);
  }
}

/** Glorot & Bengio 2010 for tanh and the output, He et al. 2015 for ReLU. */
function parametersOf(layers: number, width: number, smooth: boolean): readonly ParameterSpec[] {
  const layer = (
    name: string,
    inputs: number,
    outputs: number,
    glorot: boolean,
  ): readonly ParameterSpec[] => [
    {
      name: `${name}/weight`,
      shape: [inputs, outputs],
      init: glorot
        ? { kind: "uniform", bound: Math.sqrt(6 / (inputs + outputs)) }
        : { kind: "normal", std: Math.sqrt(2 / inputs) },
    },
    { name: `${name}/bias`, shape: [outputs], init: { kind: "zeros" }, decay: false },
  ];
  const hidden = Array.from({ length: layers }, (_, i) =>
    layer(`hidden${i}`, i === 0 ? 2 : width, width, smooth),
  );
  return [...hidden.flat(), ...layer("output", width, 1, true)];
}

function pointsOf(bytes: Uint8Array<ArrayBuffer>): {
  readonly training: Points;
  readonly heldOut: Points;
  readonly shown: Float32Array<ArrayBuffer>;
  readonly extent: number;
} {
  const count = bytes.byteLength / POINT_BYTES;
  if (!Number.isInteger(count) || count < HELD_OUT_EVERY) {
    throw new HoldfastError(
      "invalid",
      `The points are ${bytes.byteLength} bytes; ${HELD_OUT_EVERY} or more points of ${POINT_BYTES} bytes are needed.`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const training: { places: number[]; signs: number[] } = { places: [], signs: [] };
  const heldOut: typeof training = { places: [], signs: [] };
  const shown = new Float32Array(3 * Math.min(count, PICTURE_POINTS));
  let extent = 0;
  for (let i = 0; i < count; i++) {
    const offset = i * POINT_BYTES;
    const [x, y, label] = [
      view.getFloat32(offset, true),
      view.getFloat32(offset + 4, true),
      view.getFloat32(offset + 8, true),
    ];
    if (!Number.isFinite(x) || !Number.isFinite(y) || (label !== 0 && label !== 1)) {
      throw new HoldfastError(
        "invalid",
        `Point ${i} is (${x}, ${y}) of class ${label}; finite numbers and class 0 or 1 are needed.`,
      );
    }
    const part = i % HELD_OUT_EVERY === HELD_OUT_EVERY - 1 ? heldOut : training;
    part.places.push(x, y);
    part.signs.push(label === 0 ? 1 : -1);
    if (3 * i < shown.length) shown.set([x, y, label], 3 * i);
    extent = Math.max(extent, Math.abs(x), Math.abs(y));
  }
  return { training: packed(training), heldOut: packed(heldOut), shown, extent: 1.05 * extent };
}

function packed(points: { readonly places: readonly number[]; readonly signs: readonly number[] }): Points {
  return { places: Float32Array.from(points.places), signs: Float32Array.from(points.signs) };
}

/** Centres of the picture's pixels, row 0 at the top. */
function gridOf(extent: number): Float32Array {
  const places = new Float32Array(2 * PICTURE_SIZE ** 2);
  const centre = (i: number): number => extent * ((2 * i + 1) / PICTURE_SIZE - 1);
  for (let row = 0; row < PICTURE_SIZE; row++) {
    for (let column = 0; column < PICTURE_SIZE; column++) {
      places.set([centre(column), -centre(row)], 2 * (row * PICTURE_SIZE + column));
    }
  }
  return places;
}

function at(values: Float32Array, i: number): number {
  return values[i] ?? Number.NaN;
}
