/**
 * The rows of a table: which are trained on, what is learned, and the columns that a network reads.
 *
 * All of it is a function of bytes and settings, and not of the run's seed, which a fork may change: rows that the parent
 * trained on would be held out in its child. How many inputs there are hangs on all rows; every number on training rows only.
 */
import { HoldfastError } from "../errors";
import { words } from "../engine/random";
import type { Column } from "./columns";
import { chosenColumns, columnsOf } from "./columns";
import type { CsvTable } from "./csv";
import type { Settings } from "./settings";
import { categoriesOf, categoryInputs, numberInputs, spreadOf } from "./table-inputs";
import type { InputColumn } from "./table-inputs";

/** Whole numbers of at most so many values, each of them often, are the names of classes. */
const MAX_CLASS_NUMBERS = 10;
const ROWS_PER_CLASS_NUMBER = 10;
const MIN_ROWS = 10;

export type Target =
  | {
      readonly kind: "class";
      readonly classes: readonly string[];
      readonly of: Int16Array<ArrayBuffer>;
      /** The rarest values, which are one class: so many; 0 where each is one of its own. */
      readonly together: number;
      /** Are its values decimal numbers, more different ones than classes are named by? */
      readonly areDecimals: boolean;
    }
  /** In its own unit; `mean` and `spread`, its standard deviation, are those of the training rows. */
  | {
      readonly kind: "amount";
      readonly of: Float64Array<ArrayBuffer>;
      readonly mean: number;
      readonly spread: number;
    };

/** Rows are counted as in the table. */
export interface TableRows {
  readonly target: Target & Pick<Column, "name" | "cells">;
  readonly columns: readonly InputColumn[];
  /** All but the target, in the order of the table: rows are known by them, whatever the network is given. */
  readonly named: readonly Pick<Column, "name" | "cells">[];
  readonly ignored: readonly Column[];
  readonly inputs: number;
  readonly training: Uint32Array<ArrayBuffer>;
  readonly heldOut: Uint32Array<ArrayBuffer>;
  /** Left out, because there is nothing to learn from them. */
  readonly withoutTarget: number;
}

/** Throws `invalid` where the settings do not fit the table, or too few rows have a target. */
export function tableRows(table: CsvTable, settings: Settings): TableRows {
  const { columns, target } = chosenColumns(
    columnsOf(table),
    settings.text("columns"),
    settings.text("target"),
  );
  const numbers = target.numbers();
  const isAmount = isAmountOf(target, numbers, settings.choice("problem"));
  const all = Uint32Array.from(target.cells.keys());
  const known = all.filter((row) =>
    isAmount ? !Number.isNaN(numbers[row] ?? Number.NaN) : target.cells[row] !== "",
  );
  if (known.length < MIN_ROWS)
    throw new HoldfastError(
      "invalid",
      `${known.length} rows have a value of “${target.name}”; ${MIN_ROWS} are needed. Choose another target, or a longer table.`,
    );
  const order = shuffled(known, settings.number("split"), "data/table/split");
  const held = Math.min(
    Math.max(1, Math.round((known.length * settings.number("heldOut")) / 100)),
    known.length - 1,
  );
  const training = order.subarray(held);
  const used = columns
    .filter((column) => column !== target && column.kind !== "ignored")
    .map((column) =>
      column.kind === "number" ? numberInputs(column, training) : categoryInputs(column, training),
    );
  return {
    target: {
      name: target.name,
      cells: target.cells,
      ...(isAmount ? amountOf(numbers, training) : classOf(target, numbers, known)),
    },
    columns: used,
    named: columns.filter((column) => column !== target),
    ignored: columns.filter(({ kind }) => kind === "ignored"),
    inputs: used.reduce((sum, { inputs }) => sum + inputs, 0),
    training,
    heldOut: order.subarray(0, held),
    withoutTarget: all.length - known.length,
  };
}

/** The same elements in an order that is a function of seed and stream. */
export function shuffled(
  rows: Uint32Array<ArrayBuffer>,
  seed: number,
  stream: string,
): Uint32Array<ArrayBuffer> {
  const keys = words(seed, stream, 0, rows.length);
  // Equal keys, once in 2^32 pairs, keep their order.
  const places = Uint32Array.from(rows.keys()).sort((a, b) => (keys[a] ?? 0) - (keys[b] ?? 0) || a - b);
  return places.map((place) => rows[place] ?? 0);
}

function isAmountOf(target: Column, numbers: Float64Array<ArrayBuffer>, problem: string): boolean {
  const { name, kind, distinct, cells, missing } = target;
  if (distinct < 2)
    throw new HoldfastError(
      "invalid",
      `The target “${name}” has the same value in every row: there is nothing to learn. Choose another one.`,
    );
  if (problem === "classification") return false;
  if (problem === "regression") {
    const amounts = new Set(numbers.filter((number) => !Number.isNaN(number))).size;
    if (amounts < 2)
      throw new HoldfastError(
        "invalid",
        `The target “${name}” holds ${amounts === 0 ? "no numbers" : "one number again and again"}; a regression needs numbers that differ. Choose classification, or another target.`,
      );
    return true;
  }
  if (kind === "category") return false;
  const isNamed = numbers.every((number) => Number.isNaN(number) || Number.isInteger(number));
  const isOften = cells.length - missing >= distinct * ROWS_PER_CLASS_NUMBER;
  return !(isNamed && distinct <= MAX_CLASS_NUMBERS && isOften);
}

function amountOf(numbers: Float64Array<ArrayBuffer>, training: Uint32Array): Target {
  return { kind: "amount", of: numbers, ...spreadOf(numbers, training) };
}

function classOf({ cells, distinct }: Column, numbers: Float64Array, known: Uint32Array): Target {
  const { names, slotOf, others } = categoriesOf(known, cells);
  const values = Array.from(known, (row) => numbers[row] ?? Number.NaN);
  const areDecimals =
    distinct > MAX_CLASS_NUMBERS &&
    !values.some(Number.isNaN) &&
    values.some((value) => !Number.isInteger(value));
  return {
    kind: "class",
    classes: names,
    of: Int16Array.from(cells, slotOf),
    together: others.length,
    areDecimals,
  };
}
