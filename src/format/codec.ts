/**
 * How the bytes of one chunk are stored: as they are, as byte planes, or as byte planes of their difference from the
 * same chunk of an earlier state. A sample of the chunk says which is smallest, and which planes shrink at all: noise
 * is stored as it is, which costs nothing to write and to read; what shrinks is compressed, plane by plane.
 *
 * Planes and difference, byte by byte: u8 kind of element (1 byte, 2 int32, 3 float32); for each plane (four, or one
 * for bytes) u8 mode (0 raw, 1 zstd) and u32 stored length; the planes.
 */
import { HoldfastError } from "../errors";
import { ByteReader, ByteWriter } from "./byte-cursor";
import type { Bytes } from "./bytes";
import { CHUNK_BYTES, elementBytes, type ElementKind } from "./chunks";
import {
  addBytes,
  addFloats,
  addIntegers,
  fromPlanes,
  subtractBytes,
  subtractFloats,
  subtractIntegers,
  toPlanes,
  wordsOf,
} from "./planes";
import { compress, decompress } from "./zstd";

/** Ids are for ever; new ones are added at the end. */
export const CODEC_STORED = 0;
export const CODEC_PLANES = 1;
export const CODEC_DIFFERENCE = 2;

const KIND_IDS: Readonly<Record<ElementKind, number>> = { byte: 1, int32: 2, float32: 3 };
const MODE_RAW = 0;
const MODE_ZSTD = 1;

/** A plane below this has no room for a zstd frame and a gain. */
const MIN_PLANE_BYTES = 64;
/** Elements that are looked at before a codec is chosen. */
const SAMPLE = 4096;
/** Above this order-0 entropy of the sample, zstd gains nothing worth its time. */
const MAX_SAMPLE_BITS = 7.9;
/** A difference must gain that much in bits per byte, or it is not worth needing another chunk for. */
const MIN_GAIN_BITS = 0.02;

export interface EncodedChunk {
  readonly codec: number;
  /** Valid until the encoder is used again. */
  readonly bytes: Bytes;
}

/** Encodes one chunk after the other, in memory that it keeps. Needs `readyZstd()`. */
export class ChunkEncoder {
  readonly #differences = new Uint8Array(CHUNK_BYTES);
  readonly #planes = new Uint8Array(CHUNK_BYTES);
  readonly #out = new Uint8Array(CHUNK_BYTES);

  /**
   * The smallest form; never more than `raw`, which may be what it returns. `reference`: the chunk that the difference
   * is taken from, as long as `raw`, or null. `invalid` for a length that is none of a chunk.
   */
  encode(raw: Bytes, kind: ElementKind, reference: Bytes | null): EncodedChunk {
    checkLength(raw.length, kind);
    if (reference !== null && reference.length !== raw.length)
      throw new HoldfastError("invalid", "A chunk and its reference have different lengths.");
    const values = aligned(raw);
    const own = estimate(sampleOf(values, kind, null));
    const apart = reference === null ? null : estimate(sampleOf(values, kind, aligned(reference)));
    const useReference = reference !== null && apart !== null && total(apart) + MIN_GAIN_BITS < total(own);
    const bits = useReference ? apart : own;
    // Most chunks of a small state, and noise: nothing to gain.
    if (bits.every((one) => one > MAX_SAMPLE_BITS)) return { codec: CODEC_STORED, bytes: raw };
    const words = useReference ? this.#subtract(values, aligned(reference), kind) : values;
    const planes = this.#split(words, kind);
    const length = this.#pack(planes, bits, kind);
    if (length >= raw.length) return { codec: CODEC_STORED, bytes: raw };
    return { codec: useReference ? CODEC_DIFFERENCE : CODEC_PLANES, bytes: this.#out.subarray(0, length) };
  }

  #subtract(values: Bytes, reference: Bytes, kind: ElementKind): Bytes {
    const out = this.#differences.subarray(0, values.length);
    subtract(kind, values, reference, out);
    return out;
  }

  #split(values: Bytes, kind: ElementKind): readonly Bytes[] {
    if (elementBytes(kind) === 1) return [values];
    const length = values.length / 4;
    const planes = planesOf(this.#planes, length);
    toPlanes(wordsOf(values), planes);
    return planes;
  }

  /** Returns the length of what it made; at least that of the chunk where there is no gain. */
  #pack(planes: readonly Bytes[], bits: readonly number[], kind: ElementKind): number {
    const parts = planes.map((plane, index) => {
      const tried =
        plane.length >= MIN_PLANE_BYTES && (bits[index] ?? 8) <= MAX_SAMPLE_BITS ? compress(plane) : plane;
      return tried.length < plane.length
        ? { mode: MODE_ZSTD, bytes: tried }
        : { mode: MODE_RAW, bytes: plane };
    });
    const head = headOf(kind, parts);
    const length = parts.reduce((sum, part) => sum + part.bytes.length, head.length);
    if (length >= this.#out.length) return length;
    this.#out.set(head);
    let at = head.length;
    for (const part of parts) {
      this.#out.set(part.bytes, at);
      at += part.bytes.length;
    }
    return length;
  }
}

/**
 * Fills `raw` with the chunk. `reference` is the chunk that a difference was taken from. `corrupt` for damaged bytes,
 * `unsupported` for a codec of a newer version. Needs `readyZstd()`.
 */
export function decodeChunk(codec: number, stored: Bytes, raw: Bytes, reference: Bytes | null = null): void {
  switch (codec) {
    case CODEC_STORED:
      if (stored.length !== raw.length)
        throw damaged(`${stored.length} bytes are stored where ${raw.length} are recorded`);
      raw.set(stored);
      return;
    case CODEC_PLANES:
      joinPlanes(stored, raw);
      return;
    case CODEC_DIFFERENCE: {
      if (reference?.length !== raw.length) throw damaged("it needs a chunk that is not there");
      const kind = joinPlanes(stored, raw);
      add(kind, raw, aligned(reference));
      return;
    }
    default:
      throw new HoldfastError(
        "unsupported",
        `A chunk uses codec ${codec}, which this version does not know. Use a newer one.`,
      );
  }
}

/** Does this codec need a reference? */
export function needsReference(codec: number): boolean {
  return codec === CODEC_DIFFERENCE;
}

/** Fills `raw`, which begins at a multiple of 4, with what the planes hold. */
function joinPlanes(stored: Bytes, raw: Bytes): ElementKind {
  if (raw.length > CHUNK_BYTES) throw damaged(`${raw.length} bytes are recorded, more than a chunk holds`);
  const reader = new ByteReader(stored, "A chunk in byte planes");
  const kind = kindOf(reader.u8());
  const count = elementBytes(kind);
  if (raw.length % count !== 0) throw damaged("it ends within an element");
  const length = raw.length / count;
  const heads = Array.from({ length: count }, () => ({ mode: reader.u8(), length: reader.u32() }));
  const planes = heads.map((head) => {
    const bytes = reader.bytes(head.length);
    if (head.mode === MODE_ZSTD) return decompress(bytes, length);
    if (head.mode !== MODE_RAW || head.length !== length)
      throw damaged("a plane is not described as one can be");
    return aligned(bytes);
  });
  if (reader.remaining !== 0) throw damaged(`${reader.remaining} bytes too many`);
  const [only] = planes;
  if (count === 1 && only !== undefined) raw.set(only);
  else fromPlanes(planes, wordsOf(raw));
  return kind;
}

function subtract(kind: ElementKind, values: Bytes, reference: Bytes, out: Bytes): void {
  switch (kind) {
    case "float32":
      subtractFloats(wordsOf(values), wordsOf(reference), wordsOf(out));
      return;
    case "int32":
      subtractIntegers(wordsOf(values), wordsOf(reference), wordsOf(out));
      return;
    case "byte":
      subtractBytes(values, reference, out);
      return;
    default:
      kind satisfies never;
  }
}

function add(kind: ElementKind, differences: Bytes, reference: Bytes): void {
  switch (kind) {
    case "float32":
      addFloats(wordsOf(differences), wordsOf(reference), wordsOf(differences));
      return;
    case "int32":
      addIntegers(wordsOf(differences), wordsOf(reference), wordsOf(differences));
      return;
    case "byte":
      addBytes(differences, reference, differences);
      return;
    default:
      kind satisfies never;
  }
}

/** Four planes of that length, each at a multiple of 4. */
function planesOf(memory: Bytes, length: number): Bytes[] {
  const room = memory.length / 4;
  return Array.from({ length: 4 }, (_, plane) => memory.subarray(plane * room, plane * room + length));
}

function headOf(
  kind: ElementKind,
  parts: readonly { readonly mode: number; readonly bytes: Bytes }[],
): Bytes {
  const head = new ByteWriter(1 + 5 * parts.length).u8(KIND_IDS[kind]);
  for (const { mode, bytes } of parts) head.u8(mode).u32(bytes.length);
  return head.finish();
}

function kindOf(id: number): ElementKind {
  const found = (Object.keys(KIND_IDS) as ElementKind[]).find((kind) => KIND_IDS[kind] === id);
  if (found === undefined) throw damaged(`elements of kind ${id}`);
  return found;
}

function checkLength(length: number, kind: ElementKind): void {
  if (length > CHUNK_BYTES) throw new HoldfastError("invalid", `A chunk of ${length} bytes is too long.`);
  if (length % elementBytes(kind) !== 0)
    throw new HoldfastError("invalid", "A chunk ends within an element.");
}

/** The same bytes at a multiple of 4. */
function aligned(bytes: Bytes): Bytes {
  return bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
}

/** Some elements, evenly spread, as planes. */
function sampleOf(values: Bytes, kind: ElementKind, reference: Bytes | null): readonly Bytes[] {
  const size = elementBytes(kind);
  const count = values.length / size;
  // An odd stride, so that the sample does not walk along one column of a matrix whose width is a power of two.
  const stride = Math.max(1, Math.floor(count / SAMPLE)) | 1;
  const taken = Math.ceil(count / stride);
  const pick = (from: Bytes): Bytes => {
    const picked = new Uint8Array(taken * size);
    if (size === 1) for (let at = 0; at < taken; at++) picked[at] = from[at * stride]!;
    else {
      const [source, target] = [wordsOf(from), wordsOf(picked)];
      for (let at = 0; at < taken; at++) target[at] = source[at * stride]!;
    }
    return picked;
  };
  const sample = pick(values);
  if (reference !== null) subtract(kind, sample, pick(reference), sample);
  if (size === 1) return [sample];
  const planes = Array.from({ length: 4 }, () => new Uint8Array(taken));
  toPlanes(wordsOf(sample), planes);
  return planes;
}

/** Order-0 entropy of each plane of a sample, in bits per byte. */
function estimate(planes: readonly Bytes[]): number[] {
  return planes.map((plane) => {
    // Too few to say anything: worth a try.
    if (plane.length < 256) return 0;
    const counts = new Uint32Array(256);
    for (const byte of plane) counts[byte]!++;
    let bits = 0;
    for (const count of counts)
      if (count > 0) bits -= (count / plane.length) * Math.log2(count / plane.length);
    // A short sample of noise seems less random than it is, by about 255 / (2 n ln 2) bits (Miller and Madow).
    return Math.min(8, bits + 255 / (2 * plane.length * Math.LN2));
  });
}

function total(bits: readonly number[]): number {
  return bits.reduce((sum, one) => sum + one, 0) / bits.length;
}

function damaged(what: string): HoldfastError {
  return new HoldfastError("corrupt", `A stored chunk is damaged: ${what}.`);
}
