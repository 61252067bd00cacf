/**
 * The first 4096 bytes of a pack: which pack this is, and whose writer made it.
 * A slot of its own sector, so that writing it anew never tears a frame.
 */
import { HoldfastError } from "../errors";
import { ByteReader, ByteWriter } from "./byte-cursor";
import { equalBytes, type Bytes } from "./bytes";
import { crc32c } from "./crc";

export const PACK_HEADER_BYTES = 4096;

const PACK_MAGIC = Uint8Array.of(0x89, 0x48, 0x46, 0x50, 0x4b, 0x0d, 0x0a, 0x1a);
const PACK_VERSION = 1;
const PACK_ID_BYTES = 32;
const CRC_AT = PACK_HEADER_BYTES - 4;

export interface PackHeader {
  /** `[a-z0-9-]`, at most 32. */
  readonly pack: string;
  /** Fencing epoch of the writer that made or reused it. */
  readonly epoch: number;
  /** Milliseconds since 1970. */
  readonly created: number;
}

/** `PACK_HEADER_BYTES` bytes. `invalid` for a field out of range. */
export function encodePackHeader(header: PackHeader): Bytes {
  if (!/^[a-z0-9-]{1,32}$/.test(header.pack))
    throw new HoldfastError("invalid", "A pack id is not made of a-z, 0-9 and -, 32 at most.");
  const id = new TextEncoder().encode(header.pack);
  const out = new ByteWriter(PACK_HEADER_BYTES)
    .bytes(PACK_MAGIC)
    .u16(PACK_VERSION)
    .u16(0)
    .u32(id.length)
    .bytes(id)
    .zeros(PACK_ID_BYTES - id.length)
    .u64(header.epoch)
    .u64(header.created);
  out.zeros(CRC_AT - out.length);
  return out.u32(crc32c(out.view())).finish();
}

/** `corrupt` for damage in any of the 4096 bytes, `unsupported` for a newer version. */
export function parsePackHeader(bytes: Bytes): PackHeader {
  const reader = new ByteReader(bytes, "A pack header");
  if (!equalBytes(reader.bytes(PACK_MAGIC.length), PACK_MAGIC)) throw damaged("it does not begin as one");
  const version = reader.u16();
  if (new ByteReader(bytes, "A pack header", CRC_AT).u32() !== crc32c(bytes.subarray(0, CRC_AT)))
    throw damaged("it fails its checksum");
  if (version !== PACK_VERSION)
    throw new HoldfastError("unsupported", "A pack was written by a newer version. Use that one.");
  reader.u16();
  const length = reader.u32();
  if (length > PACK_ID_BYTES) throw damaged("its id is too long");
  const pack = String.fromCharCode(...reader.bytes(PACK_ID_BYTES).subarray(0, length));
  return { pack, epoch: reader.u64(), created: reader.u64() };
}

function damaged(what: string): HoldfastError {
  return new HoldfastError("corrupt", `The header of a pack is damaged: ${what}.`);
}
