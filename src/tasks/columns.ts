/** What the columns of a table are: numbers, categories, or nothing that a model could learn from. */
import { HoldfastError } from "../errors";
import { excerpt } from "../excerpt";
import type { ColumnFacts, ColumnKind } from "../format/dataset";
import { correctionsOf, usualTarget } from "./column-settings";
import type { CsvTable } from "./csv";

const MISSING = new Set(["", "na", "n/a", "null", "nan", "?"]);
/** Beyond it a square is no longer finite, and nothing that people measure is. */
const LARGEST = 1e100;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const EXAMPLES = 3;
/** Of a cell, where it is told. */
export const EXAMPLE_CHARACTERS = 24;

/** A column as it stands in the table. */
export interface Column extends ColumnFacts {
  /** Empty where there is no value. */
  readonly cells: readonly string[];
  /** The number that a cell of it holds; NaN where it holds none. */
  readonly numberOf: (cell: string) => number;
  /** Its cells as numbers. Read when it is asked for. */
  readonly numbers: () => Float64Array<ArrayBuffer>;
}

/** Every column of the table, with what its values look like. */
export function columnsOf({ columns, separator }: CsvTable): readonly Column[] {
  return columns.map(({ name, cells: raw }) => {
    const cells = raw.map(valueIn);
    const values = new Set(cells);
    values.delete("");
    const missing = cells.reduce((sum, cell) => sum + (cell === "" ? 1 : 0), 0);
    const numberOf = (cell: string) => numberIn(cell, separator !== ",");
    return {
      name,
      cells,
      numberOf,
      numbers: () => Float64Array.from(cells, numberOf),
      missing,
      distinct: values.size,
      examples: [...values].slice(0, EXAMPLES).map((value) => excerpt(value, EXAMPLE_CHARACTERS)),
      ...guessed(name, values, cells.length - missing, separator !== ","),
    };
  });
}

/** What a cell says: nothing where it is one of the ways to write that. */
export function valueIn(cell: string): string {
  return MISSING.has(cell.toLowerCase()) ? "" : cell;
}

/** The columns as the person wants them used, and which of them is learned. */
export function chosenColumns(
  columns: readonly Column[],
  corrections: string,
  wanted: string,
): { readonly columns: readonly Column[]; readonly target: Column } {
  const read = correctionsOf(corrections);
  if (!read.ok) throw invalid(`The setting “columns”: ${read.problem}`);
  for (const name of read.kinds.keys()) expectColumn(columns, name, "columns");
  const corrected = columns.map((column) => {
    const kind = read.kinds.get(column.name) ?? column.kind;
    if (kind === "number" && kind !== column.kind && column.numbers().every(Number.isNaN))
      throw invalid(`The column “${column.name}” holds no number at all; make it a category, or ignore it.`);
    return { ...column, kind };
  });
  const name = wanted === "" ? usualTarget(corrected) : wanted;
  if (name === null) throw invalid(`No column can be used: ${reasons(corrected)}. Choose another table.`);
  const target = expectColumn(corrected, name, "target");
  if (target.kind === "ignored")
    throw invalid(
      `The target “${name}” is ignored: make it a number or a category, or choose another target.`,
    );
  if (corrected.every((column) => column === target || column.kind === "ignored"))
    throw invalid(
      `Only “${name}” can be used, and there is nothing to tell it from: ${reasons(corrected)}. Use another column, or choose another table.`,
    );
  return { columns: corrected, target };
}

/** The number that a cell holds; NaN where it holds none. `decimalComma`: 1,5 is one and a half, as where `;` separates. */
export function numberIn(cell: string, decimalComma: boolean): number {
  const text = decimalComma ? cell.replace(",", ".") : cell;
  if (!NUMBER.test(text)) return Number.NaN;
  const value = Number(text);
  return Math.abs(value) <= LARGEST ? value : Number.NaN;
}

function guessed(
  name: string,
  values: ReadonlySet<string>,
  present: number,
  decimalComma: boolean,
): { readonly kind: ColumnKind; readonly why?: string } {
  if (values.size === 0) return { kind: "ignored", why: "no value" };
  if (values.size === 1) return { kind: "ignored", why: "always the same" };
  const areDifferent = values.size === present;
  if ([...values].every((value) => !Number.isNaN(numberIn(value, decimalComma)))) {
    // In its column's order, because a set keeps it.
    const numbers = Array.from(values, (value) => numberIn(value, decimalComma));
    const first = numbers[0] ?? 0;
    if (areDifferent && values.size > 2 && numbers.every((value, i) => value === first + i))
      return { kind: "ignored", why: "counts the rows" };
    if (areDifferent && /^(?:id|index|key|.*[_ ]id)$/i.test(name)) return { kind: "ignored", why: "an id" };
    // Yes and no, mostly: as a target that is no amount.
    return { kind: values.size === 2 && present > 2 ? "category" : "number" };
  }
  return values.size * 2 > present
    ? { kind: "ignored", why: "texts that hardly repeat" }
    : { kind: "category" };
}

function expectColumn<T extends ColumnFacts>(columns: readonly T[], name: string, setting: string): T {
  const found = columns.find((column) => column.name === name);
  if (found !== undefined) return found;
  const names = excerpt(columns.map((column) => column.name).join(", "), 400);
  throw invalid(
    `The setting “${setting}” names “${name}”, which is no column of the table; its columns are ${names}.`,
  );
}

function reasons(columns: readonly Column[]): string {
  const ignored = columns.filter(({ kind }) => kind === "ignored");
  return excerpt(ignored.map(({ name, why = "ignored" }) => `${name} (${why})`).join(", "), 400);
}

function invalid(message: string): HoldfastError {
  return new HoldfastError("invalid", message);
}
