/**
 * A state as frames: its chunks, then the manifest that says where they are, as the commit frame.
 *
 * Without a previous checkpoint it becomes a *keyframe*, which refers to nothing but its own frames. Otherwise a chunk
 * that has not changed since the keyframe is referred to, and any other may be stored as its difference from the
 * keyframe's. Differences are never taken from differences: a restore reads at most two frames for a chunk, a damaged
 * one costs only the checkpoints that were taken from it, and whatever goes, nothing that stays must be written anew.
 */
import { HoldfastError, messageOf } from "../errors";
import { sha256, toHex, type Bytes } from "../format/bytes";
import { gather, inNameOrder, largestOf, planChunks, type TensorShape } from "../format/chunks";
import { needsReference } from "../format/codec";
import { digestFromChunks } from "../format/digest";
import { encodeJournal } from "../format/journal";
import {
  encodeManifest,
  MANIFEST_VERSION,
  parseManifest,
  type ChunkRef,
  type Manifest,
  type StoredChunk,
} from "../format/manifest";
import { piecesOf } from "../format/rows";
import type { JournalRows, RunEvent } from "../format/run";
import type { CheckpointInfo, Lease, Place, SaveRequest } from "../format/stored";
import { byteLength } from "../format/tensor-bytes";
import type { State } from "../format/tensors";
import type { CheckpointRow, RunRow } from "../store/tables";
import { configStretches } from "./configs";
import type { AddFrame } from "./durable";
import { FrameSequence } from "./frames";
import { addAbout, beginLog, type LogStart } from "./log-frames";
import { roomsFor, type ChunkRooms } from "./read";

/** Clocks, so that tests can hold them. */
export interface Clock {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Milliseconds of a clock that never goes back. */
  readonly elapsed: () => number;
}

/** Steps to a frame of the journal at most: 3 MiB. */
const JOURNAL_ROWS = 2 ** 18;

/** What a checkpoint is about, beside its tensors. */
export interface SaveContext {
  readonly lease: Lease;
  readonly run: Pick<RunRow, "record" | "steps" | "nextFrame" | "lastCommit">;
  readonly events: readonly RunEvent[];
  /** Journal rows up to the state's step that the log has not got yet; null where it has them all. */
  readonly unlogged: JournalRows | null;
  readonly clock: Clock;
  /** What the log begins with, because the run does or because the log was lost; null where it goes on. */
  readonly beginsLog: LogStart | null;
  /** The checkpoint before this one in its chain; null makes a keyframe. */
  readonly previous: Previous | null;
}

/** What a checkpoint leans on. */
export interface Previous {
  readonly manifest: Manifest;
  /** Reads a chunk that a difference can be taken from. `corrupt` or `missing` where it is damaged. */
  readonly read: (chunk: StoredChunk, rooms: ChunkRooms) => Promise<Bytes>;
}

export interface Written {
  readonly row: CheckpointRow;
  readonly manifest: Manifest;
  readonly nextFrame: number;
  /** Packs that it needs and did not write. */
  readonly leansOn: readonly string[];
  /** The pack of the log that it wrote to; null where it did not. */
  readonly log: string | null;
}

/** Adds all frames of a checkpoint. What it returns is to be committed once they are durable. */
export async function writeCheckpoint(
  add: AddFrame,
  request: SaveRequest,
  context: SaveContext,
): Promise<Written> {
  const { state } = request;
  const start = context.clock.elapsed();
  const frames = new FrameSequence(add, context.lease, context.run.nextFrame, context.clock.elapsed);
  const logged: string[] = [];
  // Before the checkpoint, so that wherever its frame is found all that came before is there as well.
  if (context.beginsLog !== null) {
    logged.push(await beginLog(frames, context.run.record, context.events));
    await addAbout(add, context.run.record, context.beginsLog);
  }
  for (const rows of piecesOf(context.unlogged, JOURNAL_ROWS)) {
    const { place } = await frames.add("journal", encodeJournal(rows), "float32");
    logged.push(place.pack);
  }
  const made = await writeState(frames, state, context.previous);
  const encode = context.clock.elapsed() - start - frames.appending;
  const manifest = manifestOf(request, context, { ...made, encode });
  const raw = encodeManifest(manifest);
  checkReadable(() => parseManifest(raw), "checkpoint");
  const commit = await frames.add("commit", raw, "byte");
  const row = checkpointRow(manifest, commit, { storedBytes: frames.bytes, write: frames.appending });
  const leansOn = row.packs.filter((name) => !frames.packs.includes(name));
  return { row, manifest, nextFrame: frames.next, leansOn, log: logged.at(-1) ?? null };
}

/** What the catalogue says of a checkpoint, from its manifest and where that lies. */
export function checkpointRow(
  manifest: Manifest,
  commit: { readonly place: Place; readonly hash: string },
  cost: { readonly storedBytes: number; readonly write: number },
): CheckpointRow {
  const { record, step, metrics, chunks } = manifest;
  const info: CheckpointInfo = {
    run: record.id,
    step,
    time: manifest.time,
    reason: manifest.reason,
    loss: metrics["loss"] ?? null,
    metrics,
    digest: manifest.digest,
    rawBytes: manifest.tensors.reduce((sum, { dtype, shape }) => sum + (byteLength(dtype, shape) ?? 0), 0),
    storedBytes: cost.storedBytes,
    check: "saved",
    times: { ...manifest.times, write: cost.write, commit: 0 },
  };
  const needed = chunks.flatMap(({ pack, base }) => (base === null ? [pack] : [pack, base.pack]));
  return {
    run: record.id,
    step,
    info,
    commit: commit.place,
    manifestHash: commit.hash,
    packs: [...new Set([commit.place.pack, ...needed])],
    forked: false,
    used: null,
  };
}

/** A save is whole or it throws: what could not be read back later is refused now, as `invalid`. */
export function checkReadable(parse: () => unknown, what: string): void {
  try {
    parse();
  } catch (error) {
    throw new HoldfastError("invalid", `The ${what} could not be read back: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

interface WrittenState {
  readonly tensors: readonly TensorShape[];
  readonly chunks: readonly ChunkRef[];
  readonly chain: number;
  readonly digest: string;
}

async function writeState(
  frames: FrameSequence,
  state: State,
  previous: Previous | null,
): Promise<WrittenState> {
  const tensors = inNameOrder(state.tensors);
  const shapes = tensors.map(({ name, dtype, shape }) => ({ name, dtype, shape }));
  const leaning = previous !== null && sameShapes(previous.manifest.tensors, shapes) ? previous : null;
  const plan = planChunks(shapes);
  const largest = largestOf(plan);
  const scratch = new Uint8Array(largest);
  const rooms = leaning === null ? null : roomsFor(largest);
  const chunks: ChunkRef[] = [];
  const hashes: Bytes[] = [];
  for (const [index, planned] of plan.entries()) {
    const raw = gather(planned, tensors, scratch);
    const hash = await sha256(raw);
    hashes.push(hash);
    const before = leaning?.manifest.chunks[index];
    const base = before === undefined ? null : baseOf(before);
    const reference =
      leaning === null || rooms === null || base === null ? null : await readReference(leaning, base, rooms);
    if (base !== null && reference !== null && base.hash === toHex(hash)) {
      // What was read back has that very hash, so the frame is whole.
      chunks.push({ ...base, base: null });
      continue;
    }
    const added = await frames.add("chunk", raw, planned.kind, { hash, reference });
    const stored = { hash: added.hash, codec: added.codec, ...added.place };
    chunks.push({ ...stored, base: needsReference(added.codec) ? base : null });
  }
  return {
    tensors: shapes,
    chunks,
    chain: leaning === null ? 0 : leaning.manifest.chain + 1,
    digest: await digestFromChunks(shapes, hashes, state.scalars),
  };
}

/** The chunk of the keyframe: what a difference was taken from, or what has not changed since. */
function baseOf({ base, ...own }: ChunkRef): StoredChunk {
  return base ?? own;
}

/** Null where the reference cannot be read, for whatever reason: then the chunk is stored whole. */
async function readReference(
  { read }: Previous,
  base: StoredChunk,
  rooms: ChunkRooms,
): Promise<Bytes | null> {
  try {
    return await read(base, rooms);
  } catch (error) {
    if (error instanceof HoldfastError) return null;
    throw error;
  }
}

function sameShapes(a: readonly TensorShape[], b: readonly TensorShape[]): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function manifestOf(
  request: SaveRequest,
  { run, events, clock }: SaveContext,
  made: WrittenState & { readonly encode: number },
): Manifest {
  const { record } = run;
  const { scalars } = request.state;
  return {
    version: MANIFEST_VERSION,
    record,
    step: scalars.step,
    samples: scalars.samples,
    counters: scalars.counters,
    reason: request.reason,
    time: clock.now(),
    digest: made.digest,
    configs: configStretches(record, events, scalars.step),
    steps: run.steps,
    metrics: request.metrics,
    environment: request.environment,
    previous: run.lastCommit,
    shard: { index: 0, count: 1 },
    times: { ...request.times, encode: made.encode },
    chain: made.chain,
    tensors: made.tensors,
    chunks: made.chunks,
  };
}
