/**
 * What is known of every 64 losses of a run, so that a view of a million of them need not look at each one: where the
 * lowest and the highest is, and the exponential mean up to there.
 */

const BLOCK_ROWS = 64;
const FIRST_CAPACITY = 64;

/** An exponential mean, corrected for its start (as Adam's moments are), so that a line does not begin at 0. */
export class Average {
  readonly #past: number;
  sum = 0;
  weight = 0;

  /** `past`: the weight of what came before, 0 … 1. */
  constructor(past: number) {
    this.#past = past;
  }

  add(value: number): void {
    this.sum = this.#past * this.sum + (1 - this.#past) * value;
    this.weight = this.#past * this.weight + (1 - this.#past);
  }

  get value(): number | null {
    return this.weight > 0 ? this.sum / this.weight : null;
  }
}

/** Can it be drawn? `positive`: on a log scale. */
function isDrawable(value: number, positive: boolean): boolean {
  return Number.isFinite(value) && (!positive || value > 0);
}

export interface Extremes {
  /** Rows; −1 where nothing can be drawn. */
  readonly low: number;
  readonly high: number;
}

/** It is handed the losses with each call: they grow, and their array is replaced. */
export class LossBlocks {
  #low = new Int32Array(FIRST_CAPACITY);
  #high = new Int32Array(FIRST_CAPACITY);
  /** Whole blocks of which lowest and highest are known. */
  #known = 0;
  /** Sum and weight of the mean before each block, for one smoothing and scale at a time. */
  #means = new Float64Array(2 * FIRST_CAPACITY);
  #averaged = 0;
  #past = Number.NaN;
  #positive = false;
  #lead: Float32Array = new Float32Array();

  /** Losses from before the first row, which only the mean knows of. */
  begin(lead: Float32Array): void {
    this.#lead = lead;
    this.#averaged = 0;
  }

  /** The mean before the first row. */
  before(past: number, positive: boolean): Average {
    const mean = new Average(past);
    addAll(mean, this.#lead, 0, this.#lead.length, positive);
    return mean;
  }

  /** Rows from this one on are others, or new. */
  changed(row: number): void {
    const block = Math.floor(row / BLOCK_ROWS);
    this.#known = Math.min(this.#known, block);
    // The mean before a block has nothing of the block itself.
    this.#averaged = Math.min(this.#averaged, block + 1);
  }

  /** Where the lowest and the highest of rows `from` … `to` − 1 are; the first of equals. */
  extremes(loss: Float32Array, from: number, to: number, positive: boolean): Extremes {
    this.#know(loss, Math.floor(to / BLOCK_ROWS));
    let low = -1;
    let high = -1;
    const look = (row: number): void => {
      const value = loss[row] ?? Number.NaN;
      if (!isDrawable(value, positive)) return;
      if (low < 0 || value < (loss[low] ?? 0)) low = row;
      if (high < 0 || value > (loss[high] ?? 0)) high = row;
    };
    let row = from;
    while (row < to) {
      const isBlock = row % BLOCK_ROWS === 0 && row + BLOCK_ROWS <= to;
      const lowest = isBlock ? (this.#low[row / BLOCK_ROWS] ?? -1) : -1;
      if (isBlock && lowest < 0) row += BLOCK_ROWS;
      // Where the lowest cannot be drawn, the next one is not known.
      else if (isBlock && isDrawable(loss[lowest] ?? 0, positive)) {
        look(lowest);
        look(this.#high[row / BLOCK_ROWS] ?? -1);
        row += BLOCK_ROWS;
      } else {
        look(row);
        row += 1;
      }
    }
    return { low, high };
  }

  /** The mean of rows 0 … `row`. `past` is the weight of what came before. */
  meanAt(loss: Float32Array, row: number, past: number, positive: boolean): number | null {
    if (past !== this.#past || positive !== this.#positive) {
      this.#past = past;
      this.#positive = positive;
      this.#averaged = 0;
    }
    const block = Math.floor(row / BLOCK_ROWS);
    this.#average(loss, block);
    const mean = new Average(past);
    mean.sum = this.#means[2 * block] ?? 0;
    mean.weight = this.#means[2 * block + 1] ?? 0;
    addAll(mean, loss, block * BLOCK_ROWS, row + 1, positive);
    return mean.value;
  }

  #know(loss: Float32Array, blocks: number): void {
    if (blocks <= this.#known) return;
    this.#low = grown(this.#low, new Int32Array(capacityFor(blocks)));
    this.#high = grown(this.#high, new Int32Array(capacityFor(blocks)));
    for (; this.#known < blocks; this.#known += 1) {
      let low = -1;
      let high = -1;
      const start = this.#known * BLOCK_ROWS;
      for (let row = start; row < start + BLOCK_ROWS; row += 1) {
        const value = loss[row] ?? Number.NaN;
        if (!Number.isFinite(value)) continue;
        if (low < 0 || value < (loss[low] ?? 0)) low = row;
        if (high < 0 || value > (loss[high] ?? 0)) high = row;
      }
      this.#low[this.#known] = low;
      this.#high[this.#known] = high;
    }
  }

  /** So that the mean before that block is known. */
  #average(loss: Float32Array, block: number): void {
    if (block < this.#averaged) return;
    this.#means = grown(this.#means, new Float64Array(2 * capacityFor(block + 1)));
    for (; this.#averaged <= block; this.#averaged += 1) {
      const at = this.#averaged - 1;
      const mean = at < 0 ? this.before(this.#past, this.#positive) : new Average(this.#past);
      if (at >= 0) {
        mean.sum = this.#means[2 * at] ?? 0;
        mean.weight = this.#means[2 * at + 1] ?? 0;
        addAll(mean, loss, at * BLOCK_ROWS, this.#averaged * BLOCK_ROWS, this.#positive);
      }
      this.#means[2 * this.#averaged] = mean.sum;
      this.#means[2 * this.#averaged + 1] = mean.weight;
    }
  }
}

function addAll(mean: Average, loss: Float32Array, from: number, to: number, positive: boolean): void {
  for (let row = from; row < to; row += 1) {
    const value = loss[row] ?? Number.NaN;
    if (isDrawable(value, positive)) mean.add(value);
  }
}

function capacityFor(blocks: number): number {
  return Math.max(FIRST_CAPACITY, 2 ** Math.ceil(Math.log2(blocks)));
}

/** The larger of the two, with what the first one holds. */
function grown<T extends Int32Array | Float64Array>(before: T, next: T): T {
  if (next.length <= before.length) return before;
  next.set(before);
  return next;
}
