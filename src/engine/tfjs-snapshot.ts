import * as tf from "@tensorflow/tfjs-core";
import { HoldfastError } from "../errors";
import type { NamedTensor, Scalars, State, TensorValues } from "../format/tensors";
import type { ReadBack } from "./read-back";
import { entriesOf, type HeldState } from "./tfjs-state";
import type { Snapshot } from "./trainable";

/** Clones of a state: they share its buffers and keep them while later steps make new ones. */
export class TfjsSnapshot implements Snapshot {
  readonly step: number;
  readonly #scalars: Scalars;
  readonly #readBack: ReadBack;
  readonly #cloningMs: number;
  #clones: readonly (readonly [name: string, clone: tf.Tensor])[] | null;

  constructor(state: HeldState, readBack: ReadBack) {
    const start = performance.now();
    this.#clones = entriesOf(state).map(([name, tensor]) => [name, tf.keep(tf.clone(tensor))]);
    this.#cloningMs = performance.now() - start;
    this.step = state.scalars.step;
    this.#scalars = state.scalars;
    this.#readBack = readBack;
  }

  async read(held: number[]): Promise<State> {
    const clones = this.#take();
    held.push(this.#cloningMs);
    const shapes = clones.map(([, { shape }]) => shape);
    const values = await this.#readBack.read(
      clones.map(([, clone]) => clone),
      held,
    );
    return {
      tensors: clones.map(([name], index) => named(name, shapes[index] ?? [], values[index])),
      scalars: this.#scalars,
    };
  }

  discard(): void {
    for (const [, clone] of this.#take()) clone.dispose();
  }

  #take(): readonly (readonly [name: string, clone: tf.Tensor])[] {
    const clones = this.#clones;
    if (clones === null)
      throw new HoldfastError(
        "internal",
        `The snapshot of step ${this.step} is gone: it was read or discarded.`,
      );
    this.#clones = null;
    return clones;
  }
}

function named(name: string, shape: readonly number[], values: TensorValues | undefined): NamedTensor {
  if (!(values instanceof Float32Array))
    throw new HoldfastError("internal", `The tensor ${name} was not read back as float32.`);
  return { name, dtype: "float32", shape, values };
}
