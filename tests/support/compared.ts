/** A tensor of two sides that a comparison could have given. */
import type { ComparedTensor } from "../../src/analysis/compare";

export function comparedTensor(name: string, relative: number | null, norm = 1): ComparedTensor {
  return {
    name,
    shape: [2, 3],
    sides: [
      { relative: 0, cosine: 1, norm: 1 },
      { relative, cosine: relative === null ? null : 1 - relative, norm },
    ],
    histogram: { low: 0, high: 0, counts: [null, null], unplaced: [0, 0] },
    image: null,
  };
}
