/**
 * Holdfast as a library: durable checkpoints for whatever trains in this page, and resume bit for bit.
 *
 * Every public name stands here, by hand. TensorFlow.js has entries of its own: `holdfast/tfjs` and
 * `holdfast/optimizers`; so have files without a store: `holdfast/bundles`.
 */
export { openStore } from "./library/store";
export type { OpenOptions, Store } from "./library/store";
export type { Listener, Restoration, Run, Step } from "./library/run";
export type { Loss } from "./library/journal";
export type { PolicyOptions, RunSettings } from "./library/record";
export { arrays } from "./library/trainer";
export type { Contents, Machine, Trainer } from "./library/trainer";

export { hasCode, HoldfastError } from "./errors";
export type { ErrorCode } from "./errors";

export { samplesAt } from "./engine/batches";
export type { SamplePosition } from "./engine/batches";
export { normals, random, randomInteger, uniforms } from "./engine/random";

export { POLICIES } from "./policy/presets";
export type { PolicyName, PolicyPreset } from "./policy/presets";
export { describeRule } from "./policy/save";
export { describeReason } from "./policy/keep";

export { digestOf } from "./format/digest";
export type { DType, NamedTensor, Scalars, State, TensorValues } from "./format/tensors";
export type {
  Config,
  ConfigValue,
  Environment,
  KeepRule,
  DataRecord,
  OptimizerConfig,
  OptimizerKind,
  RunEvent,
  RunRecord,
  RunStatus,
  SaveReason,
  SaveRule,
  ScheduleConfig,
} from "./format/run";
export type {
  CheckpointInfo,
  Exported,
  ExportOptions,
  Imported,
  LeftOut,
  RunDetail,
  RunInfo,
  StorageStatus,
  ToFile,
  Watcher,
} from "./format/stored";
