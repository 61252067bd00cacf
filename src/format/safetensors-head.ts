/**
 * The header of a safetensors file, whichever tool wrote it: any dtype of the format, tensors in any order, with metadata
 * or without, padded or not. Offsets must cover the data exactly, without overlap or hole, so no byte can hide in it and
 * no length can be made up.
 */
import { ByteReader } from "./byte-cursor";
import type { Bytes } from "./bytes";
import { parseJson } from "./json";
import { dictionary, fail, integer, list, object, text, type Parse } from "./parse";

/** Cap of the header; the reference implementation allows 100 MB. */
export const MAX_SAFETENSORS_HEADER_BYTES = 16 * 1024 * 1024;
/** Of the number that a file begins with. */
export const SAFETENSORS_LENGTH_BYTES = 8;
/** The one name in a header that is no tensor's. */
export const METADATA_KEY = "__metadata__";

const MAX_TENSORS = 10_000;
const MAX_RANK = 8;

/** Bits of an element. */
const DTYPE_BITS: ReadonlyMap<string, number> = new Map([
  ...["F64", "I64", "U64", "C64"].map((name) => [name, 64] as const),
  ...["F32", "I32", "U32"].map((name) => [name, 32] as const),
  ...["F16", "BF16", "I16", "U16"].map((name) => [name, 16] as const),
  ...["I8", "U8", "BOOL", "F8_E4M3", "F8_E5M2", "F8_E8M0"].map((name) => [name, 8] as const),
  ...["F6_E2M3", "F6_E3M2"].map((name) => [name, 6] as const),
  ["F4", 4],
]);

/** A tensor as it lies in a file. */
export interface StoredTensor {
  readonly name: string;
  /** As the format names it: "F32", "BF16" … */
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Counted from the end of the header. */
  readonly start: number;
  readonly end: number;
}

/** A header: the tensors in the order of their bytes, which follow without a gap. */
export interface StoredHead {
  readonly tensors: readonly StoredTensor[];
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
 * their shapes.
 */
export function parseStoredHead(header: Bytes): StoredHead {
  const entries = parseEntries(header);
  return { ...entries, bytes: coveredBytes(entries.tensors) };
}

/** The same, before anybody has looked whether the tensors cover their data. */
export function parseEntries(header: Bytes): Pick<StoredHead, "tensors" | "metadata"> {
  if (header[0] !== 0x7b) return fail("The safetensors header", "does not begin with {");
  return splitHeader(parseJson(header, "The safetensors header", MAX_SAFETENSORS_HEADER_BYTES));
}

/** Bytes of all tensors, which are in the order of their offsets. `corrupt` where they do not cover them exactly. */
export function coveredBytes(tensors: readonly StoredTensor[]): number {
  let covered = 0;
  for (const tensor of tensors) {
    const path = pathOf(tensor.name);
    if (tensor.start !== covered) return fail(path, "does not begin where the one before ends");
    if (tensor.end - tensor.start !== bytesOf(tensor))
      return fail(path, "has offsets that do not fit its shape");
    covered = tensor.end;
  }
  return covered;
}

/** Where a tensor stands, for errors. */
export function pathOf(name: string): string {
  return `header["${name}"]`;
}

/** Undefined where the number is no safe integer, or no whole one. */
function bytesOf({ dtype, shape }: StoredTensor): number | undefined {
  let bits = DTYPE_BITS.get(dtype) ?? Number.NaN;
  for (const size of shape) {
    bits *= size;
    if (!Number.isSafeInteger(bits)) return undefined;
  }
  return Number.isInteger(bits / 8) ? bits / 8 : undefined;
}

const dtype: Parse<string> = (value, path) => {
  const name = text(16)(value, path);
  return DTYPE_BITS.has(name) ? name : fail(path, "is no dtype");
};

const offsets: Parse<readonly [number, number]> = (value, path) => {
  const [start, end, ...more] = list(integer(), 2)(value, path);
  if (start === undefined || end === undefined || more.length > 0 || end < start)
    return fail(path, "is not a start and an end");
  return [start, end];
};

interface Entry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

const entry = object<Entry>({ dtype, shape: list(integer(), MAX_RANK), data_offsets: offsets });

const metadataEntry = dictionary(text(MAX_SAFETENSORS_HEADER_BYTES), 1000);

function splitHeader(value: unknown): Pick<StoredHead, "tensors" | "metadata"> {
  const all = dictionary((each) => each, MAX_TENSORS + 1)(value, "header");
  const tensors: StoredTensor[] = [];
  let metadata: Readonly<Record<string, string>> = {};
  for (const [name, each] of Object.entries(all)) {
    if (name === METADATA_KEY) {
      metadata = metadataEntry(each, METADATA_KEY);
      continue;
    }
    const { dtype: of, shape, data_offsets } = entry(each, pathOf(name));
    tensors.push({ name, dtype: of, shape, start: data_offsets[0], end: data_offsets[1] });
  }
  // An empty tensor begins where the next one does, so the end decides between the two.
  tensors.sort((a, b) => a.start - b.start || a.end - b.end);
  return { metadata, tensors };
}
