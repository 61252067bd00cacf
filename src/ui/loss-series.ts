/**
 * The losses and rates of a run as growing typed arrays, and the view of them that a chart draws.
 *
 * A run of a week has millions of steps, so nothing here is a proxied array and nothing is copied per step.
 * Who reads it keeps a revision counter beside it.
 */
import type { Evaluation } from "../policy/evaluation";
import type { JournalRows, RunRecord } from "../worker/protocol";
import { LossBlocks } from "./loss-blocks";

const FIRST_CAPACITY = 1024;
/** Steps before a fork that smoothing still hears of: of the strongest, 0.99, a part in 10^9 is left of what came before. */
const LEAD_STEPS = 2048;

/** What a fork's parent lost before the fork's first step, as far as it counts for how the steps after it are smoothed. */
export async function leadOf(
  api: { journal: (run: string, from?: number, to?: number) => Promise<JournalRows> },
  fork: Pick<RunRecord, "parent" | "firstStep"> | null,
): Promise<Float32Array> {
  const { parent = null, firstStep = 0 } = fork ?? {};
  if (parent === null || firstStep < 1) return new Float32Array();
  return (await api.journal(parent.run, Math.max(1, firstStep - LEAD_STEPS + 1), firstStep)).loss;
}

/** Points of a line, x ascending; null where there is nothing to draw. */
export interface ChartView {
  readonly x: number[];
  readonly raw: (number | null)[];
  readonly smooth: (number | null)[];
}

/** Loss and rate by step, without gaps. */
export class LossSeries {
  #loss = new Float32Array(FIRST_CAPACITY);
  #rate = new Float32Array(FIRST_CAPACITY);
  #first = 1;
  #length = 0;
  readonly #blocks = new LossBlocks();

  /** Step of the first row. */
  get first(): number {
    return this.#first;
  }

  get length(): number {
    return this.#length;
  }

  /** Newest step, or the one before the first row. */
  get last(): number {
    return this.#first + this.#length - 1;
  }

  /** Loss of a step; null where there is no row of it. */
  lossAt(step: number): number | null {
    return this.#at(this.#loss, step);
  }

  /** Learning rate that made a step; null where there is no row of it. */
  rateAt(step: number): number | null {
    return this.#at(this.#rate, step);
  }

  #at(values: Float32Array, step: number): number | null {
    const row = step - this.#first;
    return row >= 0 && row < this.#length ? (values[row] ?? null) : null;
  }

  /**
   * Takes rows that follow, overlap or replace; steps computed again after a crash come a second time.
   * False, and nothing taken, where rows in between are missing.
   */
  append(rows: JournalRows): boolean {
    if (rows.loss.length === 0) return true;
    if (this.#length === 0) this.#first = rows.from;
    const row = rows.from - this.#first;
    if (row < 0 || row > this.#length) return false;
    const end = Math.max(this.#length, row + rows.loss.length);
    this.#reserve(end);
    this.#loss.set(rows.loss, row);
    this.#rate.set(rows.rate, row);
    this.#length = end;
    this.#blocks.changed(row);
    return true;
  }

  /** What was lost before the first row: smoothing goes on from there, as if it had not begun anew with a fork. */
  follow(lead: Float32Array): void {
    this.#blocks.begin(lead);
  }

  clear(): void {
    this.#length = 0;
    this.#blocks.changed(0);
  }

  #reserve(length: number): void {
    if (length <= this.#loss.length) return;
    const capacity = 2 ** Math.ceil(Math.log2(length));
    const loss = new Float32Array(capacity);
    const rate = new Float32Array(capacity);
    loss.set(this.#loss);
    rate.set(this.#rate);
    this.#loss = loss;
    this.#rate = rate;
  }

  /** The first step at which the loss, smoothed as in `view`, is at most so much; null where it never is. */
  firstAtMost(value: number, smoothing: number): number | null {
    const average = this.#blocks.before(smoothing, false);
    for (let row = 0; row < this.#length; row++) {
      const loss = this.#loss[row] ?? Number.NaN;
      if (Number.isFinite(loss)) average.add(loss);
      const smoothed = average.value;
      if (smoothed !== null && smoothed <= value) return this.#first + row;
    }
    return null;
  }

  /**
   * At most about `points` points of steps `from` … `to`. Where steps share a bucket its lowest and highest loss
   * are both drawn, so that no spike is lost. `smoothing` is the weight of the past, 0 … 1.
   * `positive` leaves out what a log scale cannot show.
   */
  view(from: number, to: number, points: number, smoothing: number, positive: boolean): ChartView {
    const x: number[] = [];
    const raw: (number | null)[] = [];
    const smooth: (number | null)[] = [];
    const start = Math.max(0, from - this.#first);
    const end = Math.min(this.#length, to - this.#first + 1);
    const bucket = Math.max(1, Math.ceil((2 * (end - start)) / points));
    for (let row = start; row < end; row += bucket) {
      const next = Math.min(row + bucket, end);
      const { low, high } = this.#blocks.extremes(this.#loss, row, next, positive);
      const smoothed = this.#blocks.meanAt(this.#loss, next - 1, smoothing, positive);
      if (low < 0) {
        x.push(this.#first + next - 1);
        raw.push(null);
        smooth.push(smoothed);
      } else {
        for (const at of low === high ? [low] : [Math.min(low, high), Math.max(low, high)]) {
          x.push(this.#first + at);
          raw.push(this.#loss[at] ?? null);
          smooth.push(smoothed);
        }
      }
    }
    return { x, raw, smooth };
  }
}

/**
 * A metric of evaluations at the steps of a view, each at the nearest there is; null where there is none. `positive` leaves
 * out what a log scale cannot show.
 */
export function pointsAt(
  x: readonly number[],
  evaluations: readonly Evaluation[],
  metric: string,
  positive: boolean,
): (number | null)[] {
  const points = new Array<number | null>(x.length).fill(null);
  let at = 0;
  for (const { step, metrics } of evaluations) {
    const value = metrics[metric];
    if (value === undefined || (positive && value <= 0)) continue;
    if (step < (x[0] ?? Infinity) || step > (x.at(-1) ?? -Infinity)) continue;
    while (at + 1 < x.length && Math.abs((x[at + 1] ?? 0) - step) <= Math.abs((x[at] ?? 0) - step)) at += 1;
    points[at] = value;
  }
  return points;
}

/** Where the x-axis ends: a little ahead of the run, in strides so that it does not creep with every step. */
export function axisEnd(first: number, step: number, steps: number, training: boolean): number {
  const done = Math.max(step - first, 1);
  if (!training) return first + Math.max(done, Math.min(10, steps - first));
  const stride = 2 ** Math.max(3, Math.ceil(Math.log2(done)) - 3);
  const ahead = first + (Math.floor(done / stride) + 1) * stride;
  return Math.min(Math.max(ahead, step), Math.max(steps, step));
}
