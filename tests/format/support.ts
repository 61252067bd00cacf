/** States, manifests and damage for the tests of the format. */
import { expect } from "vitest";
import { HoldfastError } from "../../src/errors";
import type { Bytes } from "../../src/format/bytes";
import { CHUNK_BYTES, gather, inNameOrder, planChunks } from "../../src/format/chunks";
import { digestOf } from "../../src/format/digest";
import { sha256, toHex } from "../../src/format/bytes";
import type { ChunkRef, Manifest } from "../../src/format/manifest";
import type { Environment, OptimizerConfig, RunRecord } from "../../src/format/run";
import type { State } from "../../src/format/tensors";

/** The typed error that `work` throws; anything else fails the test. */
export function failure(work: () => unknown): HoldfastError {
  try {
    work();
  } catch (error) {
    return typed(error);
  }
  return expect.unreachable("nothing was thrown");
}

/** The typed error that `work` rejects with; anything else fails the test. */
export async function rejection(work: Promise<unknown>): Promise<HoldfastError> {
  try {
    await work;
  } catch (error) {
    return typed(error);
  }
  return expect.unreachable("nothing was thrown");
}

function typed(error: unknown): HoldfastError {
  if (error instanceof HoldfastError) return error;
  throw error;
}

/** A seeded sequence of 32-bit words (xorshift), so that a failure can be run again. */
export function words(seed: number): () => number {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

export function withBitFlipped(bytes: Uint8Array, bit: number): Bytes {
  const copy = new Uint8Array(bytes);
  copy[bit >> 3]! ^= 1 << (bit & 7);
  return copy;
}

/** One tensor of each dtype and an empty one, with a NaN that has a payload and a -0. */
export function smallState(step = 3): State {
  const odd = new Uint32Array([0x7fc00001, 0x80000000, 0x00000001, 0x3f800000 + step]);
  return {
    tensors: [
      { name: "param/b", dtype: "float32", shape: [2, 2], values: new Float32Array(odd.buffer) },
      { name: "param/a", dtype: "int32", shape: [2], values: Int32Array.of(-1, 7) },
      { name: "mask", dtype: "bool", shape: [3], values: Uint8Array.of(1, 0, 1) },
      { name: "slot/m/param/ä𝒳", dtype: "uint8", shape: [], values: Uint8Array.of(200) },
      { name: "empty", dtype: "float32", shape: [0, 4], values: new Float32Array(0) },
    ],
    scalars: { step, samples: step * 8, counters: { t: step, "beta1-power": 0.9 } },
  };
}

const optimizer: OptimizerConfig = {
  kind: "adamw",
  learningRate: 1e-3,
  momentum: 0.9,
  beta1: 0.9,
  beta2: 0.999,
  decay: 0.99,
  epsilon: 1e-8,
  weightDecay: 0.01,
  clipNorm: 1,
  schedule: { kind: "cosine", warmup: 10, horizon: 100, floor: 0.1, every: 1, factor: 1 },
};

const environment: Environment = {
  backend: "webgpu",
  adapter: { vendor: "google", architecture: "swiftshader" },
  browser: "Chromium 156",
  tfjs: "4.22.0",
  flags: { WEBGPU_CPU_FORWARD: "false" },
  math: { "task/text": 1, "optimizer/adamw": 1 },
};

export function smallRecord(dataHash: string, dataBytes: number): RunRecord {
  return {
    id: "r0123456789abcdef",
    name: "A run “with” names",
    task: "text",
    created: 1_700_000_000_000,
    seed: 0,
    parent: null,
    firstStep: 0,
    steps: 100,
    config: { width: 16, tied: true, vocabulary: "chars" },
    optimizer,
    policy: { save: { kind: "steps", every: 10 }, draw: true },
    data: {
      hash: dataHash,
      bytes: dataBytes,
      name: "abc.txt",
      origin: "file",
      preprocessing: { lower: false },
    },
    environment,
  };
}

/** The manifest of a state as a store would write it; packs and offsets are made up. */
export async function manifestFor(state: State, record: RunRecord): Promise<Manifest> {
  const tensors = inNameOrder(state.tensors);
  const chunks: ChunkRef[] = [];
  for (const [index, hash] of (await chunkHashes(state)).entries()) {
    const offset = 4096 + 128 * index;
    chunks.push({ hash: toHex(hash), codec: 0, pack: "p-1", offset, length: 128, base: null });
  }
  return {
    version: 1,
    record,
    step: state.scalars.step,
    samples: state.scalars.samples,
    counters: state.scalars.counters,
    reason: "policy",
    time: 1_700_000_001_000,
    digest: await digestOf(state),
    configs: [{ from: 0, config: record.config, optimizer: record.optimizer }],
    steps: record.steps,
    metrics: { loss: 2.5 },
    environment: record.environment,
    previous: null,
    shard: { index: 0, count: 1 },
    times: { stall: 0.1, held: 0.2, readBack: 3, encode: 4 },
    chain: 0,
    tensors: tensors.map(({ name, dtype, shape }) => ({ name, dtype, shape })),
    chunks,
  };
}

/** SHA-256 of each chunk of a state. */
export async function chunkHashes({ tensors }: State): Promise<Bytes[]> {
  const sorted = inNameOrder(tensors);
  const scratch = new Uint8Array(CHUNK_BYTES);
  const hashes: Bytes[] = [];
  for (const chunk of planChunks(sorted)) hashes.push(await sha256(gather(chunk, sorted, scratch)));
  return hashes;
}
