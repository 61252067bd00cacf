/**
 * A state as the frames of its chunks.
 *
 * Without a previous checkpoint it becomes a *keyframe*, which refers to nothing but its own frames. Otherwise a chunk
 * that has not changed since the keyframe is referred to, and any other may be stored as its difference from the
 * keyframe's. Differences are never taken from differences: a restore reads at most two frames for a chunk, and a damaged
 * one costs only the checkpoints that were taken from it.
 */
import { HoldfastError } from "../errors";
import { sha256, toHex, type Bytes } from "../format/bytes";
import {
  gather,
  inNameOrder,
  largestOf,
  planChunks,
  sameShapes,
  type PlannedChunk,
  type TensorShape,
} from "../format/chunks";
import { needsReference } from "../format/codec";
import { digestFromChunks } from "../format/digest";
import type { ChunkRef, Manifest, StoredChunk } from "../format/manifest";
import type { Scalars, State } from "../format/tensors";
import type { FrameSequence } from "./frames";
import { roomsFor, type ChunkRooms } from "./read";

/**
 * Checkpoints to a chain at most: a keyframe, in a pack of its own, and those that lean on it. A pack is freed as a
 * whole, so this also bounds how much dead weight a live checkpoint drags along, and how many one damaged pack costs.
 */
export const CHAIN_LENGTH = 8;

/** What a checkpoint leans on. */
export interface Previous {
  readonly manifest: Manifest;
  /** Reads a chunk that a difference can be taken from. `corrupt` or `missing` where it is damaged. */
  readonly read: (chunk: StoredChunk, rooms: ChunkRooms) => Promise<Bytes>;
}

/** A state, a chunk at a time. */
export interface StateSource {
  /** In the order of their names. */
  readonly tensors: readonly TensorShape[];
  readonly scalars: Scalars;
  /** The bytes of chunk `index`, valid until the next is asked for. */
  readonly chunk: (index: number, planned: PlannedChunk) => Bytes | Promise<Bytes>;
}

/** A state that is in memory. */
export function sourceOf(state: State): StateSource {
  const tensors = inNameOrder(state.tensors);
  const shapes = tensors.map(({ name, dtype, shape }) => ({ name, dtype, shape }));
  const scratch = new Uint8Array(largestOf(planChunks(shapes)));
  return {
    tensors: shapes,
    scalars: state.scalars,
    chunk: (_index, planned) => gather(planned, tensors, scratch),
  };
}

export interface WrittenState {
  readonly tensors: readonly TensorShape[];
  readonly chunks: readonly ChunkRef[];
  readonly chain: number;
  readonly digest: string;
}

export async function writeState(
  frames: FrameSequence,
  { tensors: shapes, scalars, chunk }: StateSource,
  previous: Previous | null,
): Promise<WrittenState> {
  const leaning = previous !== null && sameShapes(previous.manifest.tensors, shapes) ? previous : null;
  const plan = planChunks(shapes);
  const largest = largestOf(plan);
  const rooms = leaning === null ? null : roomsFor(largest);
  const chunks: ChunkRef[] = [];
  const hashes: Bytes[] = [];
  for (const [index, planned] of plan.entries()) {
    const raw = await chunk(index, planned);
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
    digest: await digestFromChunks(shapes, hashes, scalars),
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
