/** Two states side by side: what changed in each tensor, and by how much. */
import type { Config } from "../format/run";
import type { NamedTensor, State } from "../format/tensors";

export interface TensorChange {
  readonly name: string;
  readonly shape: readonly number[];
  /** ‖b − a‖ / ‖a‖; null where ‖a‖ is 0. */
  readonly relative: number | null;
  /** Cosine of the angle between a and b as vectors; null where one of them is 0. */
  readonly cosine: number | null;
  readonly normA: number;
  readonly normB: number;
}

export interface ComparedSide {
  readonly run: string;
  readonly runName: string;
  readonly task: string;
  readonly step: number;
  readonly digest: string;
  readonly metrics: Readonly<Record<string, number>>;
  /** Settings in force at this step, flat, by name. */
  readonly settings: Config;
}

export interface Comparison {
  readonly a: ComparedSide;
  readonly b: ComparedSide;
  /** Settings that differ, by name; null where a side has none of that name. */
  readonly differing: readonly {
    readonly name: string;
    readonly a: Config[string] | null;
    readonly b: Config[string] | null;
  }[];
  readonly settingsCompared: number;
  /** Tensors of both, sorted by relative change, largest first. */
  readonly tensors: readonly TensorChange[];
  /** Tensors of one side only, or with other shapes. */
  readonly unmatched: readonly string[];
}

/** A side and its state. */
export interface SideState extends ComparedSide {
  readonly state: State;
}

/** Compares by name: settings, and every tensor, parameters and optimizer slots alike. */
export function compareStates(a: SideState, b: SideState): Comparison {
  const names = [...new Set([...Object.keys(a.settings), ...Object.keys(b.settings)])].sort();
  const tensorsB = new Map(b.state.tensors.map((tensor) => [tensor.name, tensor]));
  const tensors: TensorChange[] = [];
  const unmatched: string[] = [];
  for (const tensor of a.state.tensors) {
    const other = tensorsB.get(tensor.name);
    if (other !== undefined && sameShape(tensor, other)) tensors.push(changeOf(tensor, other));
    else unmatched.push(tensor.name);
    tensorsB.delete(tensor.name);
  }
  return {
    a: sideOf(a),
    b: sideOf(b),
    differing: names
      .map((name) => ({ name, a: a.settings[name] ?? null, b: b.settings[name] ?? null }))
      .filter((setting) => setting.a !== setting.b),
    settingsCompared: names.length,
    tensors: tensors.sort(
      (x, y) => (y.relative ?? Infinity) - (x.relative ?? Infinity) || compareNames(x, y),
    ),
    unmatched: [...unmatched, ...tensorsB.keys()].sort(),
  };
}

function compareNames(x: TensorChange, y: TensorChange): number {
  return x.name < y.name ? -1 : 1;
}

function sideOf({ run, runName, task, step, digest, metrics, settings }: SideState): ComparedSide {
  return { run, runName, task, step, digest, metrics, settings };
}

function sameShape(a: NamedTensor, b: NamedTensor): boolean {
  return a.shape.length === b.shape.length && a.shape.every((size, i) => size === b.shape[i]);
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
    name: a.name,
    shape: a.shape,
    relative: squaresDifference === 0 ? 0 : normA === 0 ? null : Math.sqrt(squaresDifference) / normA,
    // Rounding may lift the quotient above 1.
    cosine:
      normA === 0 || normB === 0 ? null : Math.min(1, Math.max(-1, product / Math.sqrt(squaresA * squaresB))),
    normA,
    normB,
  };
}
