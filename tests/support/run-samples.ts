/** Small runs and states for tests of the store. */
import { hasCode, type ErrorCode } from "../../src/errors";
import { sha256, toHex } from "../../src/format/bytes";
import type { Environment, JournalRows, RunRecord, SaveReason } from "../../src/format/run";
import type { SaveRequest } from "../../src/format/stored";
import type { State } from "../../src/format/tensors";

export const DATA = new TextEncoder().encode("to be or not to be");

export const ENVIRONMENT: Environment = {
  backend: "cpu",
  adapter: { vendor: "none" },
  browser: "node 20",
  tfjs: "4.22.0",
  flags: {},
  math: { spirals: 1 },
};

export async function sampleRecord(changes: Partial<RunRecord> = {}): Promise<RunRecord> {
  return {
    id: "r0000000000000001",
    name: "sample",
    task: "spirals",
    created: 1_700_000_000_000,
    seed: 7,
    parent: null,
    firstStep: 0,
    steps: 1000,
    config: { batchSize: 8, activation: "tanh", noisy: true },
    optimizer: {
      kind: "adam",
      learningRate: 0.01,
      momentum: 0.9,
      beta1: 0.9,
      beta2: 0.999,
      decay: 0.9,
      epsilon: 1e-8,
      weightDecay: 0,
      clipNorm: 1,
      schedule: { kind: "cosine", warmup: 10, horizon: 1000, floor: 0.1, every: 100, factor: 0.5 },
    },
    policy: { save: { kind: "steps", every: 10 }, draw: true },
    data: {
      hash: toHex(await sha256(DATA)),
      bytes: DATA.length,
      name: "hamlet.txt",
      origin: "file",
      preprocessing: { kind: "characters" },
    },
    environment: ENVIRONMENT,
    ...changes,
  };
}

/** S_step: every step has other bytes in every tensor. `size` is the number of floats of the largest. */
export function sampleState(step: number, size = 300): State {
  const weights = Float32Array.from({ length: size }, (_, index) => Math.sin(index + step * 1000));
  const odd = new Float32Array(Uint32Array.of(0x7fc00000 + step, 0x80000000, step).buffer);
  return {
    tensors: [
      { name: "param/weights", dtype: "float32", shape: [size], values: weights },
      { name: "param/odd", dtype: "float32", shape: [3, 1], values: odd },
      { name: "slot/count/weights", dtype: "int32", shape: [], values: Int32Array.of(-step) },
      { name: "slot/mask/weights", dtype: "bool", shape: [2], values: Uint8Array.of(step % 2, 1) },
      { name: "slot/none/weights", dtype: "uint8", shape: [0, 4], values: new Uint8Array(0) },
    ],
    scalars: { step, samples: step * 8, counters: { t: step } },
  };
}

/** Rows of steps `from` … `to`; the loss of step t has the bits 0x3f000000 + t. */
export function sampleRows(from: number, to: number): JournalRows {
  const bits = Uint32Array.from({ length: to - from + 1 }, (_, index) => 0x3f000000 + from + index);
  return {
    from,
    loss: new Float32Array(bits.buffer),
    rate: new Float32Array(bits.length),
    ms: new Float32Array(bits.length),
  };
}

export function sampleRequest(
  step: number,
  rows: JournalRows | null = null,
  reason: SaveReason = "policy",
): SaveRequest {
  return {
    state: sampleState(step),
    rows,
    reason,
    metrics: step === 0 ? {} : { loss: 0.5 + step },
    environment: ENVIRONMENT,
    times: { stall: 1, held: 2, readBack: 3 },
  };
}

export async function codeOf(work: Promise<unknown>): Promise<ErrorCode | "no error"> {
  try {
    await work;
  } catch (error) {
    for (const code of CODES) if (hasCode(error, code)) return code;
    throw error;
  }
  return "no error";
}

const CODES: readonly ErrorCode[] = [
  "device-lost",
  "diverged",
  "cancelled",
  "invalid",
  "missing",
  "corrupt",
  "unsupported",
  "quota",
  "refused",
  "orphaned",
  "busy",
  "fenced",
  "internal",
];
