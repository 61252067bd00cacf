/**
 * A safetensors file as the first state of a run: which of its tensors is what, and what is wrong with it.
 *
 * It has each parameter, as `param/NAME` or just `NAME`, of the model's very shape; and either nothing of the optimizer,
 * or all of it: `slot/SLOT/NAME` of each parameter, and each counter as `counter/NAME` with one element, or where our own
 * checkpoints have it, in the metadata. What does not fit is `invalid`, and named with the remedy.
 */
import { HoldfastError } from "../errors";
import { FLOAT_DTYPES } from "./float-values";
import { parseJson } from "./json";
import { dictionary, finite } from "./parse";
import { MAX_SAFETENSORS_HEADER_BYTES, type StoredHead, type StoredTensor } from "./safetensors-head";

/** What a state of a model and its optimizer consists of. */
export interface StateShape {
  readonly parameters: readonly { readonly name: string; readonly shape: readonly number[] }[];
  readonly slots: readonly string[];
  readonly counters: readonly string[];
}

/** A tensor of the state; `stored` is null where it begins at zero. */
export interface PlannedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly stored: StoredTensor | null;
}

export interface WeightsPlan {
  readonly tensors: readonly PlannedTensor[];
  /** Each where it lies, or its value. */
  readonly counters: ReadonlyMap<string, StoredTensor | number>;
}

const PARAM = "param/";
const SLOT = "slot/";
const COUNTER = "counter/";
const METADATA = "holdfast";
const WHERE = `__metadata__.${METADATA}`;
const MAX_COUNTERS = 1000;
const COUNTER_DTYPES: readonly string[] = ["F32", "F64", "I32", "I64"];

/** `file`: its name, for errors. */
export function planWeights(head: StoredHead, shape: StateShape, file: string): WeightsPlan {
  const left = new Map(head.tensors.map((tensor) => [tensor.name, tensor]));
  const refuse = (what: string, remedy: string): never => {
    throw new HoldfastError("invalid", `"${file}" does not fit the model: ${what}. ${remedy}`);
  };
  const take = (name: string, wanted: readonly number[]): StoredTensor | undefined => {
    const found = left.get(name);
    if (found === undefined) return undefined;
    left.delete(name);
    if (!FLOAT_DTYPES.includes(found.dtype)) throw otherDtype(found, FLOAT_DTYPES, file);
    if (!isSame(found.shape, wanted)) refuse(...misshaped(found, wanted));
    return found;
  };

  const parameters = shape.parameters.map(({ name, shape: wanted }): PlannedTensor => {
    if (left.has(name) && left.has(PARAM + name))
      refuse(`it has both "${name}" and "${PARAM}${name}"`, "Leave one of them out.");
    const stored = take(PARAM + name, wanted) ?? take(name, wanted);
    return {
      name: PARAM + name,
      shape: wanted,
      stored:
        stored ??
        refuse(
          `the tensor "${name}" (or "${PARAM}${name}") is missing, of shape [${wanted.join(", ")}]`,
          "Choose the settings that the weights were made with, and give each tensor its name in the model.",
        ),
    };
  });

  const hasSlots = [...left.keys()].some((name) => name.startsWith(SLOT));
  const slots = shape.parameters.flatMap(({ name, shape: wanted }) =>
    shape.slots.map((slot): PlannedTensor => {
      const full = `${SLOT}${slot}/${name}`;
      const stored = take(full, wanted) ?? null;
      if (stored === null && hasSlots)
        refuse(
          `it has slots, but not "${full}"`,
          "Give all of the optimizer's, or none: they then begin at zero.",
        );
      return { name: full, shape: wanted, stored };
    }),
  );
  const counters = hasSlots
    ? takeCounters(left, head, shape.counters, file)
    : new Map(shape.counters.map(zero));

  for (const name of left.keys()) {
    refuse(
      `it has a tensor "${name}" that is unknown there`,
      name.startsWith(SLOT) || name.startsWith(COUNTER)
        ? "Choose the optimizer that it belongs to, or leave out all slots and counters: they then begin at zero."
        : "Choose the settings that the weights were made with, or leave it out of the file.",
    );
  }
  return { tensors: [...parameters, ...slots], counters };
}

/** Takes what it uses out of `left`. */
function takeCounters(
  left: Map<string, StoredTensor>,
  { metadata }: StoredHead,
  names: readonly string[],
  file: string,
): Map<string, StoredTensor | number> {
  const own = countersIn(metadata);
  return new Map(
    names.map((name) => {
      const stored = left.get(COUNTER + name);
      left.delete(COUNTER + name);
      if (stored !== undefined && !COUNTER_DTYPES.includes(stored.dtype))
        throw otherDtype(stored, COUNTER_DTYPES, file);
      if (stored !== undefined && stored.shape.some((size) => size !== 1)) {
        const [what, remedy] = misshaped(stored, []);
        throw new HoldfastError("invalid", `"${file}" does not fit the model: ${what}. ${remedy}`);
      }
      const value = stored ?? own[name];
      if (value !== undefined) return [name, value] as const;
      throw new HoldfastError(
        "invalid",
        `"${file}" has slots, but not the counter that belongs to them: "${COUNTER}${name}", one number. Add it, or leave out all slots: they then begin at zero.`,
      );
    }),
  );
}

/** What our own checkpoints say beside their tensors; all else of it is of another run, and no matter here. */
function countersIn(metadata: StoredHead["metadata"]): Readonly<Record<string, number>> {
  const text = metadata[METADATA];
  if (text === undefined) return {};
  const value = parseJson(new TextEncoder().encode(text), WHERE, MAX_SAFETENSORS_HEADER_BYTES);
  if (typeof value !== "object" || value === null || !("counters" in value)) return {};
  return dictionary(finite, MAX_COUNTERS)(value.counters, `${WHERE}.counters`);
}

function zero(name: string): readonly [string, number] {
  return [name, 0];
}

function otherDtype({ name, dtype }: StoredTensor, known: readonly string[], file: string): HoldfastError {
  const list = `${known.slice(0, -1).join(", ")} and ${known.at(-1) ?? ""}`;
  return new HoldfastError(
    "unsupported",
    `"${name}" in "${file}" is ${dtype}; only ${list} can be read. Write it as ${known[0] ?? ""}.`,
  );
}

function misshaped({ name, shape }: StoredTensor, wanted: readonly number[]): [what: string, remedy: string] {
  const isTurned = shape.length === 2 && isSame(shape.toReversed(), wanted);
  return [
    `"${name}" is [${shape.join(", ")}] where the model has [${wanted.join(", ")}]`,
    isTurned
      ? "Transpose it: weights here are [inputs, outputs]."
      : "Choose the settings that the weights were made with.",
  ];
}

function isSame(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}
