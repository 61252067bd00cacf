/** Training without a GPU: each step is a function of the state and of its number alone, over plain arrays. */
import type { JournalRows } from "../../src/format/run";
import type { State } from "../../src/format/tensors";

/** A state at a step, and what has to be known to go on from it. */
export class Toy {
  readonly seed: number;
  readonly #weights: Float32Array<ArrayBuffer>;
  readonly #velocity: Float32Array<ArrayBuffer>;
  #step = 0;

  /** S_0. `size`: number of parameters. */
  constructor(seed: number, size: number) {
    this.seed = seed;
    this.#weights = Float32Array.from({ length: size }, (_, at) => noise(seed, 0, at));
    this.#velocity = new Float32Array(size);
  }

  /** The state that was saved, ready to go on. */
  static from(seed: number, { tensors, scalars }: State): Toy {
    const valuesOf = (name: string) => tensors.find((tensor) => tensor.name === name)?.values ?? [];
    const weights = valuesOf("param/weights");
    const toy = new Toy(seed, weights.length);
    toy.#weights.set(weights);
    toy.#velocity.set(valuesOf("slot/velocity"));
    toy.#step = scalars.step;
    return toy;
  }

  /** Number of parameters. */
  get size(): number {
    return this.#weights.length;
  }

  get step(): number {
    return this.#step;
  }

  /** One step of descent with momentum on a parabola, with noise. */
  advance(): void {
    this.#step++;
    for (let at = 0; at < this.#weights.length; at++) {
      const gradient = Math.fround(this.#weights[at]! * 0.1 + noise(this.seed, this.#step, at));
      const velocity = Math.fround(Math.fround(this.#velocity[at]! * 0.9) + gradient);
      this.#velocity[at] = velocity;
      this.#weights[at] = Math.fround(this.#weights[at]! - Math.fround(velocity * 0.01));
    }
  }

  /** Of the step that made this state. */
  get loss(): number {
    return this.#weights[this.#step % this.#weights.length]!;
  }

  /** A copy. */
  state(): State {
    const { size } = this;
    return {
      tensors: [
        { name: "param/weights", dtype: "float32", shape: [size], values: this.#weights.slice() },
        { name: "slot/velocity", dtype: "float32", shape: [size], values: this.#velocity.slice() },
        { name: "param/mask", dtype: "uint8", shape: [64], values: new Uint8Array(64).fill(this.seed) },
        { name: "slot/count", dtype: "int32", shape: [], values: Int32Array.of(this.#step) },
      ],
      scalars: { step: this.#step, samples: this.#step * 8, counters: { t: this.#step } },
    };
  }
}

/** The journal's row of one step. */
export function rowOf(step: number, loss: number): JournalRows {
  return { from: step, loss: Float32Array.of(loss), rate: new Float32Array(1), ms: new Float32Array(1) };
}

/** From -0.5 to 0.5, by integers alone, so that every machine has the same. */
function noise(seed: number, step: number, at: number): number {
  let bits =
    Math.imul(at + 1, 0x9e3779b1) ^ Math.imul(step + 1, 0x85ebca6b) ^ Math.imul(seed + 1, 0xc2b2ae35);
  bits = Math.imul(bits ^ (bits >>> 15), 0x2c1b3c6d);
  bits ^= bits >>> 13;
  return Math.fround((bits >>> 8) / 2 ** 24 - 0.5);
}
