import { expect, suite, test } from "vitest";
import { parseStoredHead } from "../../src/format/safetensors-head";
import { failure } from "./support";

const head = (header: string) => parseStoredHead(new TextEncoder().encode(header));
const one = (dtype: string, shape: readonly number[], bytes: number) =>
  head(JSON.stringify({ a: { dtype, shape, data_offsets: [0, bytes] } }));

suite("the header of any tool's file", () => {
  test.each([
    ...["F64", "I64", "U64", "C64"].map((dtype) => [dtype, 48] as const),
    ...["F32", "I32", "U32"].map((dtype) => [dtype, 24] as const),
    ...["F16", "BF16", "I16", "U16"].map((dtype) => [dtype, 12] as const),
    ...["I8", "U8", "BOOL", "F8_E4M3", "F8_E5M2", "F8_E8M0"].map((dtype) => [dtype, 6] as const),
    ["F4", 3] as const,
  ])("six of %s are %i bytes, and no other number", (dtype, bytes) => {
    expect(one(dtype, [2, 3], bytes)).toMatchObject({
      bytes,
      tensors: [{ name: "a", dtype, shape: [2, 3] }],
    });
    for (const other of [bytes - 1, bytes + 1])
      expect(failure(() => one(dtype, [2, 3], other)).code).toBe("corrupt");
    expect(one(dtype, [2, 0], 0).bytes).toBe(0);
  });

  test("dtypes of less than a byte end on one", () => {
    expect(one("F6_E2M3", [4], 3).bytes).toBe(3);
    expect(failure(() => one("F6_E2M3", [3], 2)).code).toBe("corrupt");
    expect(failure(() => one("F4", [], 0)).code).toBe("corrupt");
  });

  test("a scalar is one element", () => {
    expect(one("F64", [], 8).tensors[0]?.shape).toEqual([]);
  });

  test("tensors come in the order of their bytes, empty ones first", () => {
    const { tensors, metadata } = head(
      JSON.stringify({
        late: { dtype: "U8", shape: [3], data_offsets: [2, 5] },
        early: { dtype: "F16", shape: [1], data_offsets: [0, 2] },
        __metadata__: { format: "pt" },
        empty: { dtype: "F32", shape: [0], data_offsets: [2, 2] },
      }),
    );
    expect(tensors.map(({ name }) => name)).toEqual(["early", "empty", "late"]);
    expect(metadata).toEqual({ format: "pt" });
  });

  test.each(["F31", "f32", "", "toString", "__proto__"])("%o is no dtype", (dtype) => {
    expect(failure(() => one(dtype, [1], 4)).code).toBe("corrupt");
  });

  test("a shape that cannot be counted is corrupt", () => {
    expect(failure(() => one("F64", [2 ** 52, 2], 0)).code).toBe("corrupt");
  });
});
