/**
 * Frames: the records that a pack is made of. Each describes itself, so that a pack can be read without any index.
 *
 * A crash may keep any part of what was written last, in any order, so no length is believed before the header's
 * CRC, the payload's CRC and the trailer agree; and content counts as right only when its SHA-256 does. The CRC
 * finds the next frame after damage in a cheap scan; the hash decides.
 */
import { HoldfastError } from "../errors";
import { ByteReader, ByteWriter } from "./byte-cursor";
import { align8, equalBytes, sha256, SHA256_BYTES, type Bytes } from "./bytes";
import { crc32c } from "./crc";
import { CHUNK_BYTES } from "./chunks";
import { CODEC_STORED, decodeChunk } from "./codec";
import { readyZstd } from "./zstd";

/** Eight bytes that are no text: the first has its high bit set, and a change of line ends breaks them. */
const FRAME_MAGIC = Uint8Array.of(0x89, 0x48, 0x46, 0x52, 0x4d, 0x0d, 0x0a, 0x1a);
const TRAILER_MAGIC = 0x4d524648;
const FRAME_VERSION = 1;

export const FRAME_HEADER_BYTES = 104;
export const FRAME_TRAILER_BYTES = 16;
/** The most a frame holds, raw or stored: a pack's worth. Nothing larger is allocated on a header's word. */
export const MAX_PAYLOAD_BYTES = 64 * 1024 * 1024;
/** Longest run id, ASCII. */
export const RUN_ID_BYTES = 24;

const CRC_AT = FRAME_HEADER_BYTES - 4;

/** What a frame holds. The place in this list is the number in the header: add at the end only. */
const FRAME_TYPES = [
  "chunk",
  "commit",
  "data",
  "run",
  "event",
  "journal",
  "edit",
  "dataset",
  "import",
] as const;
export type FrameType = (typeof FRAME_TYPES)[number];

export interface FrameHeader {
  readonly type: FrameType;
  /** Whose it is: `[a-z0-9]`, at most 24; empty where it belongs to no run. */
  readonly run: string;
  /** Fencing epoch of its writer. */
  readonly epoch: number;
  /** Number of the frame in its run; a frame refers only to frames with lower ones. */
  readonly sequence: number;
  /** How the payload is stored: a codec id of `codec.ts`. */
  readonly codec: number;
  readonly rawLength: number;
  readonly storedLength: number;
  /** SHA-256 of the raw content. */
  readonly hash: Bytes;
}

export interface Frame {
  readonly header: FrameHeader;
  /** What the codec made of the content; a view. */
  readonly stored: Bytes;
}

/** Bytes from a frame's magic to its end, padding included: a multiple of 8. */
export function frameBytes(storedLength: number): number {
  return FRAME_HEADER_BYTES + align8(storedLength) + FRAME_TRAILER_BYTES;
}

/** The header, `FRAME_HEADER_BYTES` long. `invalid` for a field out of range. */
export function encodeFrameHeader(header: FrameHeader): Bytes {
  if (!/^[a-z0-9]{0,24}$/.test(header.run))
    throw new HoldfastError("invalid", "A run id is not made of a-z and 0-9, 24 at most.");
  if (header.hash.length !== SHA256_BYTES)
    throw new HoldfastError("invalid", "The hash of a frame is not 32 bytes.");
  if (header.rawLength > MAX_PAYLOAD_BYTES || header.storedLength > MAX_PAYLOAD_BYTES) {
    throw new HoldfastError("invalid", `A frame of ${header.rawLength} bytes is too long.`);
  }
  const run = new TextEncoder().encode(header.run);
  const out = new ByteWriter(FRAME_HEADER_BYTES)
    .bytes(FRAME_MAGIC)
    .u16(FRAME_VERSION)
    .u8(FRAME_TYPES.indexOf(header.type) + 1)
    .u8(header.codec)
    .u32(0)
    .u64(header.epoch)
    .u64(header.sequence)
    .u32(header.rawLength)
    .u32(header.storedLength)
    .bytes(run)
    .zeros(RUN_ID_BYTES - run.length)
    .bytes(header.hash)
    .u32(0);
  return out.u32(crc32c(out.view())).finish();
}

/** `corrupt` where there is no whole header at `offset`, `unsupported` for one of a newer version. */
export function parseFrameHeader(bytes: Bytes, offset = 0): FrameHeader {
  const reader = new ByteReader(bytes, "A frame header", offset);
  if (!equalBytes(reader.bytes(FRAME_MAGIC.length), FRAME_MAGIC))
    throw damaged(offset, "no frame begins there");
  const version = reader.u16();
  const type = FRAME_TYPES[reader.u8() - 1];
  const codec = reader.u8();
  const reserved = reader.u32();
  const epoch = readU64OrNegative(reader);
  const sequence = readU64OrNegative(reader);
  const rawLength = reader.u32();
  const storedLength = reader.u32();
  const run = runIdOf(reader.bytes(RUN_ID_BYTES));
  const hash = reader.bytes(SHA256_BYTES).slice();
  const reservedToo = reader.u32();
  if (reader.u32() !== crc32c(bytes.subarray(offset, offset + CRC_AT)))
    throw damaged(offset, "its header fails its checksum");
  if (version > FRAME_VERSION || reserved !== 0 || reservedToo !== 0 || type === undefined) {
    throw new HoldfastError(
      "unsupported",
      `A frame at byte ${offset} was written by a newer version. Use that one.`,
    );
  }
  if (version < FRAME_VERSION || run === undefined || epoch < 0 || sequence < 0)
    throw damaged(offset, "its header makes no sense");
  if (rawLength > MAX_PAYLOAD_BYTES || storedLength > MAX_PAYLOAD_BYTES)
    throw damaged(offset, "its length is more than a pack holds");
  return { type, run, epoch, sequence, codec, rawLength, storedLength, hash };
}

/**
 * A whole frame in one buffer, for one write. `stored` is what the codec made. `room`: memory for it that is used again,
 * as long as a frame or longer; what is returned is then a view of it.
 */
export function encodeFrame(
  header: Omit<FrameHeader, "storedLength">,
  stored: Uint8Array,
  room?: Bytes,
): Bytes {
  const length = frameBytes(stored.length);
  const frame =
    room === undefined || room.length < length ? new Uint8Array(length) : room.subarray(0, length);
  const trailer = new ByteWriter(FRAME_TRAILER_BYTES)
    .u64(header.sequence)
    .u32(crc32c(stored))
    .u32(TRAILER_MAGIC);
  frame.set(encodeFrameHeader({ ...header, storedLength: stored.length }));
  frame.set(stored, FRAME_HEADER_BYTES);
  frame.fill(0, FRAME_HEADER_BYTES + stored.length, length - FRAME_TRAILER_BYTES);
  frame.set(trailer.view(), length - FRAME_TRAILER_BYTES);
  return frame;
}

/** Checks everything that a frame says of itself but its content. `bytes` is exactly the frame. */
export function openFrame(bytes: Bytes): Frame {
  const header = parseFrameHeader(bytes);
  if (bytes.length !== frameBytes(header.storedLength))
    throw damaged(0, "its length is not the one recorded");
  const fault = payloadFault(bytes, 0, header);
  if (fault !== undefined) throw damaged(0, fault);
  return { header, stored: bytes.subarray(FRAME_HEADER_BYTES, FRAME_HEADER_BYTES + header.storedLength) };
}

/**
 * The content as it was before the codec, checked against its hash. `reference`: what a difference was taken from.
 * `room`: memory that is used again; where the content fits, it is a view of it. `corrupt` names what does not fit.
 */
export async function contentOf(
  { header, stored }: Frame,
  reference: Bytes | null = null,
  room?: Bytes,
): Promise<Bytes> {
  await readyZstd();
  if (header.codec !== CODEC_STORED && header.rawLength > CHUNK_BYTES)
    throw damaged(0, "it records more than a chunk holds");
  const { rawLength } = header;
  // Before there is memory for it: a pack of small frames may claim 64 MiB with each.
  if (header.codec === CODEC_STORED && stored.length !== rawLength)
    throw damaged(0, `it records ${rawLength} bytes and has ${stored.length}`);
  const raw =
    room === undefined || room.length < rawLength ? new Uint8Array(rawLength) : room.subarray(0, rawLength);
  decodeChunk(header.codec, stored, raw, reference);
  if (!equalBytes(await sha256(raw), header.hash)) throw damaged(0, "its content fails its hash");
  return raw;
}

/** What is wrong behind the header of the frame at `offset`; undefined where trailer, padding and CRC agree. */
export function payloadFault(bytes: Bytes, offset: number, header: FrameHeader): string | undefined {
  const start = offset + FRAME_HEADER_BYTES;
  const end = start + header.storedLength;
  const trailerAt = start + align8(header.storedLength);
  if (trailerAt + FRAME_TRAILER_BYTES > bytes.length) return "it is cut off";
  const trailer = new ByteReader(bytes, "A frame's trailer", trailerAt);
  if (readU64OrNegative(trailer) !== header.sequence) return "its trailer is of another frame";
  if (trailer.u32() !== crc32c(bytes.subarray(start, end))) return "its payload fails its checksum";
  if (trailer.u32() !== TRAILER_MAGIC) return "its trailer is damaged";
  for (let at = end; at < trailerAt; at++) if (bytes[at] !== 0) return "its padding is not empty";
  return undefined;
}

/** Where the next magic is, at or after `offset` and at a multiple of 8 from `origin`; the end where there is none. */
export function nextMagic(bytes: Bytes, offset: number, origin: number): number {
  for (let at = origin + align8(offset - origin); at + FRAME_MAGIC.length <= bytes.length; at += 8) {
    if (bytes[at] === FRAME_MAGIC[0] && equalBytes(bytes.subarray(at, at + FRAME_MAGIC.length), FRAME_MAGIC))
      return at;
  }
  return bytes.length;
}

const NOT_SAFE = -1;

/** Before the checksum is known any bits may stand there, so a number too large is told, not thrown. */
function readU64OrNegative(reader: ByteReader): number {
  const low = reader.u32();
  const value = reader.u32() * 2 ** 32 + low;
  return Number.isSafeInteger(value) ? value : NOT_SAFE;
}

function runIdOf(field: Bytes): string | undefined {
  const text = String.fromCharCode(...field).replace(/\0+$/, "");
  return /^[a-z0-9]*$/.test(text) ? text : undefined;
}

function damaged(offset: number, what: string): HoldfastError {
  return new HoldfastError("corrupt", `The frame at byte ${offset} is damaged: ${what}.`);
}
