import { expect, suite, test } from "vitest";
import { histogramOf } from "../../src/analysis/histogram";

const floats = (...values: number[]) => Float32Array.from(values);

/** Bins that are not empty, with how many values they have. */
const filled = (counts: Uint32Array | null | undefined) =>
  [...(counts ?? [])].flatMap((count, bin) => (count === 0 ? [] : [[bin, count]]));

suite("a histogram", () => {
  test("has the same bins on all sides, from the lowest value of any to the highest", () => {
    // Bins of width 1, from 0 to 48.
    const { low, high, counts } = histogramOf([floats(0, 0.5, 1, 47), floats(48, 47.9, 2), null]);
    expect([low, high]).toEqual([0, 48]);
    expect(filled(counts[0])).toEqual([
      [0, 2],
      [1, 1],
      [47, 1],
    ]);
    // The highest value is in the last bin, and not behind it.
    expect(filled(counts[1])).toEqual([
      [2, 1],
      [47, 2],
    ]);
    expect(counts[2]).toBeNull();
  });

  test("places each value once, or says that it cannot", () => {
    const values = Float32Array.from({ length: 10_000 }, (_, i) => Math.sin(i) * 3);
    values.set([Number.NaN, Infinity, -Infinity], 100);
    const { low, high, counts, unplaced } = histogramOf([values, floats(1, 2)]);
    expect(low).toBeGreaterThanOrEqual(-3);
    expect(high).toBeLessThanOrEqual(3);
    expect(counts[0]?.reduce((sum, count) => sum + count, 0)).toBe(10_000 - 3);
    expect(unplaced).toEqual([3, 0]);
  });

  test("of values that are all the same, or none, is one bin", () => {
    expect(filled(histogramOf([floats(0, 0, 0), floats(0)]).counts[0])).toEqual([[0, 3]]);
    expect(histogramOf([floats(Number.NaN)])).toMatchObject({ low: 0, high: 0, unplaced: [1] });
  });
});
