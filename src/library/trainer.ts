/**
 * What trains, as the store sees it: something that can give a copy of its state and take one back.
 *
 * Holdfast knows no model and no optimizer. Whatever the next step reads has to be in the state: parameters, slots of
 * the optimizer, counters. Where it has randomness, make it a function of (seed, step), as `uniforms` is.
 */
import { HoldfastError } from "../errors";
import type { Environment } from "../format/run";
import type { NamedTensor, State, TensorValues } from "../format/tensors";

/** A state without its position, which the run counts. */
export interface Contents {
  /** By convention `param/<name>` for a parameter and `slot/<slot>/<name>` for an optimizer's slot of it. */
  readonly tensors: readonly NamedTensor[];
  /** Finite numbers by name, such as how often an optimizer was applied. */
  readonly counters?: Readonly<Record<string, number>>;
}

/** Where the numbers come from. What is left out: a CPU, no library, nothing set. */
export type Machine = Partial<Omit<Environment, "browser">>;

/**
 * Anything that trains, by two calls. The state goes to the store and comes from it as named typed arrays with shapes; a
 * restored state has the tensors that `read` gave, in the order of their names, beside `step`, `samples` and counters.
 *
 * @example
 * const w = new Float32Array(6);
 * const trainer: Trainer = {
 *   read: () => ({ tensors: [{ name: "param/w", dtype: "float32", shape: [2, 3], values: w.slice() }] }),
 *   restore: ({ tensors }) => {
 *     for (const { values } of tensors) w.set(values);
 *   },
 * };
 */
export interface Trainer {
  /**
   * The state as it is at this call: between two updates, the copy is taken before the first `await`, and what is read
   * from a device comes after. The arrays are transferred away, so they must be nobody else's.
   */
  read(): Contents | Promise<Contents>;
  /** Replaces the whole state, or throws `invalid` and says what does not fit. */
  restore(state: State): void | Promise<void>;
  /**
   * Updates that were made so far, where it can tell; only differences count. A state of more updates than the run was told
   * of is not saved: `invalid`.
   */
  updates?(): number;
  /** Kept with each checkpoint, to tell whether another machine goes on. */
  readonly machine?: Machine;
  /**
   * Why the same steps may give other numbers here, one sentence each. None: a run that is computed again is compared
   * with its journal, bit for bit, and stops where it differs.
   */
  readonly inexact?: readonly string[];
}

/** What `arrays` copies from and writes into. */
export type LiveArray = Float32Array | Int32Array | Uint8Array;

/**
 * A trainer of plain arrays: `read` copies them, `restore` writes into them. Throws `invalid` for any other kind of array.
 *
 * @example
 * const weights = new Float32Array(12);
 * const momentum = new Float32Array(12);
 * const trainer = arrays({ "param/weights": weights, "slot/momentum/weights": momentum });
 */
export function arrays(live: Readonly<Record<string, LiveArray>>): Trainer {
  checkArrays(live);
  return {
    read: () => ({
      tensors: Object.entries(live).map(([name, values]) => ({
        name,
        dtype: dtypeOf(values),
        shape: [values.length],
        values: copyOf(values),
      })),
    }),
    restore: ({ tensors }) => {
      const given = matched(
        tensors,
        Object.entries(live).map(([name, values]) => ({
          name,
          dtype: dtypeOf(values),
          shape: [values.length],
        })),
      );
      for (const [name, values] of Object.entries(live)) values.set(given(name));
    },
  };
}

/** @internal Every difference at once between a state's tensors and those that are expected. Throws `invalid`. */
export function matched(
  tensors: readonly NamedTensor[],
  expected: readonly Omit<NamedTensor, "values">[],
): (name: string) => TensorValues {
  const left = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const found = new Map<string, TensorValues>();
  const problems: string[] = [];
  for (const want of expected) {
    const tensor = left.get(want.name);
    left.delete(want.name);
    if (tensor === undefined) problems.push(`${want.name} is missing`);
    else if (described(tensor) !== described(want))
      problems.push(`${want.name} is ${described(tensor)}, not ${described(want)}`);
    else found.set(want.name, tensor.values);
  }
  for (const name of left.keys()) problems.push(`${name} is unknown`);
  if (problems.length > 0) {
    throw new HoldfastError(
      "invalid",
      `The stored state does not fit this trainer: ${problems.join("; ")}. Open another name for another model.`,
    );
  }
  return (name) => {
    const values = found.get(name);
    if (values === undefined) throw new HoldfastError("internal", `The tensor ${name} was not checked.`);
    return values;
  };
}

function described({ dtype, shape }: Omit<NamedTensor, "values">): string {
  return `${dtype} [${shape.join(", ")}]`;
}

/** What is none of these would be stored as something else than it is. */
function checkArrays(live: unknown): void {
  if (typeof live !== "object" || live === null)
    throw new HoldfastError("invalid", "`arrays` takes an object of arrays by their names.");
  for (const [name, values] of Object.entries(live)) {
    const isKnown =
      values instanceof Float32Array || values instanceof Int32Array || values instanceof Uint8Array;
    if (!isKnown)
      throw new HoldfastError(
        "invalid",
        `"${name}" is no Float32Array, Int32Array or Uint8Array. Keep its numbers in one of these.`,
      );
  }
}

function dtypeOf(values: LiveArray): "float32" | "int32" | "uint8" {
  if (values instanceof Float32Array) return "float32";
  return values instanceof Int32Array ? "int32" : "uint8";
}

/** Not the whole buffer behind a view. */
function copyOf(values: LiveArray): TensorValues {
  if (values instanceof Float32Array) return new Float32Array(values);
  return values instanceof Int32Array ? new Int32Array(values) : new Uint8Array(values);
}
