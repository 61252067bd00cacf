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

async function* pieces(blob: Blob): AsyncGenerator<Bytes> {
  const reader = byteReader(blob);
  if (reader === null) yield* slices(blob);
  else yield* filled(reader, blob.size);
}

/**
 * Null where the browser has no such reader for files, as Safari before 26.4; asked of each file, since a stream says so only
 * when it is asked.
 */
function byteReader(blob: Blob): ReadableStreamBYOBReader | null {
  try {
    return blob.stream().getReader({ mode: "byob" });
  } catch {
    // Should it be the file that cannot be read, its slices say so.
    return null;
  }
}

/**
 * Through one buffer, which goes to the browser and comes back filled: a fresh one for each piece would be garbage that is
 * collected when a hundred megabytes of it lie around.
 */
async function* filled(reader: ReadableStreamBYOBReader, bytes: number): AsyncGenerator<Bytes> {
  try {
    let room = new Uint8Array(Math.min(PIECE_BYTES, bytes));
    for (let left = bytes; left > 0;) {
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

/** With that garbage, where there is no other way. */
async function* slices(blob: Blob): AsyncGenerator<Bytes> {
  for (let at = 0; at < blob.size; at += PIECE_BYTES)
    yield await readable(() => bytesOf(blob.slice(at, at + PIECE_BYTES)));
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
