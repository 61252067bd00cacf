/**
 * The manifest of a checkpoint: all that a state is beside its bytes, and where those are.
 *
 * A run's random numbers are a function of (seed, stream, step, index), and its data order one of (seed, samples),
 * so `seed`, `step` and `samples` are the whole state of both. It is written as canonical JSON and read back
 * strictly: the parsed value must write the same bytes again, so nothing in it is skipped, doubled or guessed.
 */
import { HoldfastError } from "../errors";
import { equalBytes, type Bytes } from "./bytes";
import { chunkCount, sortedByName, type TensorShape } from "./chunks";
import { needsReference } from "./codec";
import { encodeJson, parseJson } from "./json";
import { packId } from "./log";
import {
  dictionary,
  fail,
  finite,
  integer,
  list,
  moment,
  nullable,
  object,
  oneOf,
  text,
  type Parse,
} from "./parse";
import type { Config, Environment, OptimizerConfig, RunRecord, SaveReason } from "./run";
import { config, environment, hashText, optimizerConfig, runRecord, saveReason } from "./run-parse";
import { byteLength } from "./tensor-bytes";

export const MANIFEST_VERSION = 1;
/** Room for some 30,000 chunks. */
export const MAX_MANIFEST_BYTES = 16 * 1024 * 1024;
const MAX_CHUNKS = MAX_MANIFEST_BYTES / 64;

const MAX_TENSORS = 10_000;
const MAX_RANK = 8;
const MAX_CONFIGS = 100_000;
const MAX_METRICS = 1000;
const MAX_COUNTERS = 1000;

/** Where one chunk lies and how it is stored. */
export interface StoredChunk {
  /** SHA-256 of the raw chunk, hex. */
  readonly hash: string;
  readonly codec: number;
  readonly pack: string;
  /** Of the frame, from the start of the pack. */
  readonly offset: number;
  /** Bytes of the whole frame. */
  readonly length: number;
}

/** A chunk, and the one that it is the difference from: never itself a difference, so two reads give any chunk. */
export interface ChunkRef extends StoredChunk {
  readonly base: StoredChunk | null;
}

/** What the updates after step `from` use, until the next entry. */
export interface ConfigStretch {
  readonly from: number;
  readonly config: Config;
  readonly optimizer: OptimizerConfig;
}

/** What the save cost until the manifest was written, milliseconds. */
export interface ManifestTimes {
  readonly stall: number;
  readonly held: number;
  readonly readBack: number;
  readonly encode: number;
}

export interface Manifest {
  readonly version: typeof MANIFEST_VERSION;
  /** The run, as it was when this was saved: a checkpoint alone is enough to go on from. */
  readonly record: RunRecord;
  /** The state is S_step. */
  readonly step: number;
  /** Data position. */
  readonly samples: number;
  /** Counters of the optimizer. */
  readonly counters: Readonly<Record<string, number>>;
  readonly reason: SaveReason;
  /** Milliseconds since 1970. */
  readonly time: number;
  /** Digest of the state, hex. */
  readonly digest: string;
  /** Ascending by `from`; the first one starts the run. Optimizer and schedule are in each. */
  readonly configs: readonly ConfigStretch[];
  /** Steps asked for so far. */
  readonly steps: number;
  readonly metrics: Readonly<Record<string, number>>;
  /** Where it was computed. */
  readonly environment: Environment;
  /** SHA-256 of the content of the run's commit before this one, hex; null for the first. */
  readonly previous: string | null;
  readonly shard: { readonly index: number; readonly count: number };
  readonly times: ManifestTimes;
  /** How many checkpoints before this one, back to the keyframe whose chunks it refers to; 0 for a keyframe. */
  readonly chain: number;
  /** In the order of their names. */
  readonly tensors: readonly TensorShape[];
  /** Those of `planChunks(tensors)`. */
  readonly chunks: readonly ChunkRef[];
}

const storedChunk = {
  hash: hashText,
  codec: integer(0, 255),
  pack: packId,
  offset: integer(),
  length: integer(),
};

const chunkFields: Parse<ChunkRef> = object<ChunkRef>({
  ...storedChunk,
  base: nullable(object<StoredChunk>(storedChunk)),
});

const chunkRef: Parse<ChunkRef> = (value, path) => {
  const chunk = chunkFields(value, path);
  if ((chunk.base !== null) !== needsReference(chunk.codec))
    return fail(`${path}.base`, "does not fit the codec");
  if (chunk.base !== null && needsReference(chunk.base.codec))
    return fail(`${path}.base`, "is a difference itself");
  return chunk;
};

const tensorFields: Parse<TensorShape> = object<TensorShape>({
  name: text(),
  dtype: oneOf("float32", "int32", "uint8", "bool"),
  shape: list(integer(), MAX_RANK),
});

const tensorShape: Parse<TensorShape> = (value, path) => {
  const tensor = tensorFields(value, path);
  if (byteLength(tensor.dtype, tensor.shape) === undefined)
    return fail(`${path}.shape`, "has more elements than can be counted");
  return tensor;
};

const configStretch: Parse<ConfigStretch> = object<ConfigStretch>({
  from: integer(),
  config,
  optimizer: optimizerConfig,
});

/** At least one, ascending by `from`. */
export const configStretches: Parse<readonly ConfigStretch[]> = (value, path) => {
  const stretches = list(configStretch, MAX_CONFIGS)(value, path);
  if (stretches.length === 0) return fail(path, "is empty");
  for (const [index, stretch] of stretches.entries()) {
    const before = stretches[index - 1];
    if (before !== undefined && before.from >= stretch.from)
      return fail(`${path}[${index}].from`, "is not above the one before");
  }
  return stretches;
};

const manifestFields: Parse<Manifest> = object<Manifest>({
  version: oneOf(MANIFEST_VERSION),
  record: runRecord,
  step: integer(),
  samples: integer(),
  counters: dictionary(finite, MAX_COUNTERS),
  reason: saveReason,
  time: moment,
  digest: hashText,
  configs: configStretches,
  steps: integer(),
  metrics: dictionary(finite, MAX_METRICS),
  environment,
  previous: nullable(hashText),
  shard: object<Manifest["shard"]>({ index: integer(), count: integer(1) }),
  times: object<ManifestTimes>({ stall: finite, held: finite, readBack: finite, encode: finite }),
  chain: integer(),
  tensors: list(tensorShape, MAX_TENSORS),
  chunks: list(chunkRef, MAX_CHUNKS),
});

/** Canonical JSON. `invalid` for numbers that are not finite. */
export function encodeManifest(manifest: Manifest): Bytes {
  return encodeJson(manifest);
}

/** `corrupt` with the path of the first field that is wrong; `unsupported` for a newer version. */
export function parseManifest(raw: Uint8Array): Manifest {
  const value = parseJson(raw, "The manifest", MAX_MANIFEST_BYTES);
  if (versionOf(value) > MANIFEST_VERSION) {
    throw new HoldfastError("unsupported", "A checkpoint was written by a newer version. Use that one.");
  }
  const manifest = manifestFields(value, "manifest");
  checkOrder(manifest);
  if (!equalBytes(encodeManifest(manifest), raw))
    throw new HoldfastError("corrupt", "The manifest is not in its canonical form.");
  return manifest;
}

function checkOrder(manifest: Manifest): void {
  checkNames(manifest.tensors);
  if (manifest.chunks.length !== chunkCount(manifest.tensors))
    fail("manifest.chunks", "are not as many as the shapes ask for");
  if (manifest.shard.index >= manifest.shard.count) fail("manifest.shard.index", "is not below the count");
}

function checkNames(tensors: readonly TensorShape[]): void {
  let sorted: readonly TensorShape[];
  try {
    sorted = sortedByName(tensors.map((tensor) => [tensor.name, tensor])).map(([, tensor]) => tensor);
  } catch {
    return fail("manifest.tensors", "has a name twice, or one that is none");
  }
  if (sorted.some((tensor, index) => tensor !== tensors[index]))
    fail("manifest.tensors", "are not in the order of their names");
}

function versionOf(value: unknown): number {
  if (typeof value !== "object" || value === null || !("version" in value)) return MANIFEST_VERSION;
  return typeof value.version === "number" ? value.version : MANIFEST_VERSION;
}
