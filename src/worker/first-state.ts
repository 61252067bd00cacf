/** S_0 out of a file that a person brings. Its header is held against the model before a tensor is read. */
import { HoldfastError } from "../errors";
import type { Bytes } from "../format/bytes";
import { float32Of } from "../format/float-values";
import { RunningHash } from "../format/running-hash";
import {
  MAX_SAFETENSORS_HEADER_BYTES,
  parseStoredHead,
  SAFETENSORS_LENGTH_BYTES,
  type StoredTensor,
} from "../format/safetensors-head";
import { planWeights, type StateShape } from "../format/weights-file";
import type { NamedTensor, State, WeightsOrigin } from "./protocol";

const PIECE_BYTES = 4 * 1024 * 1024;
const BRACE = 0x7b;
const HDF5 = [0x89, 0x48, 0x44, 0x46];

/** A file of weights, and what it is called. */
export interface WeightsFile {
  readonly file: Blob;
  readonly name: string;
}

/** What the run's record says of where it began. */
export async function originOf({ file, name }: WeightsFile): Promise<WeightsOrigin> {
  const hash = new RunningHash();
  for (let from = 0; from < file.size; from += PIECE_BYTES)
    hash.add(await read(file, name, from, Math.min(from + PIECE_BYTES, file.size)));
  return { name, bytes: file.size, hash: hash.hex() };
}

/**
 * The state that it holds: at step 0 and the first sample, whatever it was trained for before. `invalid` and
 * `unsupported` name the tensor that does not fit, and the remedy; `corrupt` is no whole safetensors file.
 */
export async function firstState({ file, name }: WeightsFile, shape: StateShape): Promise<State> {
  const begin = SAFETENSORS_LENGTH_BYTES + (await headerBytesOf({ file, name }));
  const head = parseStoredHead(await read(file, name, SAFETENSORS_LENGTH_BYTES, begin));
  if (begin + head.bytes !== file.size)
    throw new HoldfastError(
      "corrupt",
      `"${name}" has ${file.size} bytes where its header tells of ${begin + head.bytes}: it is cut short, or has something behind its tensors. Copy it again.`,
    );
  const bytesOf = ({ start, end }: StoredTensor): Promise<Bytes> =>
    read(file, name, begin + start, begin + end);

  const plan = planWeights(head, shape, name);
  const tensors: NamedTensor[] = [];
  for (const { name: of, shape: size, stored } of plan.tensors) {
    const count = size.reduce((product, axis) => product * axis, 1);
    const values = stored === null ? new Float32Array(count) : floats(stored, await bytesOf(stored), name);
    tensors.push({ name: of, dtype: "float32", shape: size, values });
  }
  const counters: Record<string, number> = {};
  for (const [of, from] of plan.counters)
    counters[of] = whole(of, typeof from === "number" ? from : number(from, await bytesOf(from)), name);
  return { tensors, scalars: { step: 0, samples: 0, counters } };
}

/** By how the file begins: most that are none begin otherwise, and their first numbers say nothing to anybody. */
async function headerBytesOf({ file, name }: WeightsFile): Promise<number> {
  const start = await read(file, name, 0, SAFETENSORS_LENGTH_BYTES + 1);
  if (HDF5.every((byte, at) => start[at] === byte))
    throw noSafetensors(
      name,
      "it is HDF5, as Keras writes it. Write its tensors as a safetensors file there",
    );
  const length =
    start.length <= SAFETENSORS_LENGTH_BYTES ? 0n : new DataView(start.buffer).getBigUint64(0, true);
  if (start[SAFETENSORS_LENGTH_BYTES] === BRACE && length <= MAX_SAFETENSORS_HEADER_BYTES)
    return Number(length);
  const isShard = name.endsWith(".bin");
  throw noSafetensors(
    name,
    `it does not begin as one${isShard ? ". Weights of TensorFlow.js are chosen together with their model.json" : ""}`,
  );
}

export function noSafetensors(name: string, what: string, cause?: unknown): HoldfastError {
  return new HoldfastError("corrupt", `"${name}" is no safetensors file: ${what}.`, { cause });
}

/** A part of a file, up to its end where that comes before `to`. */
export async function read(file: Blob, name: string, from: number, to: number): Promise<Bytes> {
  try {
    return new Uint8Array(await file.slice(from, to).arrayBuffer());
  } catch (cause) {
    // Gone, or other than when it was chosen.
    throw new HoldfastError("invalid", `"${name}" can no longer be read. Choose it again.`, { cause });
  }
}

function floats(stored: StoredTensor, bytes: Bytes, file: string): Float32Array<ArrayBuffer> {
  const values = float32Of(stored.dtype, bytes);
  if (values === undefined)
    throw new HoldfastError("internal", `${stored.dtype} of "${stored.name}" was not checked.`);
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad === -1) return values;
  throw new HoldfastError(
    "invalid",
    `"${stored.name}" in "${file}" has ${values[bad] ?? ""} at place ${bad}; as float32 every number must be finite. Take weights from before they went bad.`,
  );
}

function number({ dtype }: StoredTensor, bytes: Bytes): number {
  const view = new DataView(bytes.buffer);
  switch (dtype) {
    case "I64":
      return Number(view.getBigInt64(0, true));
    case "I32":
      return view.getInt32(0, true);
    case "F64":
      return view.getFloat64(0, true);
    default:
      return view.getFloat32(0, true);
  }
}

function whole(name: string, value: number, file: string): number {
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new HoldfastError(
    "invalid",
    `The counter "${name}" in "${file}" is ${value}; it counts updates, so it is a whole number from 0 on.`,
  );
}
