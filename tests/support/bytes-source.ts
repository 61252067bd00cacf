/** An archive that is in memory. */
import type { Bytes } from "../../src/format/bytes";
import type { ByteSource } from "../../src/format/zip";

/** Bytes of a piece: so few that what is tested meets the borders between them. */
const PIECE_BYTES = 7;

export function bytesSource(bytes: Bytes, pieceBytes = PIECE_BYTES): ByteSource {
  return {
    size: bytes.length,
    read: (offset, length) => Promise.resolve(bytes.slice(offset, offset + length)),
    async *pieces(offset, length) {
      const end = Math.min(bytes.length, offset + length);
      for (let at = offset; at < end; at += pieceBytes)
        yield await Promise.resolve(bytes.slice(at, Math.min(end, at + pieceBytes)));
    },
  };
}
