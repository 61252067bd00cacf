import { expect, test } from "vitest";
import { spectrum } from "../../src/tasks/fourier";

/** `rows` rows of one value each. */
function table(rows: number, value: (row: number) => number): Float32Array {
  return Float32Array.from({ length: rows }, (_, row) => value(row));
}

test("a wave is all in its frequency, wherever it begins and whatever its mean", () => {
  const shares = spectrum(
    table(11, (row) => 5 + 2 * Math.cos((2 * Math.PI * 3 * row) / 11 + 1)),
    11,
    1,
  );
  expect(shares).toHaveLength(5);
  expect(shares[2]).toBeCloseTo(1, 5);
});

test("two columns share by their power, and what sums to nothing has no shares", () => {
  const wave = (k: number, row: number): number => Math.sin((2 * Math.PI * k * row) / 8);
  const both = Float32Array.from({ length: 16 }, (_, i) =>
    i % 2 === 0 ? 2 * wave(1, Math.floor(i / 2)) : wave(3, Math.floor(i / 2)),
  );
  const shares = spectrum(both, 8, 2);
  expect(shares[0]).toBeCloseTo(0.8, 5);
  expect(shares[2]).toBeCloseTo(0.2, 5);
  expect([...spectrum(new Float32Array(8), 8, 1)]).toEqual([0, 0, 0, 0]);
});

test("of an even circle the highest frequency counts once, so that an impulse is as much in each", () => {
  const shares = spectrum(
    table(6, (row) => Number(row === 0)),
    6,
    1,
  );
  expect(shares[0]).toBeCloseTo(0.4, 5);
  expect(shares[1]).toBeCloseTo(0.4, 5);
  expect(shares[2]).toBeCloseTo(0.2, 5);
});
