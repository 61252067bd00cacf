import { expect, suite, test } from "vitest";
import { imageOf } from "../../src/analysis/tensor-image";
import type { NamedTensor } from "../../src/format/tensors";

function tensor(shape: readonly number[], value: (index: number) => number): NamedTensor {
  const length = shape.reduce((product, size) => product * size, 1);
  return {
    name: "param/w",
    dtype: "float32",
    shape,
    values: Float32Array.from({ length }, (_, i) => value(i)),
  };
}

suite("the image of a tensor", () => {
  test("is a matrix as it is, with one scale for all sides", () => {
    const image = imageOf({ shape: [2, 3] }, [tensor([2, 3], (i) => i), tensor([2, 3], (i) => -2 * i), null]);
    expect(image).toMatchObject({ rows: 2, columns: 3, tile: null, block: 1, isCut: false, scale: 10 });
    expect([...image!.sides[0]!]).toEqual([0, 1, 2, 3, 4, 5]);
    expect(image!.sides[2]).toBeNull();
  });

  test("of a large matrix has the means of blocks, also of those that are cut off at the edge", () => {
    const wide = tensor([3, 100], (i) => i % 100);
    const image = imageOf(wide, [wide]);
    expect(image).toMatchObject({ rows: 2, columns: 50, block: 2 });
    expect(image!.sides[0]![0]).toBe(0.5);
    // The last row of blocks has one row of values only; divided by four it would be half as much.
    expect(image!.sides[0]![50 + 49]).toBe(98.5);
  });

  test("of filters has those of an input beside each other", () => {
    // [height, width, inputs, outputs], each value telling where it is.
    const shape = [2, 3, 2, 4];
    const filters = tensor(shape, (i) => {
      const [output, input] = [i % 4, Math.floor(i / 4) % 2];
      const [x, y] = [Math.floor(i / 8) % 3, Math.floor(i / 24)];
      return 1000 * y + 100 * x + 10 * input + output;
    });
    const image = imageOf(filters, [filters]);
    expect(image).toMatchObject({ rows: 4, columns: 12, tile: [2, 3], isCut: false });
    const at = (row: number, column: number) => image!.sides[0]![row * 12 + column];
    // Input 1, output 2: rows 2 and 3, columns 6 to 8.
    expect([at(2, 6), at(2, 8), at(3, 7)]).toEqual([12, 212, 1112]);
  });

  test("shows the first of too many filters, and says so", () => {
    const many = tensor([3, 3, 1, 40], () => 1);
    expect(imageOf(many, [many])).toMatchObject({ rows: 3, columns: 63, isCut: true });
  });

  test.each([[[5]], [[1, 5]], [[5, 1]], [[2, 2, 2]], [[1, 1, 4, 4]], [[]]])(
    "there is none of %j",
    (shape) => {
      const other = tensor(shape, () => 1);
      expect(imageOf(other, [other])).toBeNull();
    },
  );

  test("a value that is no number does not decide the scale", () => {
    const broken = tensor([2, 2], (i) => (i === 0 ? Number.NaN : i === 1 ? Infinity : i));
    expect(imageOf(broken, [broken])?.scale).toBe(3);
  });
});
