/** The record of a run that no task trains: for benches and drills of the store alone. */
import type { Environment, RunRecord } from "../../src/format/run";

export const NO_ENVIRONMENT: Environment = {
  backend: "cpu",
  adapter: {},
  browser: "",
  tfjs: "",
  flags: {},
  math: {},
};

const RECORD: Omit<RunRecord, "id" | "name"> = {
  task: "none",
  created: 0,
  seed: 1,
  parent: null,
  firstStep: 0,
  steps: 10,
  config: {},
  optimizer: {
    kind: "adam",
    learningRate: 1e-3,
    momentum: 0,
    beta1: 0.9,
    beta2: 0.999,
    decay: 0,
    epsilon: 1e-8,
    weightDecay: 0,
    clipNorm: 0,
    schedule: { kind: "constant", warmup: 0, horizon: 0, floor: 0, every: 1, factor: 1 },
  },
  policy: { save: { kind: "never" }, draw: false },
  data: { hash: "", bytes: 1, name: "none", origin: "generated", preprocessing: {} },
  environment: NO_ENVIRONMENT,
};

export function madeUpRecord(own: Pick<RunRecord, "id" | "name"> & Partial<RunRecord>): RunRecord {
  return { ...RECORD, ...own };
}
