/** Files of Holdfast without its store: bundles, and the safetensors files in them. Runs in pages, workers and Node. */
export { openBundle } from "./library/bundle";
export type { Bundle } from "./library/bundle";
export { readSafetensors, writeSafetensors } from "./format/safetensors";
export type { Safetensors } from "./format/safetensors";
export type { Bytes } from "./format/bytes";
export type { BundleCheckpoint, BundleRun } from "./format/bundle";
export type { About, JournalRows, Mark } from "./format/run";
export type { RunEvent, RunRecord } from "./format/run";
export type { NamedTensor, State } from "./format/tensors";
export type { Watcher } from "./format/stored";
export { hasCode, HoldfastError } from "./errors";
