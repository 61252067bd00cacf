/** States side by side: what differs between them, and by how much each tensor changed since the first of them. */
import type { Config, Environment } from "../format/run";
import type { NamedTensor, State } from "../format/tensors";
import { histogramOf, type Histogram } from "./histogram";
import { imageOf, type TensorImage } from "./tensor-image";

/** A tensor of one side, held against the same tensor of the first side. */
export interface TensorChange {
  /** ‖x − a‖ / ‖a‖ where a is the first side's; 0 for itself, null where ‖a‖ is 0 and x is not a. */
  readonly relative: number | null;
  /** Cosine of the angle between x and a as vectors; null where one of them is 0. */
  readonly cosine: number | null;
  /** ‖x‖: the root of the sum of the squares. */
  readonly norm: number;
}

export interface ComparedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** As many as there are sides, in their order; null where a side lacks the tensor, or has it in another shape. */
  readonly sides: readonly (TensorChange | null)[];
  readonly histogram: Histogram;
  /** Of a parameter that is a matrix or a bank of filters; null of anything else. */
  readonly image: TensorImage | null;
}

export interface ComparedSide {
  readonly run: string;
  readonly runName: string;
  readonly task: string;
  readonly step: number;
  /** Samples drawn up to this step. */
  readonly samples: number;
  readonly digest: string;
  readonly metrics: Readonly<Record<string, number>>;
  /** Settings in force at this step, flat, by name. */
  readonly settings: Config;
  /** Did a person bring what it learnt from? Else its task made that. */
  readonly hasOwnData: boolean;
  /** What computed it, and on what data, flat, by name. */
  readonly environment: Config;
}

/** What is not the same on all sides. */
export interface Difference {
  readonly of: "settings" | "environment";
  readonly name: string;
  /** As many as there are sides; null where a side has none of that name. */
  readonly values: readonly (Config[string] | null)[];
}

export interface Comparison {
  /** The first is the one that the others are held against. */
  readonly sides: readonly ComparedSide[];
  readonly differing: readonly Difference[];
  /** Tensors that the first side and at least one other have, by the largest relative change, largest first. */
  readonly tensors: readonly ComparedTensor[];
  /** Tensors of which no other side has that shape, or which the first one lacks. */
  readonly unmatched: readonly string[];
}

/** A side and its state. */
export interface SideState extends ComparedSide {
  readonly state: State;
}

/** Compares by name: settings, environment, and every tensor, parameters and optimizer slots alike. */
export function compareStates(sides: readonly SideState[]): Comparison {
  const byName = sides.map(({ state }) => new Map(state.tensors.map((tensor) => [tensor.name, tensor])));
  const tensors: ComparedTensor[] = [];
  const unmatched: string[] = [];
  for (const name of new Set(byName.flatMap((side) => [...side.keys()]))) {
    const reference = byName[0]?.get(name);
    const same = byName.map((side) => sameShape(reference, side.get(name)));
    if (reference === undefined || same.filter((tensor) => tensor !== null).length < 2) unmatched.push(name);
    else tensors.push(comparedTensor(reference, same));
  }
  return {
    sides: sides.map(sideOf),
    differing: [...differences("settings", sides), ...differences("environment", sides)],
    tensors: tensors.sort((x, y) => largest(y) - largest(x) || (x.name < y.name ? -1 : 1)),
    unmatched: unmatched.sort(),
  };
}

function differences(of: Difference["of"], sides: readonly ComparedSide[]): readonly Difference[] {
  const names = [...new Set(sides.flatMap((side) => Object.keys(side[of])))].sort();
  return names
    .map((name) => ({ of, name, values: sides.map((side) => side[of][name] ?? null) }))
    .filter(({ values }) => values.some((value) => value !== values[0]));
}

/** An environment and the data, flat, by names that a person can read. */
export function environmentFacts(environment: Environment, data: string): Config {
  const { adapter, flags, math, ...rest } = environment;
  const under = (prefix: string, values: Config): Config =>
    Object.fromEntries(Object.entries(values).map(([name, value]) => [`${prefix} ${name}`, value]));
  return { data, ...rest, ...under("adapter", adapter), ...under("flag", flags), ...under("math", math) };
}

function sideOf({ state: _, ...side }: SideState): ComparedSide {
  return side;
}

function comparedTensor(reference: NamedTensor, tensors: readonly (NamedTensor | null)[]): ComparedTensor {
  const { name, shape } = reference;
  return {
    name,
    shape,
    sides: tensors.map((tensor) => tensor && changeOf(reference, tensor)),
    histogram: histogramOf(tensors.map((tensor) => tensor && tensor.values)),
    image: name.startsWith("param/") ? imageOf(reference, tensors) : null,
  };
}

/** One without a direction comes before all others: it was 0 and is not any more. */
function largest({ sides }: ComparedTensor): number {
  return Math.max(...sides.map((change) => (change === null ? 0 : (change.relative ?? Infinity))));
}

/** The tensor, where it has the shape of the reference. */
function sameShape(reference: NamedTensor | undefined, tensor: NamedTensor | undefined): NamedTensor | null {
  if (reference === undefined || tensor === undefined) return null;
  const { shape } = reference;
  const isSame =
    tensor.shape.length === shape.length && tensor.shape.every((size, axis) => size === shape[axis]);
  return isSame ? tensor : null;
}

/** Sums in float64, so that a tensor of a million elements keeps its digits. */
function changeOf(a: NamedTensor, b: NamedTensor): TensorChange {
  let squaresA = 0;
  let squaresB = 0;
  let squaresDifference = 0;
  let product = 0;
  for (let i = 0; i < a.values.length; i += 1) {
    const x = a.values[i] ?? 0;
    const y = b.values[i] ?? 0;
    squaresA += x * x;
    squaresB += y * y;
    squaresDifference += (y - x) ** 2;
    product += x * y;
  }
  const normA = Math.sqrt(squaresA);
  const normB = Math.sqrt(squaresB);
  return {
    relative: squaresDifference === 0 ? 0 : normA === 0 ? null : Math.sqrt(squaresDifference) / normA,
    // Rounding may lift the quotient above 1.
    cosine:
      normA === 0 || normB === 0 ? null : Math.min(1, Math.max(-1, product / Math.sqrt(squaresA * squaresB))),
    norm: normB,
  };
}
