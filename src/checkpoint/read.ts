/**
 * Getting a state back. Nothing is believed because it was found: every frame is checked by CRC and SHA-256 against
 * what the manifest says of it, the manifest against the catalogue, and the state's digest is computed again.
 */
import { HoldfastError, messageOf, type ErrorCode } from "../errors";
import { equalBytes, fromHex, toHex, type Bytes } from "../format/bytes";
import { largestOf, planChunks, scatter, type PlannedChunk } from "../format/chunks";
import { digestFromChunks } from "../format/digest";
import {
  contentOf,
  frameBytes,
  openFrame,
  type Frame,
  type FrameHeader,
  type FrameType,
} from "../format/frame";
import { parseManifest, type ChunkRef, type Manifest, type StoredChunk } from "../format/manifest";
import type { Place, Restored, Unusable } from "../format/stored";
import { byteLength, tensorsIn } from "../format/tensor-bytes";
import type { Scalars, State } from "../format/tensors";
import type { PackStore } from "../store/pack-store";
import type { CheckpointRow } from "../store/tables";

/** A checkpoint, whole. */
export interface ReadCheckpoint {
  readonly manifest: Manifest;
  readonly state: State;
}

/** Reads exactly this checkpoint. `corrupt`, `missing` or `unsupported` where it cannot be had bit for bit. */
export async function readCheckpoint(packs: PackStore, row: CheckpointRow): Promise<ReadCheckpoint> {
  const manifest = await readManifest(packs, row);
  const bytes = manifest.tensors.map(({ dtype, shape }) => new Uint8Array(byteLength(dtype, shape) ?? 0));
  await readChunks(packs, row, manifest, (planned, raw) => {
    scatter(planned, raw, bytes);
  });
  return { manifest, state: { tensors: tensorsIn(manifest.tensors, bytes), scalars: scalarsOf(manifest) } };
}

/**
 * Reads every bit of it as a restore does, and keeps no more than two chunks in memory. `between` is awaited after each
 * chunk, so that what is urgent comes first. Throws as that does.
 */
export async function verifyCheckpoint(
  packs: PackStore,
  row: CheckpointRow,
  between: () => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  await readChunks(packs, row, await readManifest(packs, row), between);
}

async function readChunks(
  packs: PackStore,
  row: CheckpointRow,
  manifest: Manifest,
  take: (planned: PlannedChunk, raw: Bytes) => void | Promise<void>,
): Promise<void> {
  const plan = planChunks(manifest.tensors);
  let index = 0;
  for await (const raw of chunksOf(packs, row, manifest)) {
    const planned = plan[index++];
    if (planned !== undefined) await take(planned, raw);
  }
  // Those that `readChunk` has compared.
  const hashes = manifest.chunks.map(({ hash }) => fromHex(hash));
  const digest = await digestFromChunks(manifest.tensors, hashes, scalarsOf(manifest));
  if (digest !== manifest.digest || digest !== row.info.digest)
    throw damaged(row, "its state has another digest");
}

/** The chunks of a checkpoint in order, the first ones left out, each whole and valid until the next is asked for. Throws as `readCheckpoint`. */
export async function* chunksOf(
  packs: PackStore,
  row: CheckpointRow,
  { tensors, chunks }: Manifest,
  from = 0,
): AsyncGenerator<Bytes> {
  const plan = planChunks(tensors);
  const rooms = readingRooms(largestOf(plan));
  for (const [index, planned] of plan.entries()) {
    if (index < from) continue;
    const chunk = chunks[index];
    const raw = chunk === undefined ? undefined : await readChunk(packs, chunk, row.run, rooms);
    if (raw?.length !== planned.bytes) throw damaged(row, "a chunk is not as long as its tensors are");
    yield raw;
  }
}

function scalarsOf({ step, samples, counters }: Manifest): Scalars {
  return { step, samples, counters };
}

/** The row of a checkpoint as it is now: undefined where it was let go of, another where it was moved. */
export type RowNow = (row: CheckpointRow) => Promise<CheckpointRow | undefined>;

/**
 * The same, of a checkpoint that may be moved or let go of while it is read: nobody waits for a reader. Null where it
 * is not kept any more.
 */
export async function readAsItIs(
  packs: PackStore,
  row: CheckpointRow,
  rowNow: RowNow,
): Promise<ReadCheckpoint | null> {
  for (let at = row; ;) {
    try {
      return await readCheckpoint(packs, at);
    } catch (error) {
      if (codeOfDamage(error) === null) throw error;
      const now = await rowNow(at);
      if (now === undefined) return null;
      if (now.manifestHash === at.manifestHash) throw error;
      at = now;
    }
  }
}

/**
 * The first of `rows` that is whole; those before it that are damaged are named in `skipped`. `missing` where none is
 * whole.
 */
export async function readNewestWhole(
  packs: PackStore,
  rows: readonly CheckpointRow[],
  rowNow: RowNow,
): Promise<Restored> {
  const skipped: Unusable[] = [];
  for (const row of rows) {
    try {
      const read = await readAsItIs(packs, row, rowNow);
      if (read === null) continue;
      return { checkpoint: row.info, state: read.state, environment: read.manifest.environment, skipped };
    } catch (error) {
      const code = codeOfDamage(error);
      if (code === null) throw error;
      skipped.push({ step: row.step, code, message: messageOf(error) });
    }
  }
  const reasons = skipped.map(({ step, message }) => ` Step ${step}: ${message}`).join("");
  throw new HoldfastError("missing", `No checkpoint of this run is whole.${reasons}`);
}

/** What was committed, checked against what the catalogue says of it. */
export async function readManifest(packs: PackStore, row: CheckpointRow): Promise<Manifest> {
  const { raw, header } = await readFrame(packs, row.commit, { type: "commit", run: row.run });
  if (toHex(header.hash) !== row.manifestHash)
    throw damaged(row, "its manifest is not the one that was committed");
  const manifest = parseManifest(raw);
  if (manifest.record.id !== row.run || manifest.step !== row.step)
    throw damaged(row, "its manifest is of another checkpoint");
  return manifest;
}

/**
 * A chunk, with what it is the difference from read first. Its content has the hash that the manifest says, and is
 * valid until the rooms are used again.
 */
export async function readChunk(
  packs: PackStore,
  { base, ...own }: ChunkRef,
  run: string,
  rooms: ReadingRooms,
): Promise<Bytes> {
  if (base === null) return readStored(packs, own, run, rooms);
  const before = await openStored(packs, base, run, rooms.stored);
  const reference = await contentOf(before, null, rooms.reference);
  const frame = await openStored(packs, own, run, rooms.stored);
  // A frame refers only to what was there before it, so no chain of references can be a circle.
  if (before.header.sequence >= frame.header.sequence) throw another(own);
  return contentOf(frame, reference, rooms.raw);
}

/** Memory that is used for one chunk after the other. */
export interface ChunkRooms {
  readonly raw: Bytes;
  /** For the frame, as it is stored. */
  readonly stored: Bytes;
}

/** The same with room for what a chunk is the difference from. */
export interface ReadingRooms extends ChunkRooms {
  readonly reference: Bytes;
}

/** For chunks of at most so many bytes. */
export function readingRooms(bytes: number): ReadingRooms {
  return { ...roomsFor(bytes), reference: new Uint8Array(bytes) };
}

/** For chunks of at most so many bytes. */
export function roomsFor(bytes: number): ChunkRooms {
  return { raw: new Uint8Array(bytes), stored: new Uint8Array(frameBytes(bytes)) };
}

/** The content of one frame with a chunk that is no difference, in `raw`. */
export async function readStored(
  packs: PackStore,
  chunk: StoredChunk,
  run: string,
  { raw, stored }: ChunkRooms,
): Promise<Bytes> {
  return contentOf(await openStored(packs, chunk, run, stored), null, raw);
}

/** Valid until `room` is used again. */
async function openStored(packs: PackStore, chunk: StoredChunk, run: string, room: Bytes): Promise<Frame> {
  const frame = await openPlace(packs, chunk, { type: "chunk", run }, room);
  const { hash, codec } = frame.header;
  if (!equalBytes(hash, fromHex(chunk.hash)) || codec !== chunk.codec) throw another(chunk);
  return frame;
}

/** One frame, checked from magic to content hash, of this type and this run. */
export async function readFrame(
  packs: PackStore,
  place: Place,
  owner: { readonly type: FrameType; readonly run: string },
): Promise<{ readonly raw: Bytes; readonly header: FrameHeader }> {
  const frame = await openPlace(packs, place, owner);
  return { raw: await contentOf(frame), header: frame.header };
}

/** A frame whose content is not known yet. */
async function openPlace(
  packs: PackStore,
  place: Place,
  { type, run }: { readonly type: FrameType; readonly run: string },
  room?: Bytes,
): Promise<Frame> {
  const frame = openFrame(await packs.read(place.pack, place.offset, place.length, room));
  if (frame.header.type !== type || frame.header.run !== run) throw another(place);
  return frame;
}

function another({ pack, offset }: Place): HoldfastError {
  return new HoldfastError(
    "corrupt",
    `Pack ${pack} holds another frame at byte ${offset} than was recorded.`,
  );
}

function damaged(row: CheckpointRow, what: string): HoldfastError {
  return new HoldfastError("corrupt", `The checkpoint of step ${row.step} is damaged: ${what}.`);
}

/** The code where an error says that these bytes cannot be used; null where it says nothing about them. */
export function codeOfDamage(error: unknown): ErrorCode | null {
  if (!(error instanceof HoldfastError)) return null;
  const { code } = error;
  return code === "corrupt" || code === "missing" || code === "unsupported" || code === "refused"
    ? code
    : null;
}
