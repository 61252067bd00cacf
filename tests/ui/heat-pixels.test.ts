import { expect, test } from "vitest";
import { HEAT_COLOURS, heatPixels } from "../../src/ui/heat-pixels";

const colours = HEAT_COLOURS.light;
const IMAGE = { rows: 2, columns: 4, tile: [2, 2] as const, block: 1, isCut: false, scale: 2 };

test("a free column stands between two filters, and colours go with the size of the value", () => {
  const { width, height, pixels } = heatPixels(
    IMAGE,
    Float32Array.of(0, 2, -2, 1, Number.NaN, 0, 0, 9),
    colours,
  );
  expect([width, height]).toEqual([5, 2]);
  const at = (row: number, column: number) => [
    ...pixels.subarray(4 * (row * 5 + column), 4 * (row * 5 + column) + 4),
  ];
  expect(at(0, 0)).toEqual([...colours.ground, 255]);
  expect(at(0, 1)).toEqual([...colours.positive, 255]);
  expect(at(0, 2)).toEqual([0, 0, 0, 0]);
  expect(at(0, 3)).toEqual([...colours.negative, 255]);
  expect(at(1, 0)).toEqual([...colours.broken, 255]);
  // Beyond the scale there is no more colour.
  expect(at(1, 4)).toEqual(at(0, 1));
});

test("a tensor of zeros is ground", () => {
  const { pixels } = heatPixels({ ...IMAGE, tile: null, scale: 0 }, new Float32Array(8), colours);
  expect([...pixels.subarray(0, 4)]).toEqual([...colours.ground, 255]);
  expect(pixels).toHaveLength(32);
});
