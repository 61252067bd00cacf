/** Checkpoints in the compact form, written and read a chunk at a time; at most two chunks are in memory. */
import { HoldfastError } from "../errors";
import { concat, type Bytes } from "../format/bytes";
import { checkpointHead, parseCheckpointHead, type CheckpointHead } from "../format/checkpoint-file";
import { chunkCount, largestOf, planChunks, sameShapes, type PlannedChunk } from "../format/chunks";
import { ChunkEncoder, decodeChunk, needsReference } from "../format/codec";
import { encodeTable, parseTable, tableBytes, type CompactChunk } from "../format/compact";
import { fail } from "../format/parse";
import { SAFETENSORS_LENGTH_BYTES, safetensorsHeaderBytes } from "../format/safetensors-head";
import { isLongEntry } from "../format/zip";
import { readyZstd } from "../format/zstd";
import type { StoredCheckpoint } from "./stored-checkpoint";

/**
 * The pieces of a file, each valid until the next is asked for. `base`: what differences are taken from, or null.
 * `did` hears of the raw bytes of each chunk. `unsupported` for a state of 4 GB or more.
 */
export async function* compactFile(
  stored: StoredCheckpoint,
  base: StoredCheckpoint | null,
  did: (bytes: number) => void,
): AsyncGenerator<Bytes> {
  await readyZstd();
  const manifest = await stored.manifest();
  const plan = planChunks(manifest.tensors);
  const head = checkpointHead(manifest, manifest.tensors);
  const raw = plan.reduce((sum, { bytes }) => sum + bytes, 0);
  // How long the file becomes is known at its end, and whether it is that long must be known before.
  if (isLongEntry(head.length + raw + tableBytes(plan.length))) throw tooLarge(manifest.step);
  yield head;
  const isLeaning = base !== null && sameShapes((await base.manifest()).tensors, manifest.tensors);
  const encoder = new ChunkEncoder();
  const references = isLeaning ? base.chunks() : null;
  const table: CompactChunk[] = [];
  let index = 0;
  for await (const chunk of stored.chunks()) {
    const planned = plan[index++];
    const next = await references?.next();
    const reference = next === undefined || next.done === true ? null : next.value;
    if (planned === undefined) throw new HoldfastError("internal", "A state has more chunks than planned.");
    const { codec, bytes } = encoder.encode(chunk, planned.kind, reference);
    table.push({ codec, length: bytes.length });
    yield bytes;
    did(chunk.length);
  }
  yield encodeTable(table);
}

function tooLarge(step: number): HoldfastError {
  return new HoldfastError(
    "unsupported",
    `The state of step ${step} is too large for the compact form. Export it with whole tensors.`,
  );
}

/** Bytes that can be read anywhere. */
export interface Parts {
  readonly bytes: number;
  readonly part: (at: number, length: number) => Promise<Bytes>;
}

/** A file as its head and its table describe it. Nothing of it is known to be whole. */
export class CompactFile {
  readonly head: CheckpointHead;
  readonly headBytes: number;
  readonly plan: readonly PlannedChunk[];
  readonly chunks: readonly CompactChunk[];
  readonly #parts: Parts;
  readonly #offsets: readonly number[];
  readonly #room: Bytes;

  private constructor(
    parts: Parts,
    head: CheckpointHead,
    headBytes: number,
    plan: readonly PlannedChunk[],
    chunks: readonly CompactChunk[],
  ) {
    this.#parts = parts;
    this.head = head;
    this.headBytes = headBytes;
    this.plan = plan;
    this.chunks = chunks;
    let at = headBytes;
    this.#offsets = chunks.map(({ length }) => (at += length) - length);
    this.#room = new Uint8Array(largestOf(this.plan));
  }

  static async open(parts: Parts, what: string): Promise<CompactFile> {
    const start = await parts.part(0, SAFETENSORS_LENGTH_BYTES);
    const header = await parts.part(start.length, safetensorsHeaderBytes(start));
    const head = parseCheckpointHead(concat([start, header]), what);
    const headBytes = start.length + header.length;
    const length = tableBytes(chunkCount(head.tensors));
    // Before they are planned: a head can name more chunks than there is memory for, and no writer names that many.
    if (isLongEntry(headBytes + head.bytes + length)) throw tooLarge(head.facts.step);
    if (headBytes + length > parts.bytes) return fail(what, "is shorter than its table");
    const plan = planChunks(head.tensors);
    const table = await parts.part(parts.bytes - length, length);
    await readyZstd();
    return new CompactFile(
      parts,
      head,
      headBytes,
      plan,
      parseTable(table, plan, parts.bytes - headBytes - length, what),
    );
  }

  get table(): Bytes {
    return encodeTable(this.chunks);
  }

  /** Chunk `index` from its stored bytes, valid until the next. `base`: what it may be a difference from, of the same shapes. */
  async decode(index: number, stored: Bytes, base: CompactFile | null): Promise<Bytes> {
    const [planned, chunk] = [this.plan[index], this.chunks[index]];
    if (planned === undefined || chunk === undefined)
      throw new HoldfastError("internal", `There is no chunk ${index}.`);
    const reference = needsReference(chunk.codec) && base !== null ? await base.own(index) : null;
    const raw = this.#room.subarray(0, planned.bytes);
    decodeChunk(chunk.codec, stored, raw, reference);
    return raw;
  }

  /** A chunk of one that stands alone, wherever it is in it. */
  async own(index: number): Promise<Bytes> {
    const at = this.#offsets[index] ?? 0;
    return this.decode(index, await this.#parts.part(at, this.chunks[index]?.length ?? 0), null);
  }
}
