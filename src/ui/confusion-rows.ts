/** A confusion matrix as rows for people: of many classes the most frequent ones, the rest as one. */
import type { Panel } from "../worker/protocol";

/** Rows and columns that can be read beside a run. */
const MOST = 20;

export interface ConfusionRow {
  readonly name: string;
  /** How many of it were said to be of each row's class, in the order of the rows. */
  readonly counts: readonly number[];
  readonly total: number;
}

export interface ConfusionRows {
  readonly rows: readonly ConfusionRow[];
  /** Classes that are the last row and column together, and how many of their examples are told rightly; null where there are none. */
  readonly rest: { readonly classes: number; readonly right: number } | null;
}

/** Classes stay in their order; of equally frequent ones the first are shown. */
export function confusionRows({
  classes,
  counts,
}: Pick<Extract<Panel, { readonly kind: "confusion" }>, "classes" | "counts">): ConfusionRows {
  const size = classes.length;
  const countAt = (row: number, column: number): number => counts[row * size + column] ?? 0;
  const all = [...classes.keys()];
  const totals = all.map((row) => all.reduce((sum, column) => sum + countAt(row, column), 0));
  const often = all.toSorted((a, b) => (totals[b] ?? 0) - (totals[a] ?? 0) || a - b);
  const shown = size <= MOST ? all : often.slice(0, MOST - 1).sort((a, b) => a - b);
  const left = size <= MOST ? [] : often.slice(MOST - 1);
  const groups = [...shown.map((one) => [one]), ...(left.length === 0 ? [] : [left])];
  return {
    rows: groups.map((group, at) => ({
      name: at < shown.length ? (classes[shown[at] ?? 0] ?? "") : `${left.length} others`,
      counts: groups.map((other) => sum(group.flatMap((row) => other.map((column) => countAt(row, column))))),
      total: sum(group.map((row) => totals[row] ?? 0)),
    })),
    rest:
      left.length === 0 ? null : { classes: left.length, right: sum(left.map((one) => countAt(one, one))) },
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((before, one) => before + one, 0);
}
