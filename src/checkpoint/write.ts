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
import {
  CHUNK_BYTES,
  gather,
  inNameOrder,
  planChunks,
  type ElementKind,
  type TensorShape,
} from "../format/chunks";
import { ChunkEncoder, CODEC_STORED, needsReference } from "../format/codec";
import { digestFromChunks } from "../format/digest";
import { encodeFrame, type FrameType } from "../format/frame";
import {
  encodeManifest,
  MANIFEST_VERSION,
  parseManifest,
  type ChunkRef,
  type Manifest,
  type StoredChunk,
} from "../format/manifest";
import type { RunEvent } from "../format/run";
import type { CheckpointInfo, Lease, SaveRequest } from "../format/stored";
import type { State } from "../format/tensors";
import { readyZstd } from "../format/zstd";
import type { CheckpointRow, Place, RunRow } from "../store/tables";
import { configStretches } from "./configs";
import type { AddFrame } from "./durable";

/** Clocks, so that tests can hold them. */
export interface Clock {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Milliseconds of a clock that never goes back. */
  readonly elapsed: () => number;
}

/** What a checkpoint is about, beside its tensors. */
export interface SaveContext {
  readonly lease: Lease;
  readonly run: Pick<RunRow, "record" | "steps" | "nextFrame" | "lastCommit">;
  readonly events: readonly RunEvent[];
  readonly clock: Clock;
  /** The checkpoint before this one in its chain; null makes a keyframe. */
  readonly previous: Previous | null;
}

/** What a checkpoint leans on. */
export interface Previous {
  readonly manifest: Manifest;
  /** Reads a chunk that a difference can be taken from. `corrupt` or `missing` where it is damaged. */
  readonly read: (chunk: StoredChunk) => Promise<Bytes>;
}

export interface Written {
  readonly row: CheckpointRow;
  readonly manifest: Manifest;
  readonly nextFrame: number;
  /** Packs that it needs and did not write. */
  readonly leansOn: readonly string[];
}

/** Adds all frames of a checkpoint. What it returns is to be committed once they are durable. */
export async function writeCheckpoint(
  add: AddFrame,
  request: SaveRequest,
  context: SaveContext,
): Promise<Written> {
  const { state } = request;
  const start = context.clock.elapsed();
  const frames = new FrameSequence(add, context);
  const made = await writeState(frames, state, context.previous);
  const encode = context.clock.elapsed() - start - frames.appending;
  const manifest = manifestOf(request, context, { ...made, encode });
  const raw = encodeManifest(manifest);
  checkReadable(() => parseManifest(raw), "checkpoint");
  const commit = await frames.add("commit", raw, "byte");
  const info: CheckpointInfo = {
    run: context.lease.run,
    step: state.scalars.step,
    time: manifest.time,
    reason: request.reason,
    loss: request.metrics["loss"] ?? null,
    metrics: request.metrics,
    digest: made.digest,
    rawBytes: state.tensors.reduce((sum, { values }) => sum + values.byteLength, 0),
    storedBytes: frames.bytes,
    check: "saved",
    times: { ...request.times, encode, write: frames.appending, commit: 0 },
  };
  const packs = packsOf(frames.packs, manifest.chunks);
  const row: CheckpointRow = {
    run: info.run,
    step: info.step,
    info,
    commit: commit.place,
    manifestHash: commit.hash,
    packs,
    forked: false,
  };
  const leansOn = packs.filter((name) => !frames.packs.includes(name));
  return { row, manifest, nextFrame: frames.next, leansOn };
}

/** Every pack that is needed to read it. */
function packsOf(written: readonly string[], chunks: readonly ChunkRef[]): readonly string[] {
  return [
    ...new Set([
      ...written,
      ...chunks.flatMap(({ pack, base }) => (base === null ? [pack] : [pack, base.pack])),
    ]),
  ];
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

/** Numbers the frames of one checkpoint, and counts what they cost. */
class FrameSequence {
  readonly #add: AddFrame;
  readonly #lease: Lease;
  readonly #clock: Clock;
  readonly #encoder = new ChunkEncoder();
  readonly #packs = new Set<string>();
  next: number;
  /** Bytes of frames. */
  bytes = 0;
  /** Milliseconds spent in appends. */
  appending = 0;

  constructor(add: AddFrame, { lease, run, clock }: SaveContext) {
    this.#add = add;
    this.#lease = lease;
    this.#clock = clock;
    this.next = run.nextFrame;
  }

  get packs(): readonly string[] {
    return [...this.#packs];
  }

  /** `hash`: SHA-256 of `raw`, if it is known. `reference`: what a difference may be taken from. */
  async add(
    type: FrameType,
    raw: Bytes,
    kind: ElementKind,
    { hash, reference = null }: { readonly hash?: Bytes; readonly reference?: Bytes | null } = {},
  ): Promise<{ readonly place: Place; readonly codec: number; readonly hash: string }> {
    const digest = hash ?? (await sha256(raw));
    const { codec, bytes } =
      raw.length > CHUNK_BYTES
        ? { codec: CODEC_STORED, bytes: raw }
        : this.#encoder.encode(raw, kind, reference);
    const { run, epoch } = this.#lease;
    const header = { type, run, epoch, sequence: this.next++, codec, rawLength: raw.length, hash: digest };
    const frame = encodeFrame(header, bytes);
    const start = this.#clock.elapsed();
    const place = await this.#add(frame);
    this.appending += this.#clock.elapsed() - start;
    this.bytes += place.length;
    this.#packs.add(place.pack);
    return { place, codec, hash: toHex(digest) };
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
  await readyZstd();
  const tensors = inNameOrder(state.tensors);
  const shapes = tensors.map(({ name, dtype, shape }) => ({ name, dtype, shape }));
  const leaning = previous !== null && sameShapes(previous.manifest.tensors, shapes) ? previous : null;
  const scratch = new Uint8Array(CHUNK_BYTES);
  const chunks: ChunkRef[] = [];
  const hashes: Bytes[] = [];
  for (const [index, planned] of planChunks(shapes).entries()) {
    const raw = gather(planned, tensors, scratch);
    const hash = await sha256(raw);
    hashes.push(hash);
    const before = leaning?.manifest.chunks[index];
    const base = before === undefined ? null : baseOf(before);
    const reference = leaning === null || base === null ? null : await readReference(leaning, base);
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
async function readReference({ read }: Previous, base: StoredChunk): Promise<Bytes | null> {
  try {
    return await read(base);
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
  { lease, run, events, clock }: SaveContext,
  made: WrittenState & { readonly encode: number },
): Manifest {
  const { record } = run;
  const { scalars } = request.state;
  return {
    version: MANIFEST_VERSION,
    run: lease.run,
    task: record.task,
    step: scalars.step,
    samples: scalars.samples,
    counters: scalars.counters,
    seed: record.seed,
    reason: request.reason,
    time: clock.now(),
    digest: made.digest,
    configs: configStretches(record, events, scalars.step),
    steps: run.steps,
    policy: record.policy,
    metrics: request.metrics,
    environment: request.environment,
    data: record.data,
    lineage: { parent: record.parent, firstStep: record.firstStep },
    previous: run.lastCommit,
    shard: { index: 0, count: 1 },
    times: { ...request.times, encode: made.encode },
    chain: made.chain,
    tensors: made.tensors,
    chunks: made.chunks,
  };
}
