import fc from "fast-check";
import { expect, suite, test } from "vitest";
import { bytesOf, equalBytes } from "../../src/format/bytes";
import {
  CHUNK_BYTES,
  chunkCount,
  gather,
  inNameOrder,
  planChunks,
  scatter,
  type TensorShape,
} from "../../src/format/chunks";
import { ELEMENT_BYTES, type DType, type NamedTensor } from "../../src/format/tensors";
import { failure, words } from "./support";

function tensor(name: string, dtype: DType, count: number, seed = 1): NamedTensor {
  const next = words(seed);
  const bytes = Uint8Array.from({ length: count * ELEMENT_BYTES[dtype] }, () => next() >>> 24);
  const shape = [count];
  if (dtype === "float32") return { name, dtype, shape, values: new Float32Array(bytes.buffer) };
  if (dtype === "int32") return { name, dtype, shape, values: new Int32Array(bytes.buffer) };
  return { name, dtype, shape, values: dtype === "bool" ? bytes.map((value) => value & 1) : bytes };
}

const FLOATS = CHUNK_BYTES / 4;

suite("planning chunks", () => {
  test("small tensors of one kind share one; kinds do not", () => {
    const shapes: TensorShape[] = [
      { name: "a", dtype: "float32", shape: [3] },
      { name: "b", dtype: "bool", shape: [5] },
      { name: "c", dtype: "float32", shape: [2, 2] },
      { name: "d", dtype: "uint8", shape: [] },
      { name: "e", dtype: "int32", shape: [1] },
    ];
    expect(planChunks(shapes)).toEqual([
      {
        kind: "float32",
        bytes: 28,
        pieces: [
          { tensor: 0, from: 0, bytes: 12 },
          { tensor: 2, from: 0, bytes: 16 },
        ],
      },
      { kind: "int32", bytes: 4, pieces: [{ tensor: 4, from: 0, bytes: 4 }] },
      {
        kind: "byte",
        bytes: 6,
        pieces: [
          { tensor: 1, from: 0, bytes: 5 },
          { tensor: 3, from: 0, bytes: 1 },
        ],
      },
    ]);
  });

  test("the stream is cut at every MiB, within a tensor and between two", () => {
    const plan = planChunks([
      { name: "a", dtype: "float32", shape: [FLOATS - 1] },
      { name: "b", dtype: "float32", shape: [FLOATS + 2] },
      { name: "c", dtype: "float32", shape: [FLOATS - 1] },
      { name: "d", dtype: "float32", shape: [0] },
    ]);
    expect(plan.map(({ bytes }) => bytes)).toEqual([CHUNK_BYTES, CHUNK_BYTES, CHUNK_BYTES]);
    expect(plan[0]?.pieces).toEqual([
      { tensor: 0, from: 0, bytes: CHUNK_BYTES - 4 },
      { tensor: 1, from: 0, bytes: 4 },
    ]);
    expect(plan[2]?.pieces).toEqual([
      { tensor: 1, from: CHUNK_BYTES + 4, bytes: 4 },
      { tensor: 2, from: 0, bytes: CHUNK_BYTES - 4 },
    ]);
  });

  test("any state goes to pieces and comes back, and the count is known beforehand", () => {
    const anyTensor = fc.record({
      dtype: fc.constantFrom<DType>("float32", "int32", "uint8", "bool"),
      count: fc.oneof(
        fc.nat(50),
        fc.integer({ min: FLOATS - 3, max: FLOATS + 3 }),
        fc.constant(3 * FLOATS + 1),
      ),
    });
    fc.assert(
      fc.property(fc.array(anyTensor, { maxLength: 6 }), fc.nat(), (list, seed) => {
        const tensors = list.map(({ dtype, count }, index) =>
          tensor(`t${index}`, dtype, count, seed + index),
        );
        const plan = planChunks(tensors);
        expect(chunkCount(tensors)).toBe(plan.length);
        const targets = tensors.map(({ values }) => new Uint8Array(values.byteLength));
        const scratch = new Uint8Array(CHUNK_BYTES);
        for (const chunk of plan) {
          const raw = gather(chunk, tensors, scratch);
          expect(raw.length).toBe(chunk.bytes);
          scatter(chunk, raw, targets);
        }
        for (const [index, { values }] of tensors.entries())
          expect(equalBytes(targets[index] ?? new Uint8Array(0), bytesOf(values))).toBe(true);
      }),
      { numRuns: 40 },
    );
  });

  test("of a shape that cannot be counted is refused", () => {
    const shapes: TensorShape[] = [{ name: "a", dtype: "float32", shape: [2 ** 40, 2 ** 40] }];
    expect(failure(() => planChunks(shapes)).code).toBe("invalid");
    expect(chunkCount(shapes)).toBeNaN();
  });

  test("a chunk of one tensor is a view, not a copy", () => {
    const tensors = [tensor("a", "float32", 10)];
    const [chunk] = planChunks(tensors);
    expect(gather(chunk!, tensors, new Uint8Array(CHUNK_BYTES)).buffer).toBe(tensors[0]!.values.buffer);
  });
});

suite("the order of names", () => {
  test("is that of UTF-8, where UTF-16 has another one", () => {
    const names = ["\u{1d4b3}", "\uff5e"]; // By UTF-16 code units the first one comes first.
    expect(names.toSorted()).toEqual(names);
    expect(inNameOrder(names.map((name) => tensor(name, "uint8", 1))).map(({ name }) => name)).toEqual(
      names.toReversed(),
    );
  });

  test.each<[string, readonly NamedTensor[]]>([
    ["a name twice", [tensor("a", "uint8", 1), tensor("a", "int32", 1)]],
    ["half of a surrogate pair", [tensor("\ud800", "uint8", 1)]],
    ["values that do not fit the shape", [{ ...tensor("a", "uint8", 1), shape: [2] }]],
  ])("refuses %s", (_what, tensors) => {
    expect(failure(() => inNameOrder(tensors)).code).toBe("invalid");
  });
});
