/** How the values of a tensor are spread, on several sides over the same bins. */
import type { TensorValues } from "../format/tensors";

export interface Histogram {
  /** Edges of the first and the last bin; equal where every value is the same. */
  readonly low: number;
  readonly high: number;
  /** Values in each bin, side by side; null where a side has none of that tensor. */
  readonly counts: readonly (Uint32Array<ArrayBuffer> | null)[];
  /** Values that are NaN or infinite, and so in no bin, side by side. */
  readonly unplaced: readonly number[];
}

const BINS = 48;

/** From the lowest to the highest value of all sides in bins of equal width; the highest one is in the last bin. */
export function histogramOf(sides: readonly (TensorValues | null)[]): Histogram {
  const [low, high] = rangeOf(sides);
  const counted = sides.map((values) => values && countsOf(values, low, high));
  return {
    low,
    high,
    counts: counted.map((side) => side && side.counts),
    unplaced: counted.map((side) => side?.unplaced ?? 0),
  };
}

/** 0 to 0 where no value is finite. */
function rangeOf(sides: readonly (TensorValues | null)[]): readonly [low: number, high: number] {
  let low = Infinity;
  let high = -Infinity;
  for (const values of sides) {
    for (const value of values ?? []) {
      if (!Number.isFinite(value)) continue;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  return low <= high ? [low, high] : [0, 0];
}

function countsOf(
  values: TensorValues,
  low: number,
  high: number,
): { readonly counts: Uint32Array<ArrayBuffer>; readonly unplaced: number } {
  const counts = new Uint32Array(BINS);
  let unplaced = 0;
  for (const value of values) {
    if (!Number.isFinite(value)) {
      unplaced += 1;
      continue;
    }
    const bin = high > low ? Math.min(BINS - 1, Math.floor(((value - low) / (high - low)) * BINS)) : 0;
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return { counts, unplaced };
}
