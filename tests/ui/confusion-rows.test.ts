import { expect, suite, test } from "vitest";
import { confusionRows } from "../../src/ui/confusion-rows";

/** Of `size` classes `c0` …, the counts of some cells. */
function panelOf(size: number, cells: readonly (readonly [row: number, column: number, count: number])[]) {
  const counts = new Int32Array(size ** 2);
  for (const [row, column, count] of cells) counts[row * size + column] = count;
  return { classes: Array.from({ length: size }, (_, i) => `c${i}`), counts };
}

suite("a confusion matrix", () => {
  test("of up to twenty classes has a row for each, with what they were said to be", () => {
    const { rows, rest } = confusionRows(
      panelOf(20, [
        [3, 3, 8],
        [3, 5, 2],
      ]),
    );
    expect(rest).toBeNull();
    expect(rows.map(({ name }) => name)).toEqual(Array.from({ length: 20 }, (_, i) => `c${i}`));
    expect(rows[3]).toMatchObject({ total: 10 });
    expect(rows[3]?.counts.slice(3, 6)).toEqual([8, 0, 2]);
  });

  test("of more has the most frequent ones in their order, and the rest as one that loses no example", () => {
    const often = Array.from({ length: 19 }, (_, i) => [64 - 3 * i, 64 - 3 * i, 5] as const);
    const seldom = [
      [0, 0, 2],
      [0, 64, 1],
      [2, 3, 2],
      [64, 0, 1],
    ] as const;
    const { rows, rest } = confusionRows(panelOf(65, [...often, ...seldom]));
    expect(rows.map(({ name }) => name)).toEqual([
      ...Array.from({ length: 19 }, (_, i) => `c${10 + 3 * i}`),
      "46 others",
    ]);
    expect(rest).toEqual({ classes: 46, right: 2 });
    // Said to be `c64`, and of the rest: two rightly, two of one for another.
    expect(rows.at(-1)).toMatchObject({ total: 5 });
    expect(rows.at(-1)?.counts.slice(-2)).toEqual([1, 4]);
    expect(rows.at(-2)?.counts.slice(-2)).toEqual([5, 1]);
    expect(rows.every(({ counts, total }) => counts.reduce((sum, one) => sum + one, 0) === total)).toBe(true);
    expect(rows.reduce((sum, { total }) => sum + total, 0)).toBe(19 * 5 + 6);
  });

  test("of classes as frequent as each other shows the first", () => {
    const { rows } = confusionRows(panelOf(30, []));
    expect(rows.slice(0, -1).map(({ name }) => name)).toEqual(Array.from({ length: 19 }, (_, i) => `c${i}`));
  });
});
