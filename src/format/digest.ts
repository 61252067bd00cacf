/**
 * The digest of a state: one SHA-256 that two states share only if every bit that the next step reads is the same.
 *
 * It is taken over a short canonical list (docs/format.md has the byte table) that describes the tensors and holds
 * the SHA-256 of each chunk, not the tensors themselves. So a save, which hashes every chunk anyway to name it, gets
 * the digest for nothing, and a restore checks chunks and digest with one pass over the bytes.
 */
import { HoldfastError } from "../errors";
import { ByteWriter } from "./byte-cursor";
import { sha256, SHA256_BYTES, toHex, type Bytes } from "./bytes";
import {
  CHUNK_BYTES,
  chunkCount,
  gather,
  inNameOrder,
  planChunks,
  sortedByName,
  type TensorShape,
} from "./chunks";
import type { DType, Scalars, State } from "./tensors";

const DIGEST_MAGIC = new TextEncoder().encode("HFDIGEST");
const DIGEST_VERSION = 2;
const DTYPE_IDS: Readonly<Record<DType, number>> = { float32: 1, int32: 2, uint8: 3, bool: 4 };

/**
 * The digest from the SHA-256 of each chunk, in the order of `planChunks`; hex. `invalid` for names that are not
 * unique, and for another number of chunks than the shapes ask for.
 */
export async function digestFromChunks(
  tensors: readonly TensorShape[],
  chunks: readonly Bytes[],
  scalars: Scalars,
): Promise<string> {
  const list = new ByteWriter(1024).bytes(DIGEST_MAGIC).u32(DIGEST_VERSION).u32(tensors.length);
  for (const [name, { dtype, shape }] of sortedByName(tensors.map((each) => [each.name, each]))) {
    list.u32(name.length).bytes(name).u32(DTYPE_IDS[dtype]).u32(shape.length);
    for (const size of shape) list.u64(size);
  }
  if (chunks.length !== chunkCount(tensors))
    throw new HoldfastError(
      "invalid",
      `A state has ${chunks.length} chunks; its shapes ask for another number.`,
    );
  list.u32(chunks.length);
  for (const hash of chunks) {
    if (hash.length !== SHA256_BYTES)
      throw new HoldfastError("invalid", "The hash of a chunk is not 32 bytes.");
    list.bytes(hash);
  }
  list.u64(scalars.step).u64(scalars.samples);
  const counters = sortedByName(Object.entries(scalars.counters));
  list.u32(counters.length);
  for (const [name, value] of counters) {
    // JSON knows no -0, so it would not come back.
    if (!Number.isFinite(value) || Object.is(value, -0))
      throw new HoldfastError("invalid", "A counter of the optimizer is not a finite number, or is -0.");
    list.u32(name.length).bytes(name).f64(value);
  }
  return toHex(await sha256(list.view()));
}

/**
 * The digest of a state, hex. `invalid` where a tensor's shape and values disagree.
 *
 * @example
 * const same = (await digestOf(await store.state(run.id, 100))) === (await digestOf(await store.state(other, 100)));
 */
export async function digestOf(state: State): Promise<string> {
  const tensors = inNameOrder(state.tensors);
  const scratch = new Uint8Array(CHUNK_BYTES);
  const hashes: Bytes[] = [];
  // One at a time: each call copies its chunk, and all at once would double a large state in memory.
  for (const chunk of planChunks(tensors)) hashes.push(await sha256(gather(chunk, tensors, scratch)));
  return digestFromChunks(tensors, hashes, state.scalars);
}
