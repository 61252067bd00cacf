import { expect, suite, test } from "vitest";
import { FLOAT_DTYPES, float32Of } from "../../src/format/float-values";

function bytes(values: ArrayBufferView<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return new Uint8Array(values.buffer);
}

function bitsOf(values: Float32Array<ArrayBuffer> | undefined): readonly number[] {
  return [...new Uint32Array(values?.buffer ?? new ArrayBuffer(0))];
}

suite("numbers of other dtypes as float32", () => {
  test("F32 keeps every bit", () => {
    const bits = Uint32Array.of(0, 0x80000000, 1, 0x7f800000, 0x7fc12345, 0x3f800000);
    expect(bitsOf(float32Of("F32", bytes(bits)))).toEqual([...bits]);
  });

  test.each([
    [0x0000, 0],
    [0x8000, -0],
    [0x0001, 2 ** -24],
    [0x83ff, -1023 * 2 ** -24],
    [0x0400, 2 ** -14],
    [0x3c00, 1],
    [0x3555, 1365 * 2 ** -12],
    [0xc000, -2],
    [0x7bff, 65504],
    [0x7c00, Infinity],
    [0xfc00, -Infinity],
    [0x7e00, Number.NaN],
  ])("F16 %i is exactly %d", (bits, value) => {
    expect(float32Of("F16", bytes(Uint16Array.of(bits)))).toEqual(Float32Array.of(value));
  });

  test("BF16 is the upper half of a float32", () => {
    const values = float32Of("BF16", bytes(Uint16Array.of(0x3f80, 0xc049, 0x0001, 0x8000, 0x7f80)));
    expect(bitsOf(values)).toEqual([0x3f800000, 0xc0490000, 0x00010000, 0x80000000, 0x7f800000]);
  });

  test("F64 is rounded to the nearest, a tie to the even one", () => {
    const [tie, above] = [1 + 2 ** -24, 1 + 3 * 2 ** -24];
    const values = float32Of("F64", bytes(Float64Array.of(0.1, tie, above, 2 ** -149, 2 ** -151, 1e39)));
    expect(values).toEqual(Float32Array.of(Math.fround(0.1), 1, 1 + 2 ** -22, 2 ** -149, 0, Infinity));
  });

  test("begins at any byte of a file", () => {
    for (const dtype of FLOAT_DTYPES) {
      const odd = new Uint8Array(17).subarray(1, 9);
      expect(float32Of(dtype, odd)?.every((value) => value === 0)).toBe(true);
    }
  });

  test.each(["I64", "U8", "BOOL", "F8_E4M3", "toString"])("%s is none", (dtype) => {
    expect(float32Of(dtype, new Uint8Array(8))).toBeUndefined();
  });
});
