import { expect, suite, test } from "vitest";
import { logRange, tickWords } from "../../src/ui/chart-scale";

suite("log range", () => {
  test.each([
    [1.31, 4.2, [1, 5]],
    [0.02, 0.7, [0.02, 0.7]],
    [0.013, 12, [0.01, 20]],
    [2, 2, [2, 3]],
  ])("%s … %s is shown as %j", (low, high, [bottom = 0, top = 0]) => {
    const range = logRange(low, high);
    expect(range[0]).toBeCloseTo(bottom, 10);
    expect(range[1]).toBeCloseTo(top, 10);
  });

  test("nothing, and what has no logarithm, still gives a range that can be drawn", () => {
    for (const [low, high] of [
      [null, null],
      [0, 1],
      [-2, 1],
    ] as const) {
      const [bottom, top] = logRange(low, high);
      expect(bottom).toBeGreaterThan(0);
      expect(top).toBeGreaterThan(bottom);
    }
  });
});

test("ticks have the decimals that their stride needs, all the same", () => {
  expect([1, 1.5, 2].map((value) => tickWords(value, 0.5, false))).toEqual(["1.0", "1.5", "2.0"]);
  expect([0.1, 0.2].map((value) => tickWords(value, 0.1, false))).toEqual(["0.1", "0.2"]);
  expect(tickWords(0.65, 0.01, false)).toBe("0.65");
  expect([0, 0.25, 0.5].map((value) => tickWords(value, 0.25, false))).toEqual(["0.00", "0.25", "0.50"]);
  expect(tickWords(0.0075, 0.0025, false)).toBe("0.0075");
  expect(tickWords(2.5, 2.5, false)).toBe("2.5");
  expect(tickWords(20, 10, false)).toBe("20");
  expect(tickWords(0.02, 1, true)).toBe("0.02");
});
