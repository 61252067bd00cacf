/** A checkpoint as frames: what its log lacks, the chunks of its state, then the manifest that says where those are. */
import { HoldfastError, messageOf } from "../errors";
import { encodeJournal } from "../format/journal";
import { encodeManifest, MANIFEST_VERSION, parseManifest, type Manifest } from "../format/manifest";
import { piecesOf } from "../format/rows";
import type { JournalRows, RunEvent } from "../format/run";
import type { CheckpointInfo, Lease, Place, SaveRequest } from "../format/stored";
import { byteLength } from "../format/tensor-bytes";
import type { CheckpointRow, RunRow } from "../store/tables";
import type { AddFrame } from "./durable";
import { FrameSequence } from "./frames";
import { addAbout, beginLog, type LogStart } from "./log-frames";
import { writeState, type Previous, type StateSource, type WrittenState } from "./write-state";

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

export interface Written {
  readonly row: CheckpointRow;
  readonly manifest: Manifest;
  readonly nextFrame: number;
  /** Packs that it needs and did not write. */
  readonly leansOn: readonly string[];
  /** The pack of the log that it wrote to; null where it did not. */
  readonly log: string | null;
}

/** What is to be saved: a request, its state a chunk at a time. */
export type Saving = Omit<SaveRequest, "state" | "rows"> &
  Pick<Manifest, "configs"> & { readonly source: StateSource };

/** Adds all frames of a checkpoint. What it returns is to be committed once they are durable. */
export async function writeCheckpoint(add: AddFrame, saving: Saving, context: SaveContext): Promise<Written> {
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
  const made = await writeState(frames, saving.source, context.previous);
  const encode = context.clock.elapsed() - start - frames.appending;
  const manifest = manifestOf(saving, context, { ...made, encode });
  const raw = encodeManifest(manifest);
  checkReadable(() => parseManifest(raw), "checkpoint");
  const commit = await frames.add("commit", raw, "byte");
  const row = checkpointRow(manifest, commit, { storedBytes: frames.bytes, write: frames.appending });
  const leansOn = row.packs.filter((name) => !frames.packs.includes(name));
  return { row, manifest, nextFrame: frames.next, leansOn, log: logged.at(-1) ?? null };
}

/** Where a checkpoint is moved to. */
export interface MoveContext {
  readonly lease: Lease;
  readonly nextFrame: number;
  readonly clock: Clock;
  readonly previous: Previous | null;
}

/**
 * Adds all frames of a checkpoint that is in the store already, once more: it stays what it is, and lies elsewhere.
 * `corrupt` where what is read is not what was saved.
 */
export async function moveCheckpoint(
  add: AddFrame,
  manifest: Manifest,
  chunk: StateSource["chunk"],
  { lease, nextFrame, clock, previous }: MoveContext,
): Promise<Omit<Written, "log">> {
  const frames = new FrameSequence(add, lease, nextFrame, clock.elapsed, "swept");
  const { tensors, step, samples, counters } = manifest;
  const made = await writeState(frames, { tensors, scalars: { step, samples, counters }, chunk }, previous);
  if (made.digest !== manifest.digest)
    throw new HoldfastError("corrupt", `The checkpoint of step ${step} is not what was saved.`);
  const moved = { ...manifest, chain: made.chain, chunks: made.chunks };
  const commit = await frames.add("commit", encodeManifest(moved), "byte");
  const row = checkpointRow(moved, commit, { storedBytes: frames.bytes, write: frames.appending });
  const leansOn = row.packs.filter((name) => !frames.packs.includes(name));
  return { row, manifest: moved, nextFrame: frames.next, leansOn };
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
    rehearsed: null,
    times: { ...manifest.times, write: cost.write, commit: 0 },
  };
  const needed = [
    commit.place,
    ...chunks.flatMap((chunk) => (chunk.base === null ? [chunk] : [chunk, chunk.base])),
  ];
  const lengths = new Map(needed.map(({ pack, offset, length }) => [`${pack} ${offset}`, length]));
  const bytes = [...lengths.values()].reduce((sum, length) => sum + length, 0);
  return {
    run: record.id,
    step,
    info,
    commit: commit.place,
    manifestHash: commit.hash,
    packs: [...new Set(needed.map(({ pack }) => pack))],
    leans: Math.max(0, bytes - cost.storedBytes),
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

function manifestOf(
  { source, ...saving }: Saving,
  { run, clock }: SaveContext,
  made: WrittenState & { readonly encode: number },
): Manifest {
  const { record } = run;
  const { scalars } = source;
  return {
    version: MANIFEST_VERSION,
    record,
    step: scalars.step,
    samples: scalars.samples,
    counters: scalars.counters,
    reason: saving.reason,
    time: clock.now(),
    digest: made.digest,
    configs: saving.configs,
    steps: run.steps,
    metrics: saving.metrics,
    environment: saving.environment,
    previous: run.lastCommit,
    shard: { index: 0, count: 1 },
    times: { ...saving.times, encode: made.encode },
    chain: made.chain,
    tensors: made.tensors,
    chunks: made.chunks,
  };
}
