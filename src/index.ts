/**
 * Holdfast as a library: durable checkpoints for whatever trains in this page, and resume bit for bit.
 *
 * Every public name stands here, by hand. TensorFlow.js has entries of its own: `holdfast/tfjs` and
 * `holdfast/optimizers`; so have files without a store: `holdfast/bundles`.
 */
export { openStore } from "./library/store";
export type { OpenOptions, Store } from "./library/store";
export type { Restoration, Run } from "./library/run";
export type { Loss, Step } from "./library/journal";
export type { Listener, PolicyOptions, RunSettings } from "./library/record";
export { arrays } from "./library/trainer";
export type { Contents, LiveArray, Machine, Trainer } from "./library/trainer";

export { hasCode, HoldfastError } from "./errors";
export type { ErrorCode } from "./errors";

export { samplesAt } from "./engine/batches";
export type { SamplePosition } from "./engine/batches";
export { normals, random, randomInteger, uniforms } from "./engine/random";

export { POLICIES } from "./policy/presets";
export type { PolicyName, PolicyPreset } from "./policy/presets";
export { describeRule } from "./policy/save";
export { describeReason } from "./policy/keep";
export type { KeepReason } from "./policy/keep";

export { digestOf } from "./format/digest";
export type { DType, NamedTensor, Scalars, State, TensorValues } from "./format/tensors";
export type {
  BestStep,
  Changes,
  Config,
  ConfigValue,
  DataRecord,
  EarlyStop,
  Environment,
  JournalRows,
  KeepRule,
  Mark,
  OptimizerConfig,
  OptimizerKind,
  Policy,
  RunEvent,
  RunEventBody,
  RunRecord,
  RunStatus,
  SaveReason,
  SaveRule,
  ScheduleConfig,
  ScheduleKind,
  Spike,
  WeightsOrigin,
} from "./format/run";
export type {
  CheckpointInfo,
  Exported,
  ExportOptions,
  Imported,
  LeftOut,
  Recovery,
  Rehearsal,
  RunDetail,
  RunInfo,
  SaveTimes,
  ScrubStatus,
  StorageStatus,
  ToFile,
  TrashedRun,
  Watcher,
} from "./format/stored";
