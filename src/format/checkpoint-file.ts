/**
 * A checkpoint as a safetensors file: every tensor of the state, and in the metadata, under `holdfast`, all that a resume
 * needs beside them, as one JSON string. Nothing in it depends on the store that it came from, so equal checkpoints are
 * equal files. The bytes of the tensors stand in the order of the chunks that they are stored in, so a file is written
 * and read a chunk at a time.
 */
import { HoldfastError } from "../errors";
import { equalBytes, type Bytes } from "./bytes";
import { sortedByName, type TensorShape } from "./chunks";
import { encodeJson, parseJson } from "./json";
import { configStretches, MAX_MANIFEST_BYTES, type Manifest } from "./manifest";
import { dictionary, fail, finite, integer, moment, object, oneOf, type Parse } from "./parse";
import { environment, hashText, runRecord, saveReason } from "./run-parse";
import { parseSafetensorsHead, safetensorsHead, storedOrder } from "./safetensors";
import { SAFETENSORS_LENGTH_BYTES } from "./safetensors-head";

/** What a manifest says of a state wherever it lies. */
export type CheckpointFacts = Pick<
  Manifest,
  | "record"
  | "step"
  | "samples"
  | "counters"
  | "reason"
  | "time"
  | "digest"
  | "configs"
  | "steps"
  | "metrics"
  | "environment"
>;

export interface CheckpointHead {
  readonly facts: CheckpointFacts;
  /** In the order of their names. */
  readonly tensors: readonly TensorShape[];
  /** Of all tensors; they follow the head. */
  readonly bytes: number;
}

const VERSION = 1;
const KEY = "holdfast";
const MAX_ENTRIES = 1000;

const facts: Parse<CheckpointFacts & { readonly version: number }> = object<
  CheckpointFacts & { readonly version: number }
>({
  version: oneOf(VERSION),
  record: runRecord,
  step: integer(),
  samples: integer(),
  counters: dictionary(finite, MAX_ENTRIES),
  reason: saveReason,
  time: moment,
  digest: hashText,
  configs: configStretches,
  steps: integer(),
  metrics: dictionary(finite, MAX_ENTRIES),
  environment,
});

/** What stands before the bytes of the tensors, the length of the header included. */
export function checkpointHead(
  { record, step, samples, counters, reason, time, digest, ...more }: CheckpointFacts,
  tensors: readonly TensorShape[],
): Bytes {
  const { configs, steps, metrics, environment: where } = more;
  const state = { record, step, samples, counters, reason, time, digest };
  const json = encodeJson({ version: VERSION, ...state, configs, steps, metrics, environment: where });
  return safetensorsHead(storedOrder(tensors), { [KEY]: new TextDecoder().decode(json) });
}

/** What the head of a file says, all of it. `corrupt` where it is not just as `checkpointHead` writes it. */
export function parseCheckpointHead(head: Bytes, what: string): CheckpointHead {
  const { tensors, metadata, bytes } = parseSafetensorsHead(head.subarray(SAFETENSORS_LENGTH_BYTES));
  const text = metadata[KEY];
  if (text === undefined) return fail(what, "has tensors, and nothing of a run beside them");
  const value = parseJson(new TextEncoder().encode(text), what, MAX_MANIFEST_BYTES);
  if (typeof value === "object" && value !== null && "version" in value && value.version !== VERSION) {
    throw new HoldfastError(
      "unsupported",
      `${what} was written by another version of Holdfast. Use that one.`,
    );
  }
  const found = facts(value, what);
  const named = sortedByName(tensors.map((tensor) => [tensor.name, tensor])).map(([, tensor]) => tensor);
  if (!equalBytes(checkpointHead(found, named), head)) return fail(what, "is not in its canonical form");
  return { facts: found, tensors: named, bytes };
}
