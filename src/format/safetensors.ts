/**
 * Safetensors: the tensors of a state in the one file format that every other tool reads.
 *
 * Eight bytes of header length, a JSON header, then the tensors. The reader believes nothing: offsets must cover
 * the file exactly, without overlap or hole, so no byte can hide in it and no length can be made up.
 * Format: https://github.com/huggingface/safetensors.
 */
import { HoldfastError } from "../errors";
import { ByteReader, ByteWriter } from "./byte-cursor";
import { align8, bytesOf, type Bytes } from "./bytes";
import { ELEMENT_KINDS, kindOf, type TensorShape } from "./chunks";
import { encodeJson, parseJson } from "./json";
import { dictionary, fail, integer, list, object, text, type Parse } from "./parse";
import { byteLength, checkTensor, valuesOf } from "./tensor-bytes";
import type { DType, NamedTensor } from "./tensors";

/** Cap of the header; the reference implementation allows 100 MB. */
export const MAX_SAFETENSORS_HEADER_BYTES = 16 * 1024 * 1024;

/** Of the number that a file begins with. */
export const SAFETENSORS_LENGTH_BYTES = 8;
const METADATA_KEY = "__metadata__";
const MAX_TENSORS = 10_000;
const MAX_RANK = 8;
const SPACE = 0x20;

const DTYPE_NAMES: Readonly<Record<DType, string>> = {
  float32: "F32",
  int32: "I32",
  uint8: "U8",
  bool: "BOOL",
};
const DTYPES: ReadonlyMap<string, DType> = new Map([
  ["F32", "float32"],
  ["I32", "int32"],
  ["U8", "uint8"],
  ["BOOL", "bool"],
]);
/** Other dtypes of the format: known, but nothing here can use them. */
const FOREIGN_DTYPES: ReadonlySet<string> = new Set([
  ...["F64", "F16", "BF16", "F8_E4M3", "F8_E5M2", "F8_E8M0", "F6_E2M3", "F6_E3M2", "F4"],
  ...["I64", "I16", "I8", "U64", "U32", "U16", "C64"],
]);

export interface Safetensors {
  readonly tensors: readonly NamedTensor[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** Tensors in the order of their bytes: all of one kind of element together, widest first, so that each is aligned. */
export function storedOrder<T extends TensorShape>(tensors: readonly T[]): T[] {
  return ELEMENT_KINDS.flatMap((kind) => tensors.filter(({ dtype }) => kindOf(dtype) === kind));
}

/** What stands before the bytes of tensors, which follow in that order. `invalid` for what the format cannot hold. */
export function safetensorsHead(
  tensors: readonly TensorShape[],
  metadata: Readonly<Record<string, string>>,
): Bytes {
  const entries = new Map<string, unknown>([[METADATA_KEY, metadata]]);
  let offset = 0;
  for (const { name, dtype, shape } of tensors) {
    if (entries.has(name))
      throw new HoldfastError("invalid", `The name "${name}" cannot be used, or occurs twice.`);
    const end = offset + (byteLength(dtype, shape) ?? Number.NaN);
    entries.set(name, { dtype: DTYPE_NAMES[dtype], shape, data_offsets: [offset, end] });
    offset = end;
  }
  const json = encodeJson(Object.fromEntries(entries));
  const headerBytes = align8(json.length);
  if (headerBytes > MAX_SAFETENSORS_HEADER_BYTES) {
    throw new HoldfastError("invalid", "Names and metadata are too long for a safetensors file.");
  }
  const padding = new Uint8Array(headerBytes - json.length).fill(SPACE);
  return new ByteWriter(SAFETENSORS_LENGTH_BYTES + headerBytes)
    .u64(headerBytes)
    .bytes(json)
    .bytes(padding)
    .finish();
}

/** Parts of the file in order, tensors as views. `invalid` for a name or a shape that the format cannot hold. */
export function writeSafetensors(
  tensors: readonly NamedTensor[],
  metadata: Readonly<Record<string, string>>,
): Bytes[] {
  for (const tensor of tensors) checkTensor(tensor);
  const ordered = storedOrder(tensors);
  return [safetensorsHead(ordered, metadata), ...ordered.map((tensor) => bytesOf(tensor.values))];
}

/** A header: the tensors in the order of their bytes, which follow without a gap. */
export interface SafetensorsHead {
  readonly tensors: readonly TensorShape[];
  /** All of them together. */
  readonly bytes: number;
  readonly metadata: Readonly<Record<string, string>>;
}

/** How long the header is, by the first eight bytes. `corrupt` where it is longer than it may be. */
export function safetensorsHeaderBytes(start: Bytes): number {
  const bytes = new ByteReader(start, "The safetensors file").u64();
  return bytes > MAX_SAFETENSORS_HEADER_BYTES
    ? fail("The safetensors header", "is longer than 16 MiB")
    : bytes;
}

/**
 * What a header says, without the eight bytes before it. `corrupt` where tensors overlap, leave a hole or do not fit
 * their shapes; `unsupported` for dtypes that Holdfast does not use.
 */
export function parseSafetensorsHead(header: Bytes): SafetensorsHead {
  if (header[0] !== 0x7b) return fail("The safetensors header", "does not begin with {");
  const { metadata, entries } = splitHeader(
    parseJson(header, "The safetensors header", MAX_SAFETENSORS_HEADER_BYTES),
  );
  let covered = 0;
  for (const { dtype, shape, offsets, path } of entries) {
    const [start, end] = offsets;
    if (start !== covered) return fail(path, "does not begin where the one before ends");
    if (end - start !== byteLength(dtype, shape)) return fail(path, "has offsets that do not fit its shape");
    covered = end;
  }
  const tensors = entries.map(({ name, dtype, shape }) => ({ name, dtype, shape }));
  return { tensors, bytes: covered, metadata };
}

/**
 * Tensors in the order of their bytes, each in a buffer of its own. `corrupt` for anything that is not exactly
 * one well-formed file, `unsupported` for dtypes that Holdfast does not use.
 */
export function readSafetensors(bytes: Bytes): Safetensors {
  const reader = new ByteReader(bytes, "The safetensors file");
  const head = parseSafetensorsHead(
    reader.bytes(safetensorsHeaderBytes(reader.bytes(SAFETENSORS_LENGTH_BYTES))),
  );
  const tensors = head.tensors.map(({ name, dtype, shape }) => ({
    name,
    dtype,
    shape,
    values: valuesOf(dtype, reader.bytes(byteLength(dtype, shape) ?? Number.NaN), `header["${name}"]`),
  }));
  if (reader.remaining !== 0)
    return fail("The safetensors file", `has ${reader.remaining} bytes that belong to no tensor`);
  return { tensors, metadata: head.metadata };
}

interface Entry {
  readonly name: string;
  readonly path: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly offsets: readonly [number, number];
}

const dtype: Parse<DType> = (value, path) => {
  const name = text(16)(value, path);
  const known = DTYPES.get(name);
  if (known !== undefined) return known;
  if (!FOREIGN_DTYPES.has(name)) return fail(path, "is no dtype");
  throw new HoldfastError("unsupported", `${path} is ${name}; only F32, I32, U8 and BOOL can be read.`);
};

const offsets: Parse<readonly [number, number]> = (value, path) => {
  const [start, end, ...more] = list(integer(), 2)(value, path);
  if (start === undefined || end === undefined || more.length > 0 || end < start)
    return fail(path, "is not a start and an end");
  return [start, end];
};

interface RawEntry {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

const rawEntry = object<RawEntry>({ dtype, shape: list(integer(), MAX_RANK), data_offsets: offsets });

const metadataEntry = dictionary(text(MAX_SAFETENSORS_HEADER_BYTES), 1000);

function splitHeader(value: unknown): {
  readonly metadata: Readonly<Record<string, string>>;
  readonly entries: readonly Entry[];
} {
  const all = dictionary((each) => each, MAX_TENSORS + 1)(value, "header");
  const entries: Entry[] = [];
  let metadata: Readonly<Record<string, string>> = {};
  for (const [name, each] of Object.entries(all)) {
    if (name === METADATA_KEY) {
      metadata = metadataEntry(each, METADATA_KEY);
      continue;
    }
    const path = `header["${name}"]`;
    const entry = rawEntry(each, path);
    entries.push({ name, path, dtype: entry.dtype, shape: entry.shape, offsets: entry.data_offsets });
  }
  // An empty tensor begins where the next one does, so the end decides between the two.
  entries.sort((a, b) => a.offsets[0] - b.offsets[0] || a.offsets[1] - b.offsets[1]);
  return { metadata, entries };
}
