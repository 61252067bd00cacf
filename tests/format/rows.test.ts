import { expect, suite, test } from "vitest";
import { joinRows, lastStep, piecesOf } from "../../src/format/rows";
import { sampleRows } from "../support/run-samples";

suite("pieces of rows", () => {
  test.each([
    [1, 7, 3, [3, 3, 1]],
    [5, 10, 3, [3, 3]],
    [2, 2, 3, [1]],
  ])("steps %d to %d, at most %d to a piece", (from, to, most, lengths) => {
    const rows = sampleRows(from, to);
    const pieces = piecesOf(rows, most);
    expect(pieces.map(({ loss }) => loss.length)).toEqual(lengths);
    expect(joinRows(pieces)).toEqual(rows);
    expect(lastStep(pieces.at(-1) ?? rows)).toBe(to);
  });

  test("nothing has none", () => {
    expect(piecesOf(null, 3)).toEqual([]);
  });
});
