/**
 * A column of a table as inputs of a network: of its rows, and in the same way of a cell that a person gives.
 *
 * A number is centred and scaled by the training rows, 0 where it is missing, with a second input that says so. A category is
 * one input for each of its values, the rare ones together and those that are missing as one more.
 */
import { HoldfastError } from "../errors";
import { excerpt } from "../excerpt";
import type { Column } from "./columns";
import { EXAMPLE_CHARACTERS, valueIn } from "./columns";

/** Values of a category that are told apart; the others are one. */
const MAX_CATEGORIES = 64;
const MISSING = "(missing)";
const OTHERS = "(others)";
/** Standard deviations. What is farther out in held-out rows would be no float32 any more. */
const FARTHEST = 1000;
/** Of a category, named where another value was given. */
const NAMED_VALUES = 8;

/** Both `write`s set the inputs of one row, which are zero before, from `offset` on. */
export interface InputColumn {
  readonly name: string;
  readonly kind: "number" | "category";
  /** As it stands in the table; empty where that is no value of this kind. */
  readonly cellOf: (row: number) => string;
  readonly inputs: number;
  /** Rows of the table that have no value of it, or no number where it is one. */
  readonly gaps: number;
  /** The rarest values of a category, which are one input: so many. */
  readonly together: number;
  /** Of a category: those that are told apart. */
  readonly values: readonly string[];
  /** One of those that are not; null where there are none. */
  readonly rare: string | null;
  /** Of a row of the table. */
  readonly write: (row: number, to: Float32Array, offset: number) => void;
  /**
   * Of a cell as it may stand in the table. Throws `invalid` where no row of the table has told the model what it means: a word
   * for a number, a value that a category does not have, nothing where nothing is missing.
   */
  readonly writeCell: (cell: string, to: Float32Array, offset: number) => void;
}

/** Scaled by the rows of `training`. */
export function numberInputs({ name, cells, numberOf, numbers }: Column, training: Uint32Array): InputColumn {
  const values = numbers();
  const { mean, spread } = spreadOf(values, training);
  const gaps = values.filter(Number.isNaN).length;
  const scaled = (value: number): number => Math.min(Math.max((value - mean) / spread, -FARTHEST), FARTHEST);
  const ofRows = Float32Array.from(values, scaled);
  const put = (value: number, to: Float32Array, offset: number): void => {
    if (Number.isNaN(value)) to[offset + 1] = 1;
    else to[offset] = value;
  };
  return {
    name,
    kind: "number",
    cellOf: (row) => (Number.isNaN(values[row]) ? "" : (cells[row] ?? "")),
    inputs: gaps > 0 ? 2 : 1,
    gaps,
    together: 0,
    values: [],
    rare: null,
    write(row, to, offset) {
      put(ofRows[row] ?? Number.NaN, to, offset);
    },
    writeCell(cell, to, offset) {
      const value = expectKnown(name, cell, gaps);
      const number = numberOf(value);
      if (value !== "" && Number.isNaN(number))
        throw invalid(
          `“${name}” is a number, and “${excerpt(cell, EXAMPLE_CHARACTERS)}” is none (up to 1e100); give one${orMissing(gaps)}.`,
        );
      put(scaled(number), to, offset);
    },
  };
}

/** Told apart by all rows; a value that none of `training` has says nothing. */
export function categoryInputs({ name, cells, missing }: Column, training: Uint32Array): InputColumn {
  const { names, values, others, slotOf } = categoriesOf(cells.keys(), cells);
  const slots = Int16Array.from(cells, slotOf);
  // What no training row has keeps the weights that it was drawn with: it says nothing, rather than noise.
  const isSeen = new Set(Array.from(training, (row) => slots[row]));
  const known = new Set([...values, ...others]);
  const put = (slot: number, to: Float32Array, offset: number): void => {
    if (isSeen.has(slot)) to[offset + slot] = 1;
  };
  return {
    name,
    kind: "category",
    cellOf: (row) => cells[row] ?? "",
    inputs: names.length,
    gaps: missing,
    together: others.length,
    values,
    rare: others[0] ?? null,
    write(row, to, offset) {
      put(slots[row] ?? 0, to, offset);
    },
    writeCell(cell, to, offset) {
      const value = expectKnown(name, cell, missing);
      if (value !== "" && !known.has(value))
        throw invalid(
          `“${name}” is never “${excerpt(cell, EXAMPLE_CHARACTERS)}” in the table; give one of its values (${namedOf(values)})${orMissing(missing)}.`,
        );
      put(slotOf(value), to, offset);
    },
  };
}

/** The values that are told apart, in order, those that are not, most frequent first, and which of `names` a cell has. */
export function categoriesOf(
  rows: Iterable<number>,
  cells: readonly string[],
): {
  readonly names: readonly string[];
  readonly values: readonly string[];
  readonly others: readonly string[];
  readonly slotOf: (cell: string) => number;
} {
  const counts = new Map<string, number>();
  for (const row of rows) {
    const cell = cells[row] ?? "";
    counts.set(cell, (counts.get(cell) ?? 0) + 1);
  }
  const hasGaps = counts.delete("");
  const often = [...counts].sort(([a, n], [b, m]) => m - n || inOrder(a, b)).map(([name]) => name);
  const values = often.slice(0, MAX_CATEGORIES);
  const areNumbers = values.every((name) => Number.isFinite(Number(name)));
  values.sort(areNumbers ? (a, b) => Number(a) - Number(b) || inOrder(a, b) : inOrder);
  const others = often.slice(MAX_CATEGORIES);
  const slots = new Map(values.map((name, slot) => [name, slot]));
  const names = [...values, ...(others.length > 0 ? [OTHERS] : []), ...(hasGaps ? [MISSING] : [])];
  return {
    names,
    values,
    others,
    slotOf: (cell) => slots.get(cell) ?? (cell === "" ? names.length - 1 : values.length),
  };
}

/** Mean and standard deviation over these rows, as far as they have a number; a spread of 0 counts as 1. */
export function spreadOf(
  numbers: Float64Array,
  rows: Uint32Array,
): { readonly mean: number; readonly spread: number } {
  const values = Array.from(rows, (row) => numbers[row] ?? Number.NaN).filter(
    (value) => !Number.isNaN(value),
  );
  if (values.length === 0) return { mean: 0, spread: 1 };
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { mean, spread: Math.sqrt(variance) || 1 };
}

/** By code units: the same in every language. */
function inOrder(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** What the cell says; that it says nothing has an input where rows of the table do so, too. */
function expectKnown(name: string, cell: string, gaps: number): string {
  const value = valueIn(cell.trim());
  if (value === "" && gaps === 0)
    throw invalid(`“${name}” is given no value, and the model knows no row without one; give one.`);
  return value;
}

function orMissing(gaps: number): string {
  return gaps > 0 ? ", or nothing where it is missing" : "";
}

function namedOf(values: readonly string[]): string {
  const rest = values.length - NAMED_VALUES;
  const named = values.slice(0, NAMED_VALUES).map((value) => excerpt(value, EXAMPLE_CHARACTERS));
  return `${named.join(", ")}${rest > 0 ? `, and ${rest} more` : ""}`;
}

function invalid(message: string): HoldfastError {
  return new HoldfastError("invalid", message);
}
