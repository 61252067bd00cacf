/**
 * Safetensors: the tensors of a state in the one file format that every other tool reads.
 *
 * Eight bytes of header length, a JSON header, then the tensors. The reader believes nothing, as `safetensors-head` says.
 * Format: https://github.com/huggingface/safetensors.
 */
import { HoldfastError } from "../errors";
import { ByteReader, ByteWriter } from "./byte-cursor";
import { align8, bytesOf, type Bytes } from "./bytes";
import { ELEMENT_KINDS, kindOf, type TensorShape } from "./chunks";
import { encodeJson } from "./json";
import { fail } from "./parse";
import {
  coveredBytes,
  MAX_SAFETENSORS_HEADER_BYTES,
  METADATA_KEY,
  parseEntries,
  pathOf,
  SAFETENSORS_LENGTH_BYTES,
  safetensorsHeaderBytes,
} from "./safetensors-head";
import { byteLength, checkTensor, valuesOf } from "./tensor-bytes";
import type { DType, NamedTensor } from "./tensors";

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

/** A whole file: its tensors, and what stands beside them. */
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
  const stored = tensors.map(({ name, dtype, shape }) => ({
    name,
    dtype: DTYPE_NAMES[dtype],
    shape,
    bytes: { length: byteLength(dtype, shape) ?? Number.NaN },
  }));
  return headOfStored(stored, metadata);
}

/** A tensor by the format's own name of its dtype, and how long it is. */
export interface StoredShape {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: { readonly length: number };
}

/** The same of tensors of any dtype. */
export function headOfStored(
  tensors: readonly StoredShape[],
  metadata: Readonly<Record<string, string>>,
): Bytes {
  const entries = new Map<string, unknown>([[METADATA_KEY, metadata]]);
  let offset = 0;
  for (const { name, dtype, shape, bytes } of tensors) {
    if (entries.has(name))
      throw new HoldfastError("invalid", `The name "${name}" cannot be used, or occurs twice.`);
    const end = offset + bytes.length;
    entries.set(name, { dtype, shape, data_offsets: [offset, end] });
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

/**
 * Parts of the file in order, tensors as views. `invalid` for a name or a shape that the format cannot hold.
 *
 * @example
 * const file = new Blob(writeSafetensors([{ name: "w", dtype: "float32", shape: [2, 3], values }], { by: "my page" }));
 */
export function writeSafetensors(
  tensors: readonly NamedTensor[],
  metadata: Readonly<Record<string, string>>,
): Bytes[] {
  for (const tensor of tensors) checkTensor(tensor);
  const ordered = storedOrder(tensors);
  return [safetensorsHead(ordered, metadata), ...ordered.map((tensor) => bytesOf(tensor.values))];
}

/** A header of tensors that a state can hold, in the order of their bytes, which follow without a gap. */
export interface SafetensorsHead {
  readonly tensors: readonly TensorShape[];
  /** All of them together. */
  readonly bytes: number;
  readonly metadata: Readonly<Record<string, string>>;
}

/** As `parseStoredHead`; `unsupported` for dtypes that no state has. */
export function parseSafetensorsHead(header: Bytes): SafetensorsHead {
  const { tensors: stored, metadata } = parseEntries(header);
  const tensors = stored.map(({ name, dtype, shape }) => {
    const known = DTYPES.get(dtype);
    if (known !== undefined) return { name, dtype: known, shape };
    const path = `${pathOf(name)}.dtype`;
    throw new HoldfastError("unsupported", `${path} is ${dtype}; only F32, I32, U8 and BOOL can be read.`);
  });
  return { tensors, bytes: coveredBytes(stored), metadata };
}

/**
 * Tensors in the order of their bytes, each in a buffer of its own. `corrupt` for anything that is not exactly
 * one well-formed file, `unsupported` for dtypes that Holdfast does not use.
 *
 * @example
 * const { tensors, metadata } = readSafetensors(new Uint8Array(await file.arrayBuffer()));
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
    values: valuesOf(dtype, reader.bytes(byteLength(dtype, shape) ?? Number.NaN), pathOf(name)),
  }));
  if (reader.remaining !== 0)
    return fail("The safetensors file", `has ${reader.remaining} bytes that belong to no tensor`);
  return { tensors, metadata: head.metadata };
}
