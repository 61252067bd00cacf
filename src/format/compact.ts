/**
 * A checkpoint in the compact form of a bundle: the head of its safetensors file, its chunks as the store has them, and
 * behind them a table.
 *
 *   head     as `checkpointHead` writes it
 *   chunks   the stored bytes of each, in order
 *   table    for each chunk u8 codec and u32 stored length
 *
 * Of the checkpoints of a run, in order, every eighth stands alone, from the first on. The others may hold
 * differences: each from the same chunk of the last one before it that stands alone. So no chunk needs more than one
 * other.
 */
import { ByteReader, ByteWriter } from "./byte-cursor";
import type { Bytes } from "./bytes";
import type { PlannedChunk } from "./chunks";
import { fail } from "./parse";

/** Checkpoints from one that stands alone to the next. Part of the format. */
const STRIDE = 8;
const ROW_BYTES = 5;

/** Which checkpoint number `index` takes differences from; itself where it stands alone. */
export function baseIndex(index: number): number {
  return index - (index % STRIDE);
}

export interface CompactChunk {
  readonly codec: number;
  readonly length: number;
}

/** Bytes of the table of so many chunks. */
export function tableBytes(chunks: number): number {
  return ROW_BYTES * chunks;
}

export function encodeTable(chunks: readonly CompactChunk[]): Bytes {
  const out = new ByteWriter(tableBytes(chunks.length));
  for (const { codec, length } of chunks) out.u8(codec).u32(length);
  return out.finish();
}

/** `corrupt` where a chunk is longer than its bytes are, or all of them are not `bytes` long. */
export function parseTable(
  table: Bytes,
  plan: readonly PlannedChunk[],
  bytes: number,
  what: string,
): readonly CompactChunk[] {
  const reader = new ByteReader(table, what);
  const chunks = plan.map((planned, index) => {
    const chunk = { codec: reader.u8(), length: reader.u32() };
    if (chunk.length > planned.bytes) return fail(what, `has too many bytes for chunk ${index}`);
    return chunk;
  });
  if (chunks.reduce((sum, { length }) => sum + length, 0) !== bytes)
    return fail(what, "is not as long as its chunks are");
  return chunks;
}
