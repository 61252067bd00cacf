import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, suite, test } from "vitest";
import { HoldfastError } from "../../src/errors";
import { bytesOf, concat, type Bytes } from "../../src/format/bytes";
import { readSafetensors, writeSafetensors } from "../../src/format/safetensors";
import { MAX_SAFETENSORS_HEADER_BYTES } from "../../src/format/safetensors-head";
import type { NamedTensor } from "../../src/format/tensors";
import { failure, smallState, withBitFlipped, words } from "./support";

/** A file with this header, padded or not as given, and as many data bytes. */
function fileWith(header: string, dataBytes: number): Bytes {
  const json = new TextEncoder().encode(header);
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(json.length), true);
  return concat([length, json, new Uint8Array(dataBytes)]);
}

const entry = (dtype: string, shape: readonly number[], start: number, end: number) =>
  JSON.stringify({ dtype, shape, data_offsets: [start, end] });

function bits(tensors: readonly NamedTensor[]): unknown {
  return new Map(
    tensors.map(({ name, dtype, shape, values }) => [name, { dtype, shape, bytes: bytesOf(values) }]),
  );
}

suite("a safetensors file", () => {
  test("goes there and back, bit for bit, with its metadata", () => {
    const { tensors } = smallState();
    const metadata = { format: "holdfast", manifest: '{"a":"ü"}' };
    const file = concat(writeSafetensors(tensors, metadata));
    const back = readSafetensors(file);
    expect(back.metadata).toEqual(metadata);
    expect(bits(back.tensors)).toEqual(bits(tensors));
  });

  test("begins its data at a multiple of 8 and every tensor at one of its element", () => {
    const parts = writeSafetensors(smallState().tensors, {});
    const head = parts[0]!;
    expect(head.length % 8).toBe(0);
    expect(head.at(-1) === 0x20 || head.at(-1) === 0x7d).toBe(true);
    expect(parts.slice(1).map((part) => part.length)).toEqual([16, 0, 8, 3, 1]);
  });

  test("written by the reference implementation is read", () => {
    const file = new Uint8Array(
      readFileSync(new URL("../fixtures/format/reference.safetensors", import.meta.url)),
    );
    const { tensors, metadata } = readSafetensors(file);
    expect(metadata).toEqual({ by: "safetensors" });
    expect(bits(tensors)).toEqual(
      bits([
        { name: "b", dtype: "float32", shape: [2, 2], values: Float32Array.of(1, 2, 3, -0) },
        { name: "a", dtype: "int32", shape: [2], values: Int32Array.of(-1, 7) },
        { name: "flags", dtype: "bool", shape: [3], values: Uint8Array.of(1, 0, 1) },
        { name: "bytes", dtype: "uint8", shape: [1], values: Uint8Array.of(200) },
        { name: "empty", dtype: "float32", shape: [0, 4], values: new Float32Array(0) },
      ]),
    );
  });

  test.each<[string, Bytes]>([
    ["nothing", new Uint8Array(0)],
    ["a length only", fileWith("", 0)],
    ["a header of more than 16 MiB", fileWith(" ".repeat(MAX_SAFETENSORS_HEADER_BYTES + 1), 0)],
    ["a header length of 2^63", concat([new Uint8Array(7), Uint8Array.of(0x80, 0x7b, 0x7d)])],
    ["a header that begins with a space", fileWith(" {}", 0)],
    ["a header that is a list", fileWith("[]", 0)],
    ["data that no tensor owns", fileWith("{}", 1)],
    ["a hole at the start", fileWith(`{"a":${entry("U8", [1], 1, 2)}}`, 2)],
    ["a hole between", fileWith(`{"a":${entry("U8", [1], 0, 1)},"b":${entry("U8", [1], 2, 3)}}`, 3)],
    ["an overlap", fileWith(`{"a":${entry("U8", [2], 0, 2)},"b":${entry("U8", [2], 1, 3)}}`, 3)],
    [
      "an overlap that the length makes up for",
      fileWith(`{"a":${entry("U8", [2], 0, 2)},"b":${entry("U8", [1], 1, 2)}}`, 3),
    ],
    [
      "two tensors on one range",
      fileWith(`{"a":${entry("U8", [2], 0, 2)},"b":${entry("U8", [2], 0, 2)}}`, 2),
    ],
    ["offsets that run backwards", fileWith(`{"a":${entry("U8", [0], 1, 0)}}`, 1)],
    ["a range of another size", fileWith(`{"a":${entry("F32", [2], 0, 4)}}`, 4)],
    ["a tensor behind the end", fileWith(`{"a":${entry("U8", [9], 0, 9)}}`, 4)],
    ["a shape whose product overflows", fileWith(`{"a":${entry("U8", [2 ** 40, 2 ** 40, 0], 0, 0)}}`, 0)],
    ["a negative size", fileWith(`{"a":${entry("U8", [-1, -1], 0, 1)}}`, 1)],
    ["nine dimensions", fileWith(`{"a":${entry("U8", [1, 1, 1, 1, 1, 1, 1, 1, 1], 0, 1)}}`, 1)],
    ["a dtype that is none", fileWith(`{"a":${entry("F31", [1], 0, 4)}}`, 4)],
    ["three offsets", fileWith('{"a":{"dtype":"U8","shape":[],"data_offsets":[0,1,1]}}', 1)],
    ["a field that is not known", fileWith('{"a":{"dtype":"U8","shape":[],"data_offsets":[0,1],"x":1}}', 1)],
    ["the same name twice", fileWith(`{"a":${entry("U8", [1], 0, 1)},"a":${entry("U8", [1], 0, 1)}}`, 1)],
    ["metadata that is no text", fileWith('{"__metadata__":{"a":1}}', 0)],
    ["a name that is a prototype", fileWith(`{"__proto__":${entry("U8", [1], 0, 1)}}`, 1)],
  ])("with %s is corrupt", (_what, file) => {
    expect(failure(() => readSafetensors(file)).code).toBe("corrupt");
  });

  test("with a truth value of 2 is corrupt", () => {
    const file = fileWith(`{"a":${entry("BOOL", [1], 0, 1)}}`, 1);
    expect(readSafetensors(file).tensors.length).toBe(1);
    file[file.length - 1] = 2;
    expect(failure(() => readSafetensors(file)).code).toBe("corrupt");
  });

  test("of a dtype that Holdfast does not use is unsupported", () => {
    expect(failure(() => readSafetensors(fileWith(`{"a":${entry("BF16", [1], 0, 2)}}`, 2))).code).toBe(
      "unsupported",
    );
  });

  test("cut anywhere is corrupt", () => {
    const file = concat(writeSafetensors(smallState().tensors, { a: "b" }));
    for (let length = 0; length < file.length; length++) {
      expect(failure(() => readSafetensors(file.subarray(0, length))).code).toBe("corrupt");
    }
  });

  test("with bits flipped or garbage gives tensors or a typed error", () => {
    const file = concat(writeSafetensors(smallState().tensors, { a: "b" }));
    const next = words(21);
    for (let round = 0; round < 3000; round++) onlyTyped(withBitFlipped(file, next() % (8 * file.length)));
    fc.assert(
      fc.property(fc.jsonValue(), fc.nat(20), (value, data) =>
        onlyTyped(fileWith(JSON.stringify(value), data)),
      ),
      { numRuns: 1000 },
    );
  });

  test("cannot be written with a name that is taken or means something else", () => {
    const [first] = smallState().tensors;
    expect(failure(() => writeSafetensors([first!, first!], {})).code).toBe("invalid");
    expect(failure(() => writeSafetensors([{ ...first!, name: "__metadata__" }], {})).code).toBe("invalid");
    expect(failure(() => writeSafetensors([{ ...first!, shape: [5] }], {})).code).toBe("invalid");
  });
});

function onlyTyped(file: Bytes): void {
  try {
    readSafetensors(file);
  } catch (error) {
    expect(error).toBeInstanceOf(HoldfastError);
  }
}
