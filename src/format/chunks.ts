/**
 * How a state becomes chunks, and chunks a state again.
 *
 * Its tensors stand in the order of their names; the bytes of all that have elements of one kind are one stream;
 * each stream is cut every `CHUNK_BYTES`. So a large tensor takes many chunks, small ones share one, and two states
 * of one shape are cut at the same places: chunk i of one is the reference for chunk i of the other.
 */
import { HoldfastError } from "../errors";
import { bytesOf, type Bytes } from "./bytes";
import { byteLength, checkTensor } from "./tensor-bytes";
import { ELEMENT_BYTES, type DType, type NamedTensor } from "./tensors";

/** Raw bytes of a chunk at most; only the last one of a stream is shorter. Part of the digest: never change it. */
export const CHUNK_BYTES = 1024 * 1024;

/** What elements are, as far as their bytes go. The streams come in this order. */
export const ELEMENT_KINDS = ["float32", "int32", "byte"] as const;
export type ElementKind = (typeof ELEMENT_KINDS)[number];

const KIND_OF: Readonly<Record<DType, ElementKind>> = {
  float32: "float32",
  int32: "int32",
  uint8: "byte",
  bool: "byte",
};

/** What the elements of a dtype are. */
export function kindOf(dtype: DType): ElementKind {
  return KIND_OF[dtype];
}

/** A tensor without its values. */
export interface TensorShape {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
}

/** Are they cut at the same places, so that chunk i of one can be the reference for chunk i of the other? */
export function sameShapes(a: readonly TensorShape[], b: readonly TensorShape[]): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** A stretch of a tensor's bytes in a chunk; pieces follow each other without gaps. */
export interface ChunkPiece {
  /** Its index among the tensors. */
  readonly tensor: number;
  /** Where it begins in the tensor's bytes. */
  readonly from: number;
  readonly bytes: number;
}

export interface PlannedChunk {
  readonly kind: ElementKind;
  readonly bytes: number;
  readonly pieces: readonly ChunkPiece[];
}

/** The chunks of tensors that are in the order of their names. `invalid` for shapes that are none. */
export function planChunks(tensors: readonly TensorShape[]): PlannedChunk[] {
  const sizes = tensors.map(({ name, dtype, shape }) => {
    const bytes = byteLength(dtype, shape);
    if (bytes !== undefined) return bytes;
    throw new HoldfastError("invalid", `The tensor "${name}" has more elements than can be counted.`);
  });
  return ELEMENT_KINDS.flatMap((kind) => cut(kind, tensors, sizes));
}

function cut(kind: ElementKind, tensors: readonly TensorShape[], sizes: readonly number[]): PlannedChunk[] {
  const chunks: { kind: ElementKind; bytes: number; pieces: ChunkPiece[] }[] = [];
  let last: (typeof chunks)[number] | undefined;
  for (const [tensor, size] of sizes.entries()) {
    if (KIND_OF[tensors[tensor]?.dtype ?? "float32"] !== kind) continue;
    for (let from = 0; from < size;) {
      if (last === undefined || last.bytes === CHUNK_BYTES) {
        last = { kind, bytes: 0, pieces: [] };
        chunks.push(last);
      }
      const bytes = Math.min(CHUNK_BYTES - last.bytes, size - from);
      last.pieces.push({ tensor, from, bytes });
      last.bytes += bytes;
      from += bytes;
    }
  }
  return chunks;
}

/** Bytes of the longest chunk. */
export function largestOf(plan: readonly PlannedChunk[]): number {
  return plan.reduce((most, { bytes }) => Math.max(most, bytes), 0);
}

/** How many chunks that makes, without making them. */
export function chunkCount(tensors: readonly TensorShape[]): number {
  const streams: Record<ElementKind, number> = { float32: 0, int32: 0, byte: 0 };
  for (const { dtype, shape } of tensors) streams[KIND_OF[dtype]] += byteLength(dtype, shape) ?? Number.NaN;
  return ELEMENT_KINDS.reduce((sum, kind) => sum + Math.ceil(streams[kind] / CHUNK_BYTES), 0);
}

/** Bytes of one element of that kind. */
export function elementBytes(kind: ElementKind): number {
  return kind === "byte" ? 1 : ELEMENT_BYTES[kind];
}

/**
 * The bytes of a chunk: a view where they are one tensor's, otherwise copied into `scratch`, which holds a chunk.
 * Valid until `scratch` is used again.
 */
export function gather(chunk: PlannedChunk, tensors: readonly NamedTensor[], scratch: Bytes): Bytes {
  const views = chunk.pieces.map(({ tensor, from, bytes }) => {
    const found = tensors[tensor];
    if (found === undefined) throw new HoldfastError("internal", "A chunk is of a tensor that is not there.");
    return bytesOf(found.values).subarray(from, from + bytes);
  });
  const [first] = views;
  if (first !== undefined && views.length === 1) return first;
  let at = 0;
  for (const view of views) {
    scratch.set(view, at);
    at += view.length;
  }
  return scratch.subarray(0, at);
}

/** Puts the bytes of a chunk back into those of its tensors. */
export function scatter(chunk: PlannedChunk, raw: Bytes, targets: readonly Bytes[]): void {
  let at = 0;
  for (const { tensor, from, bytes } of chunk.pieces) {
    targets[tensor]?.set(raw.subarray(at, at + bytes), from);
    at += bytes;
  }
}

/**
 * The tensors in the order of the UTF-8 bytes of their names: the same in every locale and every language, which
 * UTF-16 code units (the order of `<`) would not give. `invalid` for a name that occurs twice or has no UTF-8, and for
 * values that do not fit the shape.
 */
export function inNameOrder(tensors: readonly NamedTensor[]): NamedTensor[] {
  for (const tensor of tensors) checkTensor(tensor);
  return sortedByName(tensors.map((tensor) => [tensor.name, tensor] as const)).map(([, tensor]) => tensor);
}

const encoder = new TextEncoder();

/** Names as UTF-8 with what they name, sorted. `invalid` as above. */
export function sortedByName<T>(named: readonly (readonly [name: string, value: T])[]): [Bytes, T][] {
  const encoded = named.map(([name, value]): [Bytes, T] => {
    // Half a surrogate pair has no UTF-8, and would share its bytes with another one.
    if (/\p{Surrogate}/u.test(name))
      throw new HoldfastError("invalid", "A name in a state has half of a surrogate pair.");
    return [encoder.encode(name), value];
  });
  encoded.sort(([a], [b]) => {
    const order = compareBytes(a, b);
    if (order === 0)
      throw new HoldfastError(
        "invalid",
        `The name "${new TextDecoder().decode(a)}" occurs twice in a state.`,
      );
    return order;
  });
  return encoded;
}

function compareBytes(a: Bytes, b: Bytes): number {
  const shared = Math.min(a.length, b.length);
  for (let at = 0; at < shared; at++) {
    const difference = a[at]! - b[at]!;
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}
