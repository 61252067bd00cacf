/** What a network's outputs for rows of a table are worth: losses, metrics, and how they lie beside the truth. */
import { excerpt } from "../excerpt";
import type { Answers } from "../format/answers";
import type { Panel } from "../format/picture";
import type { TableRows } from "./table-rows";

/** Cells that name a row, beside its number; and how much of one. */
const NAMING_CELLS = 3;
const CELL_CHARACTERS = 24;
/** Of the classes that one row may be of. */
const SHOWN_CLASSES = 10;

type Target = TableRows["target"];

/** Logits of its classes, or one number: spreads from the mean. */
export function outputsOf(target: Target): number {
  return target.kind === "class" ? target.classes.length : 1;
}

/** In the unit of the training loss: nats, or squared spreads. `outputs` is [rows, outputs]. */
export function meanLoss(target: Target, outputs: Float32Array, rows: Uint32Array): number {
  let sum = 0;
  for (const [i, row] of rows.entries()) {
    if (target.kind === "class") {
      const logits = logitsOf(target.classes.length, outputs, i);
      const most = logits.reduce((a, b) => Math.max(a, b), -Infinity);
      const total = logits.reduce((share, logit) => share + Math.exp(logit - most), 0);
      sum += most + Math.log(total) - at(logits, at(target.of, row));
    } else sum += (at(outputs, i) - (at(target.of, row) - target.mean) / target.spread) ** 2;
  }
  return sum / rows.length;
}

/** What an evaluation tells. `val_rmse` is in the target's own unit. */
export function metricsOf(
  target: Target,
  outputs: Float32Array,
  rows: Uint32Array,
): Readonly<Record<string, number>> {
  const val_loss = meanLoss(target, outputs, rows);
  if (target.kind === "class") {
    const right = rows.filter((row, i) => likeliest(target.classes.length, outputs, i) === target.of[row]);
    return { val_loss, val_accuracy: right.length / rows.length };
  }
  const truth = Array.from(rows, (row) => at(target.of, row));
  const mean = truth.reduce((sum, value) => sum + value, 0) / truth.length;
  const around = truth.reduce((sum, value) => sum + (value - mean) ** 2, 0) / truth.length;
  const error = val_loss * target.spread ** 2;
  // Of rows that all have the same value nothing is explained, and no share of it.
  return { val_loss, val_rmse: Math.sqrt(error), ...(around > 0 && { val_r2: 1 - error / around }) };
}

/** What the network says of each row, and what is right; amounts in the target's own unit. */
export function answersOf(
  { target, named }: Pick<TableRows, "target" | "named">,
  outputs: Float32Array,
  rows: Uint32Array,
): Answers {
  const examples = Array.from(rows, (row) => rowWords(named, row));
  if (target.kind === "class") {
    const { classes } = target;
    const given = Int32Array.from(rows, (_, i) => likeliest(classes.length, outputs, i));
    return {
      kind: "classes",
      examples,
      classes,
      right: Int32Array.from(rows, (row) => at(target.of, row)),
      given,
    };
  }
  const given = Float64Array.from(rows, (_, i) => amountAt(target, outputs, i));
  const right = Float64Array.from(rows, (row) => at(target.of, row));
  return { kind: "amounts", examples, of: target.name, right, given };
}

/** Its number, counted from 1 below the names, and what stands in its first cells. */
function rowWords(columns: TableRows["named"], row: number): string {
  const cells = columns.slice(0, NAMING_CELLS).map(({ name, cells }) => {
    return `${name} ${excerpt(cells[row] ?? "", CELL_CHARACTERS) || "–"}`;
  });
  return `row ${row + 1}: ${cells.join(", ")}`;
}

/** Classes as a confusion matrix, amounts as points. */
export function resultPanel(target: Target, outputs: Float32Array, rows: Uint32Array): Panel {
  const about = {
    title: `${target.name}, true and predicted`,
    note: `${rows.length.toLocaleString("en")} held-out rows`,
  };
  if (target.kind === "class") {
    const { classes } = target;
    const counts = new Int32Array(classes.length ** 2);
    for (const [i, row] of rows.entries()) {
      const cell = at(target.of, row) * classes.length + likeliest(classes.length, outputs, i);
      counts[cell] = at(counts, cell) + 1;
    }
    return { kind: "confusion", ...about, classes, counts };
  }
  const points = new Float32Array(2 * rows.length);
  for (const [i, row] of rows.entries())
    points.set([at(target.of, row), amountAt(target, outputs, i)], 2 * i);
  return { kind: "scatter", ...about, x: target.name, y: `${target.name} as predicted`, points };
}

/** What is said of one row: how likely each class is, or the amount. */
export function answerPanel(target: Target, outputs: Float32Array): Panel {
  const title = `${target.name}, as predicted`;
  if (target.kind === "amount") {
    const { mean, spread } = target;
    return { kind: "amount", title, value: amountAt(target, outputs, 0), mean, spread };
  }
  const logits = logitsOf(target.classes.length, outputs, 0);
  const most = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  const shares = Array.from(logits, (logit) => Math.exp(logit - most));
  const total = shares.reduce((sum, share) => sum + share, 0);
  const bars = target.classes
    .map((name, i) => ({ name, value: at(shares, i) / total }))
    .toSorted((a, b) => b.value - a.value);
  const left = bars.length - SHOWN_CLASSES;
  return {
    kind: "bars",
    title,
    ...(left > 0 && { note: `the likeliest ${SHOWN_CLASSES} of ${bars.length}` }),
    bars: bars.slice(0, SHOWN_CLASSES),
  };
}

/** What is predicted for the row at place `i`. */
function amountAt(
  target: Extract<Target, { readonly kind: "amount" }>,
  outputs: Float32Array,
  i: number,
): number {
  return target.mean + target.spread * at(outputs, i);
}

/** The likeliest class of the row at place `i`. */
function likeliest(classes: number, outputs: Float32Array, i: number): number {
  const logits = logitsOf(classes, outputs, i);
  return logits.reduce((best, logit, k) => (logit > at(logits, best) ? k : best), 0);
}

function logitsOf(classes: number, outputs: Float32Array, i: number): Float32Array {
  return outputs.subarray(i * classes, (i + 1) * classes);
}

function at(values: { readonly [index: number]: number }, i: number): number {
  return values[i] ?? Number.NaN;
}
