/** A file that a person has brought, read without keeping more of it in memory than a piece. */
import { HoldfastError } from "../errors";
import type { Bytes } from "../format/bytes";
import type { ByteSource } from "../format/zip";

const PIECE_BYTES = 1024 * 1024;

export function blobSource(blob: Blob): ByteSource {
  return {
    size: blob.size,
    read: (offset, length) => readable(() => bytesOf(blob.slice(offset, offset + length))),
    pieces: (offset, length) => pieces(blob.slice(offset, offset + length)),
  };
}

/**
 * Through one buffer, which goes to the browser and comes back filled: a fresh one for each piece would be garbage that is
 * collected when a hundred megabytes of it lie around.
 */
async function* pieces(blob: Blob): AsyncGenerator<Bytes> {
  const reader = blob.stream().getReader({ mode: "byob" });
  try {
    let room = new Uint8Array(Math.min(PIECE_BYTES, blob.size));
    for (let left = blob.size; left > 0;) {
      const { value } = await readable(() => reader.read(room));
      if (value === undefined || value.length === 0) return;
      left -= value.length;
      yield value;
      room = new Uint8Array(value.buffer);
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

async function bytesOf(blob: Blob): Promise<Bytes> {
  return new Uint8Array(await blob.arrayBuffer());
}

async function readable<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw new HoldfastError(
      "missing",
      "The bundle cannot be read any more: it was changed, moved or taken away. Choose it again.",
      { cause: error },
    );
  }
}
