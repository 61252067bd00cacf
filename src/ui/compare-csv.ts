/** The tables of a comparison for other programs: every number in full, every side named by its run and step. */
import type { ComparedSide, ComparedTensor, Difference } from "../analysis/compare";
import type { LinePoint } from "../analysis/interpolation";
import type { AnswerChange } from "./answer-changes";
import { csv } from "./csv";
import { SIDES } from "./route";
import { columnsFor, MEASURES, valueOf } from "./tensor-order";

/** `A (Shakespeare, step 800)`. */
export function sideWords(sides: readonly ComparedSide[], index: number): string {
  const { runName = "", step = "" } = sides[index] ?? {};
  return `${SIDES[index]?.toUpperCase()} (${runName}, step ${step})`;
}

/** A row to a tensor, a column to each measure of each side. */
export function tensorsCsv(sides: readonly ComparedSide[], tensors: readonly ComparedTensor[]): string {
  const columns = columnsFor(sides.length);
  return csv([
    ["tensor", "shape", ...columns.map(({ of, side }) => `${MEASURES[of]} ${sideWords(sides, side)}`)],
    ...tensors.map((tensor) => [
      tensor.name,
      tensor.shape.join("x"),
      ...columns.map((column) => valueOf(tensor, column) ?? ""),
    ]),
  ]);
}

/** Metrics, and what differs of settings and environment. */
export function differencesCsv(
  sides: readonly ComparedSide[],
  metrics: readonly Readonly<Record<string, number>>[],
  differing: readonly Difference[],
): string {
  const names = [...new Set(metrics.flatMap((side) => Object.keys(side)))];
  return csv([
    ["of", "name", ...sides.map((_, index) => sideWords(sides, index))],
    ...names.map((name) => ["metrics", name, ...metrics.map((side) => side[name] ?? "")]),
    ...differing.map(({ of, name, values }) => [of, name, ...values.map((value) => cellOf(value))]),
  ]);
}

function cellOf(value: Difference["values"][number]): string | number {
  if (value === null) return "";
  return typeof value === "boolean" ? String(value) : value;
}

/** A row to an example of which the two do not say the same. */
export function changesCsv(changes: readonly AnswerChange[]): string {
  return csv([
    ["example", "right", "from", "to", "became"],
    ...changes.map(({ example, right, from, to, became }) => [example, right, from, to, became]),
  ]);
}

/** A row to a point, a column to each metric. */
export function lineCsv(points: readonly LinePoint[]): string {
  const names = [...new Set(points.flatMap(({ metrics }) => Object.keys(metrics)))];
  return csv([
    ["alpha", ...names],
    ...points.map(({ alpha, metrics }) => [alpha, ...names.map((name) => metrics[name] ?? "")]),
  ]);
}
