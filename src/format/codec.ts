/**
 * How the bytes of one chunk are stored: as they are, as byte planes, or as byte planes of their difference from the
 * same chunk of an earlier state. A sample of the chunk says which is smallest, and which planes shrink at all: noise
 * is stored as it is, which costs nothing to write and to read; what shrinks is compressed, plane by plane.
 *
 * Planes and difference, byte by byte: u8 kind of element (1 byte, 2 int32, 3 float32); for each plane (four, or one
 * for bytes) u8 mode (0 raw, 1 zstd, 2 rANS) and u32 stored length; the planes.
 */
import { HoldfastError } from "../errors";
import { ByteReader, ByteWriter } from "./byte-cursor";
import type { Bytes } from "./bytes";
import { CHUNK_BYTES, elementBytes, type ElementKind } from "./chunks";
import { KIND_IDS, thePlanes } from "./planes";
import { compress, decompress } from "./zstd";

/** Ids are for ever; new ones are added at the end. */
export const CODEC_STORED = 0;
export const CODEC_PLANES = 1;
export const CODEC_DIFFERENCE = 2;

const MODE_RAW = 0;
/** Finds what repeats: text, masks, counters. */
const MODE_ZSTD = 1;
/** For numbers, in which nothing does. */
const MODE_RANS = 2;

/** A plane below this has no room for a table and a gain. */
const MIN_PLANE_BYTES = 64;
/** Elements that are looked at before a codec is chosen. */
const SAMPLE = 4096;
/** Above this order-0 entropy of the sample there is nothing to gain that would be worth its time. */
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
  readonly #out = new Uint8Array(CHUNK_BYTES);

  /**
   * The smallest form; never more than `raw`, which may be what it returns. `reference`: the chunk that the difference
   * is taken from, as long as `raw`, or null. `invalid` for a length that is none of a chunk.
   */
  encode(raw: Bytes, kind: ElementKind, reference: Bytes | null): EncodedChunk {
    checkLength(raw.length, kind);
    if (reference !== null && reference.length !== raw.length)
      throw new HoldfastError("invalid", "A chunk and its reference have different lengths.");
    const planes = thePlanes();
    planes.values.set(raw);
    if (reference !== null) planes.reference.set(reference);
    const own = estimate(raw.length, kind, false);
    const apart = reference === null ? null : estimate(raw.length, kind, true);
    const useReference = apart !== null && total(apart) + MIN_GAIN_BITS < total(own);
    const bits = useReference ? apart : own;
    // Most chunks of a small state, and noise: nothing to gain.
    if (bits.every((one) => one > MAX_SAMPLE_BITS)) return { codec: CODEC_STORED, bytes: raw };
    const count = raw.length / elementBytes(kind);
    if (useReference) planes.subtract(kind, count);
    const length = this.#pack(planes.split(kind, count), bits, kind);
    if (length >= raw.length) return { codec: CODEC_STORED, bytes: raw };
    return { codec: useReference ? CODEC_DIFFERENCE : CODEC_PLANES, bytes: this.#out.subarray(0, length) };
  }

  /** Returns the length of what it made; at least that of the chunk where there is no gain. */
  #pack(planes: readonly Bytes[], bits: readonly number[], kind: ElementKind): number {
    const heads: { readonly mode: number; readonly length: number }[] = [];
    let at = headBytes(planes.length);
    for (const [index, plane] of planes.entries()) {
      const isTried = plane.length >= MIN_PLANE_BYTES && (bits[index] ?? 8) <= MAX_SAMPLE_BITS;
      const packed = isTried ? pack(plane, kind) : null;
      const { mode, bytes } = packed ?? { mode: MODE_RAW, bytes: plane };
      if (at + bytes.length > this.#out.length) return Infinity;
      this.#out.set(bytes, at);
      at += bytes.length;
      heads.push({ mode, length: bytes.length });
    }
    const head = new ByteWriter(headBytes(planes.length)).u8(KIND_IDS[kind]);
    for (const { mode, length } of heads) head.u8(mode).u32(length);
    this.#out.set(head.finish());
    return at;
  }
}

/** A plane in fewer bytes; null where that cannot be. */
function pack(plane: Bytes, kind: ElementKind): { readonly mode: number; readonly bytes: Bytes } | null {
  if (kind === "float32") {
    const bytes = thePlanes().pack(plane);
    return bytes === null ? null : { mode: MODE_RANS, bytes };
  }
  const bytes = compress(plane);
  return bytes.length < plane.length ? { mode: MODE_ZSTD, bytes } : null;
}

/** Of the kind of element, and of mode and length of each plane. */
function headBytes(planes: number): number {
  return 1 + 5 * planes;
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
      joinPlanes(stored, raw, null);
      return;
    case CODEC_DIFFERENCE:
      if (reference?.length !== raw.length) throw damaged("it needs a chunk that is not there");
      joinPlanes(stored, raw, reference);
      return;
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

/** Fills `raw` with what the planes hold; with a reference, they hold the difference from it. */
function joinPlanes(stored: Bytes, raw: Bytes, reference: Bytes | null): void {
  if (raw.length > CHUNK_BYTES) throw damaged(`${raw.length} bytes are recorded, more than a chunk holds`);
  const reader = new ByteReader(stored, "A chunk in byte planes");
  const kind = kindOf(reader.u8());
  const parts = elementBytes(kind);
  if (raw.length % parts !== 0) throw damaged("it ends within an element");
  const count = raw.length / parts;
  const heads = Array.from({ length: parts }, () => ({ mode: reader.u8(), length: reader.u32() }));
  const planes = thePlanes();
  for (const [index, { mode, length }] of heads.entries())
    unpack(mode, reader.bytes(length), planes.plane(index, count));
  if (reader.remaining !== 0) throw damaged(`${reader.remaining} bytes too many`);
  planes.join(kind, count);
  if (reference !== null) {
    planes.reference.set(reference);
    planes.add(kind, count);
  }
  raw.set(planes.values.subarray(0, raw.length));
}

function unpack(mode: number, bytes: Bytes, plane: Bytes): void {
  if (mode === MODE_ZSTD) plane.set(decompress(bytes, plane.length));
  else if (mode === MODE_RAW && bytes.length === plane.length) plane.set(bytes);
  else if (mode > MODE_RANS)
    throw new HoldfastError(
      "unsupported",
      "A chunk is stored in a way that this version does not know. Use a newer one.",
    );
  else if (mode !== MODE_RANS || !thePlanes().unpack(bytes, plane))
    throw damaged("a plane is not described as one can be");
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

/** Order-0 entropy of each plane of a sample, or of its difference, in bits per byte. */
function estimate(length: number, kind: ElementKind, apart: boolean): number[] {
  const count = length / elementBytes(kind);
  // An odd stride, so that the sample does not walk along one column of a matrix whose width is a power of two.
  const stride = Math.max(1, Math.floor(count / SAMPLE)) | 1;
  const taken = Math.ceil(count / stride);
  return thePlanes()
    .survey(kind, count, stride, apart)
    .map((counts) => {
      // Too few to say anything: worth a try.
      if (taken < 256) return 0;
      let bits = 0;
      for (let symbol = 0; symbol < 256; symbol++) {
        const found = counts[symbol]!;
        if (found > 0) bits -= (found / taken) * Math.log2(found / taken);
      }
      // A short sample of noise seems less random than it is, by about 255 / (2 n ln 2) bits (Miller and Madow).
      return Math.min(8, bits + 255 / (2 * taken * Math.LN2));
    });
}

function total(bits: readonly number[]): number {
  return bits.reduce((sum, one) => sum + one, 0) / bits.length;
}

function damaged(what: string): HoldfastError {
  return new HoldfastError("corrupt", `A stored chunk is damaged: ${what}.`);
}
