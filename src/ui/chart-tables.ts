/** What charts and heat maps show, as tables of words: for those who do not see them, and for those who want the number. */
import type { Histogram } from "../analysis/histogram";
import type { LinePoint } from "../analysis/interpolation";
import type { TensorImage } from "../analysis/tensor-image";
import type { Evaluation } from "../policy/evaluation";
import type { CheckpointInfo, Panel } from "../worker/protocol";
import { bytes, count, duration, loss } from "./format";
import type { LossSeries } from "./loss-series";
import { familyOf, metricNames } from "./metric-lines";
import { SIDES } from "./route";
import { checkWords, reasonWords } from "./step-words";
import { metricWords } from "./words";

export interface ChartTable {
  readonly columns: readonly string[];
  /** The first cell names its row. */
  readonly rows: readonly (readonly string[])[];
}

type PanelOf<Kind extends Panel["kind"]> = Extract<Panel, { readonly kind: Kind }>;

/** So many are read through; who needs more takes the CSV. */
const ROWS = 24;

/** Whole numbers from the one to the other, evenly apart, both included. */
function spread(from: number, to: number, most: number): number[] {
  const steps = Math.min(most, to - from + 1);
  return Array.from({ length: steps }, (_, at) =>
    steps === 1 ? to : Math.round(from + (at / (steps - 1)) * (to - from)),
  );
}

/** The loss at steps from the first to the last, and at each evaluation. */
export function lossTable(
  series: LossSeries,
  evaluations: readonly Evaluation[],
  smoothing: number,
): ChartTable {
  const heldOut = new Map(evaluations.map(({ step, metrics }) => [step, metrics["val_loss"] ?? null]));
  const seen = series.length === 0 ? [] : spread(series.first, series.last, ROWS);
  const steps = [...new Set([...seen, ...heldOut.keys()])].sort((a, b) => a - b);
  return {
    columns: ["step", "loss", "smoothed", ...(heldOut.size > 0 ? ["held-out"] : [])],
    rows: steps.map((step) => [
      count(step),
      loss(series.lossAt(step)),
      loss(series.view(step, step, 2, smoothing, false).smooth[0] ?? null),
      ...(heldOut.size > 0 ? [loss(heldOut.get(step) ?? null)] : []),
    ]),
  };
}

/** A family of metrics (`families`), evaluation by evaluation. */
export function familyTable(evaluations: readonly Evaluation[], family: string): ChartTable {
  const names = metricNames(evaluations).filter((name) => familyOf(name) === family);
  return {
    columns: ["step", ...names.map(metricWords)],
    rows: evaluations.flatMap(({ step, metrics }) =>
      names.some((name) => metrics[name] !== undefined)
        ? [[count(step), ...names.map((name) => loss(metrics[name] ?? null))]]
        : [],
    ),
  };
}

interface NamedLine {
  readonly name: string;
  readonly x: readonly number[];
  readonly y: readonly (number | null)[];
}

/** Lines at the same places, evenly apart; a line that has ended, or not begun, says nothing. */
export function linesTable(
  x: string,
  lines: readonly NamedLine[],
  xWords: (x: number) => string,
): ChartTable {
  const all = lines.flatMap((line) => [line.x[0] ?? Infinity, line.x.at(-1) ?? Infinity]);
  const ends = all.filter((end) => Number.isFinite(end));
  if (ends.length === 0) return { columns: [x], rows: [] };
  const places = spread(Math.ceil(Math.min(...ends)), Math.floor(Math.max(...ends)), ROWS);
  return {
    columns: [x, ...lines.map(({ name }) => name)],
    rows: places.map((place) => [
      xWords(place),
      ...lines.map((line) => {
        const at = line.x.findLastIndex((known) => known <= place);
        const isOver = at === line.x.length - 1 && line.x[at] !== place;
        return loss(isOver ? null : (line.y[at] ?? null));
      }),
    ]),
  };
}

export function lineTable(points: readonly LinePoint[]): ChartTable {
  return {
    columns: ["alpha", "held-out loss"],
    rows: points.map(({ alpha, metrics }) => [String(alpha), loss(metrics["val_loss"] ?? null)]),
  };
}

export function histogramTable({ low, high, counts }: Histogram): ChartTable {
  const sides = counts.flatMap((of, side) => (of === null ? [] : [{ of, side }]));
  const bins = sides[0]?.of.length ?? 0;
  const edge = (bin: number): string => loss(low + ((high - low) * bin) / bins);
  return {
    columns: ["values", ...sides.map(({ side }) => SIDES[side]?.toUpperCase() ?? "")],
    rows: Array.from({ length: bins }, (_, bin) => [
      `${edge(bin)} to ${edge(bin + 1)}`,
      ...sides.map(({ of }) => count(of[bin] ?? 0)),
    ]),
  };
}

/** Cell by cell, as it is painted. */
export function cellsTable({ rows, columns }: TensorImage, cells: Float32Array): ChartTable {
  return {
    columns: ["row", ...Array.from({ length: columns }, (_, column) => count(column + 1))],
    rows: Array.from({ length: rows }, (_, row) => [
      count(row + 1),
      ...Array.from(cells.subarray(row * columns, (row + 1) * columns), loss),
    ]),
  };
}

const BOUNDARY_CELLS = 9;

/** The probability of class 1 at places evenly apart. */
export function boundaryTable({ size, grid, extent }: PanelOf<"boundary">): ChartTable {
  const places = spread(0, size - 1, BOUNDARY_CELLS);
  const words = (at: number): string => (((2 * at) / (size - 1) - 1) * extent).toFixed(2);
  return {
    columns: ["y \\ x", ...places.map(words)],
    rows: places.map((row) => [
      words(size - 1 - row),
      ...places.map((column) => (grid[row * size + column] ?? Number.NaN).toFixed(2)),
    ]),
  };
}

/** How many points lie where their own class is the likelier one. */
export function pointsInPlace({ size, grid, extent, points }: PanelOf<"boundary">): number {
  const cell = (share: number): number => Math.min(size - 1, Math.max(0, Math.round(share * (size - 1))));
  let right = 0;
  for (let first = 0; first + 2 < points.length; first += 3) {
    const [x = 0, y = 0, kind = 0] = points.subarray(first, first + 3);
    const row = cell((1 - y / extent) / 2);
    const said = (grid[row * size + cell((x / extent + 1) / 2)] ?? 0) >= 0.5;
    right += Number(said === (kind === 1));
  }
  return right;
}

export function scatterTable({ x, y, points }: PanelOf<"scatter">): ChartTable {
  return {
    columns: [x, y],
    rows: Array.from({ length: Math.floor(points.length / 2) }, (_, at) => [
      loss(points[2 * at] ?? null),
      loss(points[2 * at + 1] ?? null),
    ]),
  };
}

export function columnsTable({ x, y, first, values }: PanelOf<"columns">): ChartTable {
  return { columns: [x, y], rows: Array.from(values, (value, at) => [count(first + at), loss(value)]) };
}

/** Each character that has a loss, in the order of the text. */
export function surprisesTable(text: string, losses: Float32Array): ChartTable {
  const characters = Array.from(text).slice(0, losses.length);
  return {
    columns: ["character", "loss"],
    rows: characters.map((one, at) => [
      one === " " ? "space" : JSON.stringify(one).slice(1, -1),
      loss(losses[at] ?? null),
    ]),
  };
}

/** Newest first, also those that lie too near to each other to be drawn. */
export function checkpointsTable(
  checkpoints: readonly CheckpointInfo[],
  bestBy: (checkpoint: CheckpointInfo) => readonly string[],
): ChartTable {
  return {
    columns: ["step", "saved", "training loss", "held-out loss", "size", "check"],
    rows: checkpoints
      .toReversed()
      .map((one) => [
        count(one.step),
        reasonWords(one.reason, bestBy(one)),
        loss(one.loss),
        loss(one.metrics["val_loss"] ?? null),
        bytes(one.storedBytes),
        checkWords(one.check),
      ]),
  };
}

export function savesTable(bars: readonly { readonly step: number; readonly ms: number }[]): ChartTable {
  return { columns: ["step", "took"], rows: bars.map(({ step, ms }) => [count(step), duration(ms)]) };
}
