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
import { encodeJson, parseJson } from "./json";
import { dictionary, fail, integer, list, object, text, type Parse } from "./parse";
import { byteLength, checkTensor, valuesOf } from "./tensor-bytes";
import { ELEMENT_BYTES, type DType, type NamedTensor } from "./tensors";

/** Cap of the header; the reference implementation allows 100 MB. */
export const MAX_SAFETENSORS_HEADER_BYTES = 16 * 1024 * 1024;

const LENGTH_BYTES = 8;
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

/** Parts of the file in order, tensors as views. `invalid` for a name or a shape that the format cannot hold. */
export function writeSafetensors(
  tensors: readonly NamedTensor[],
  metadata: Readonly<Record<string, string>>,
): Bytes[] {
  // Widest elements first, so that every tensor begins at a multiple of its element.
  const ordered = tensors.toSorted((a, b) => ELEMENT_BYTES[b.dtype] - ELEMENT_BYTES[a.dtype]);
  const entries = new Map<string, unknown>([[METADATA_KEY, metadata]]);
  let offset = 0;
  for (const tensor of ordered) {
    checkTensor(tensor);
    if (entries.has(tensor.name))
      throw new HoldfastError("invalid", `The name "${tensor.name}" cannot be used, or occurs twice.`);
    const end = offset + tensor.values.byteLength;
    entries.set(tensor.name, {
      dtype: DTYPE_NAMES[tensor.dtype],
      shape: tensor.shape,
      data_offsets: [offset, end],
    });
    offset = end;
  }
  const json = encodeJson(Object.fromEntries(entries));
  const headerBytes = align8(json.length);
  if (headerBytes > MAX_SAFETENSORS_HEADER_BYTES) {
    throw new HoldfastError("invalid", "Names and metadata are too long for a safetensors file.");
  }
  const padding = new Uint8Array(headerBytes - json.length).fill(SPACE);
  const head = new ByteWriter(LENGTH_BYTES + headerBytes)
    .u64(headerBytes)
    .bytes(json)
    .bytes(padding)
    .finish();
  return [head, ...ordered.map((tensor) => bytesOf(tensor.values))];
}

/**
 * Tensors in the order of their bytes, each in a buffer of its own. `corrupt` for anything that is not exactly
 * one well-formed file, `unsupported` for dtypes that Holdfast does not use.
 */
export function readSafetensors(bytes: Bytes): Safetensors {
  const reader = new ByteReader(bytes, "The safetensors file");
  const headerBytes = reader.u64();
  if (headerBytes > MAX_SAFETENSORS_HEADER_BYTES)
    return fail("The safetensors header", "is longer than 16 MiB");
  const header = reader.bytes(headerBytes);
  if (header[0] !== 0x7b) return fail("The safetensors header", "does not begin with {");
  const { metadata, entries } = splitHeader(
    parseJson(header, "The safetensors header", MAX_SAFETENSORS_HEADER_BYTES),
  );

  let covered = 0;
  const tensors: NamedTensor[] = [];
  for (const { name, dtype, shape, offsets, path } of entries) {
    const [start, end] = offsets;
    if (start !== covered) return fail(path, "does not begin where the one before ends");
    if (end - start !== byteLength(dtype, shape)) return fail(path, "has offsets that do not fit its shape");
    tensors.push({ name, dtype, shape, values: valuesOf(dtype, reader.bytes(end - start), path) });
    covered = end;
  }
  if (reader.remaining !== 0)
    return fail("The safetensors file", `has ${reader.remaining} bytes that belong to no tensor`);
  return { tensors, metadata };
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
