import { expect, suite, test } from "vitest";
import { placedMarks } from "../../src/ui/chart-marks";

const FAR = 1000;

/** Side, middle of the letter, turn of turns. */
function placed(lefts: readonly number[], right = FAR) {
  const marks = lefts.map((left, side) => ({ left, side }));
  return placedMarks(marks, 10, right).map(({ side, letter, turn, turns }) => [side, letter, turn, turns]);
}

suite("marks on a chart", () => {
  test("that stand apart stay where they are, each with its whole line", () => {
    expect(placed([300, 100, 110])).toEqual([
      [1, 100, 0, 1],
      [2, 110, 0, 1],
      [0, 300, 0, 1],
    ]);
  });

  test("at one place share the line in turns, and their letters stand side by side", () => {
    expect(placed([50, 200, 50, 50])).toEqual([
      [0, 50, 0, 3],
      [2, 60, 1, 3],
      [3, 70, 2, 3],
      [1, 200, 0, 1],
    ]);
  });

  test("that are close keep their lines, and a letter gives way to the one before it", () => {
    expect(placed([100, 103, 108, 140])).toEqual([
      [0, 100, 0, 1],
      [1, 110, 0, 1],
      [2, 120, 0, 1],
      [3, 140, 0, 1],
    ]);
  });

  test("at the right end give way to the left", () => {
    expect(placed([80, 100, 100], 105).map(([, letter]) => letter)).toEqual([80, 95, 105]);
    // The control: where there is room they go on to the right.
    expect(placed([80, 100, 100]).map(([, letter]) => letter)).toEqual([80, 100, 110]);
  });
});
