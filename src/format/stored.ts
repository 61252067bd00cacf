/**
 * What goes into the store and comes out of it, as plain data. It lives this far down so that store, checkpoint and
 * engine can name it without looking up at the worker boundary, which hands it on unchanged.
 */
import type { ErrorCode } from "../errors";
import type { Environment, JournalRows, Mark, RunEvent, RunRecord, RunStatus, SaveReason } from "./run";
import type { State } from "./tensors";

/** The right to write one run. Each write of the run checks `epoch`; a writer with an older one gets `fenced`. */
export interface Lease {
  readonly run: string;
  readonly epoch: number;
}

/** Where a frame lies. */
export interface Place {
  readonly pack: string;
  readonly offset: number;
  /** Bytes of the whole frame. */
  readonly length: number;
}

/** What did not come to be, or not yet. */
export type Unsaved = "checkpoint" | "losses" | "evaluation";

/** Something that takes long, as who waits for it sees it. */
export interface Watcher {
  /** Ends it: it fails with `cancelled`, and nothing of it stays. */
  readonly signal?: AbortSignal;
  /** Bytes that are done, of those to do; or points. To a page at most ten times a second, and at the end. */
  readonly progress?: (done: number, total: number) => void;
}

/** Where an export goes, how far it is, and whether anybody still wants it. */
export interface ToFile extends Watcher {
  /**
   * Written as a stream into this file. Without it the browser keeps what is returned, in its storage where it can: for ten
   * minutes, after which it can no longer be read.
   */
  readonly to?: FileSystemFileHandle;
}

/** What goes into a bundle. */
export interface ExportOptions extends ToFile {
  /** Only the checkpoints of these steps; of one run. */
  readonly steps?: readonly number[];
  /** A smaller file that only Holdfast reads. Default false. */
  readonly compact?: boolean;
  /** What the runs train on. Default true. */
  readonly data?: boolean;
}

/** A run that is to be exported, with the checkpoints of these steps; null: with all of them. */
export interface ExportedRun {
  readonly run: string;
  readonly steps: readonly number[] | null;
}

/** Weights that are used elsewhere: how they are stored, and in which kind of file. */
export type DeployDtype = "float32" | "float16" | "int8";

export interface DeployOptions {
  /** Default float32, which loses nothing. */
  readonly dtype?: DeployDtype;
  /** `layers-model`: a ZIP archive with `model.json` and `weights.bin` of TensorFlow.js, where the task has that form. */
  readonly form?: "safetensors" | "layers-model";
}

/** What came of it: metrics on held-out data with the weights as they were trained, and as they are in the file. */
export interface Deployment {
  readonly file: Blob;
  readonly before: Readonly<Record<string, number>>;
  readonly after: Readonly<Record<string, number>>;
}

/** What could not be exported, and why: a checkpoint, or a whole run. */
export interface LeftOut {
  readonly run: string;
  /** The run's. */
  readonly name: string;
  /** Null: nothing of the run is in the bundle. */
  readonly step: number | null;
  readonly why: string;
}

/** A bundle, and what is not in it. */
export interface Exported {
  readonly file: Blob;
  readonly leftOut: readonly LeftOut[];
}

/** A run of a bundle that was imported: new here, a copy since another one has its id, or present as it is already. */
export interface Imported {
  readonly run: string;
  readonly how: "new" | "copy" | "present";
  /** Is what it trains on here? It may have been left out of the bundle. */
  readonly hasData: boolean;
  /** Of a copy: the run that has its id, where that one is in the trash and can be brought back (`undoRemove`). */
  readonly trashed?: string;
}

/** What a mirror keeps. */
export interface MirrorOptions {
  /** Default: all runs there are and will be. */
  readonly runs?: readonly string[];
  /** Only checkpoints of the tier `archive`: the first, the best, pinned, tagged and forked ones. Default false. */
  readonly archive?: boolean;
}

export interface SyncOptions extends Watcher {
  /** Reads every byte of the folder back, too. Default false. */
  readonly all?: boolean;
}

/** A run in a mirror. */
export interface MirroredRun {
  readonly run: string;
  readonly name: string;
  /** That it has there. */
  readonly checkpoints: number;
  /** Of the newest one; null where there is none. */
  readonly step: number | null;
  /** Why it is not in step with the store, in words; null where it is. */
  readonly problem: string | null;
}

/** What came of bringing a mirror in step. */
export interface MirrorReport {
  /** When that was over, milliseconds since 1970. */
  readonly time: number;
  readonly runs: readonly MirroredRun[];
  /** Checkpoints that the folder got, and those of them that were damaged there. */
  readonly written: number;
  readonly mended: number;
  /** Checkpoints and data that were damaged in the store, and were had from the folder. */
  readonly broughtBack: number;
  /** From when the newest of those checkpoints was saved until it was there, milliseconds; null where none was written. */
  readonly latency: number | null;
}

/** What came in from a mirror, and what was damaged there, in words. */
export interface MirrorImport {
  readonly imported: readonly Imported[];
  readonly damage: readonly string[];
}

/** A folder that runs are mirrored to. */
export interface MirrorStatus {
  readonly folder: FileSystemDirectoryHandle;
  readonly options: MirrorOptions;
  /**
   * `behind`: what was saved last comes soon. `asks`: the browser wants a person's permission again, which only a page can ask for:
   * `folder.requestPermission({ mode: "readwrite" })`. `failed`: `problem` says why.
   */
  readonly state: "working" | "behind" | "in step" | "asks" | "failed";
  readonly problem: string | null;
  /** The last one; null before the first. */
  readonly report: MirrorReport | null;
  /** When every byte of it was last read back, milliseconds since 1970; null: never. */
  readonly checked: number | null;
}

/** A run that was deleted and can be brought back. */
export interface TrashedRun extends RunInfo {
  /** When it was deleted, milliseconds since 1970. */
  readonly removed: number;
  /** When it goes for good if the tab is opened then, milliseconds since 1970; sooner where space is short. */
  readonly until: number;
  /** Last step of it that runs which were forked from it need, and keep; null where none does. */
  readonly needed: number | null;
}

/** What an opening found in packs that the catalogue did not know, and what it missed. */
export interface Recovery {
  /** Runs that were brought back, or brought up to date. */
  readonly runs: readonly {
    readonly run: string;
    readonly name: string;
    /** Did the catalogue still know the run? */
    readonly listed: boolean;
    /** How many of its checkpoints came back, each read back whole. */
    readonly checkpoints: number;
  }[];
  /** What is known to have been there and cannot be had, in words. */
  readonly lost: readonly string[];
}

/** What a look at the store found. */
export interface VerifyReport {
  /** Was every byte read, or only what describes the rest? */
  readonly all: boolean;
  /** Those in the trash too. */
  readonly runs: number;
  readonly checkpoints: number;
  /** In words: what, and why it cannot be had. */
  readonly damaged: readonly string[];
}

/** The last whole round of reading everything back in idle time. */
export interface ScrubStatus {
  /** When it ended, milliseconds since 1970; null before the first one. */
  readonly finished: number | null;
  readonly checkpoints: number;
  readonly damaged: readonly string[];
}

/** Where the store is, how full, and in what state. */
export interface StorageStatus {
  /** `memory`: the browser refuses to store; nothing survives this page. */
  readonly mode: "opfs" | "memory";
  /** Why `memory`, in words; empty for `opfs`. */
  readonly reason: string;
  /** Bytes that the browser counts for this site, and the most it allows; null where it does not say. */
  readonly usage: number | null;
  readonly quota: number | null;
  readonly persisted: boolean;
  /** Checkpoints that were let go of since the page was opened because the site's storage is nearly full. */
  readonly thinned: number;
  /** Stored bytes by run id. */
  readonly perRun: Readonly<Record<string, number>>;
  /** Null while the opening still looks. */
  readonly recovery: Recovery | null;
  readonly scrub: ScrubStatus;
}

/** What was done to the store. */
export type AuditAction =
  | "started"
  | "forked"
  | "imported"
  | "brought back"
  | "saved"
  | "not saved"
  | "pruned"
  | "moved"
  | "restored"
  | "rehearsed"
  | "verified"
  | "damaged"
  | "exported"
  | "renamed"
  | "marked"
  | "described"
  | "policy"
  | "taken over"
  /** By what its run became. */
  | "changed"
  | "extended"
  | "paused"
  | "resumed"
  | "finished"
  | "stopped"
  | "failed"
  | "removed"
  | "restored from the trash"
  | "deleted";

export interface AuditNote {
  /** A run's id; empty for what concerns the store as a whole. */
  readonly run: string;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly what: AuditAction;
  readonly step: number | null;
  /** Why, or what came of it, in words; may be empty. */
  readonly why: string;
  /** How long it took; null where that says nothing. */
  readonly ms: number | null;
}

/** A link of a run's audit log. */
export interface AuditEntry extends AuditNote {
  readonly seq: number;
  /** Which tab did it: a name that each gets when it opens the store. */
  readonly tab: string;
  /** `hash` of the entry before it. */
  readonly before: string;
  /** SHA-256 of all the rest, hex. */
  readonly hash: string;
}

export interface AuditLog {
  /** Oldest first. */
  readonly entries: readonly AuditEntry[];
  /** Where the chain is broken, in words: entries were changed, or are missing. */
  readonly broken: readonly string[];
}

/** What one save cost, milliseconds. `held` is the sum and `stall` the longest stretch that the trainer's thread was held. */
export interface SaveTimes {
  readonly stall: number;
  readonly held: number;
  readonly readBack: number;
}

export interface SaveRequest {
  /** Transferred. */
  readonly state: State;
  /** Journal rows up to the state's step that were not acknowledged yet: committed with the checkpoint. */
  readonly rows: JournalRows | null;
  readonly reason: SaveReason;
  /** `loss` of the step that made this state and others by name; finite numbers only. */
  readonly metrics: Readonly<Record<string, number>>;
  readonly environment: Environment;
  readonly times: SaveTimes;
}

/** A checkpoint, as lists show it. */
export interface CheckpointInfo {
  readonly run: string;
  readonly step: number;
  readonly time: number;
  readonly reason: SaveReason;
  /** Loss of the step that made it; null for a first one. */
  readonly loss: number | null;
  readonly metrics: Readonly<Record<string, number>>;
  /** SHA-256 of the canonical list of the state, hex. */
  readonly digest: string;
  /** Bytes of tensors, and bytes that were written for them. */
  readonly rawBytes: number;
  readonly storedBytes: number;
  /** `saved`: on the device. `verified`: read back since, every bit. `damaged`: it was read back, and is not whole. */
  readonly check: "saved" | "verified" | "damaged";
  readonly times: SaveTimes & { readonly encode: number; readonly write: number; readonly commit: number };
  /** The last time that a return to it was tried; null: never. */
  readonly rehearsed: Rehearsal | null;
}

/** A return to a checkpoint, tried beside the run: restored, stepped on, compared. */
export interface Rehearsal {
  /** When it ended, milliseconds since 1970. */
  readonly time: number;
  /** Steps that were computed again: from the state of `from` to that of `to`. */
  readonly from: number;
  readonly to: number;
  /** What shows that they are the same: the digest of a checkpoint at `to`, the losses on the way, or only its own bytes. */
  readonly proof: "digest" | "losses" | "stored";
  /** Why it did not come back as it was; null where it did. */
  readonly failure: string | null;
  readonly ms: number;
}

/** What a checkpoint is worth: `recent` ones are the first to go, `archive` ones stay. */
export type Tier = "recent" | "milestone" | "archive";

/** A run's checkpoints, for the figures on how saving goes. */
export interface RunHealth {
  readonly run: string;
  readonly name: string;
  readonly status: RunStatus;
  /** Last step in the journal. */
  readonly step: number;
  /** In the order of their steps. */
  readonly checkpoints: readonly (CheckpointInfo & { readonly tier: Tier })[];
}

export interface Health {
  readonly runs: readonly RunHealth[];
  readonly audit: AuditLog;
}

/** A checkpoint that could not be used, and why. */
export interface Unusable {
  readonly step: number;
  readonly code: ErrorCode;
  readonly message: string;
}

export interface Restored {
  readonly checkpoint: CheckpointInfo;
  readonly state: State;
  readonly environment: Environment;
  /** Newer checkpoints that are damaged, newest first. */
  readonly skipped: readonly Unusable[];
}

/** A line of the list of runs. */
export interface RunInfo {
  readonly id: string;
  readonly name: string;
  readonly task: string;
  /** `interrupted`: it was training when its tab, worker or browser ended. `elsewhere`: another tab trains it now. */
  readonly status: RunStatus | "interrupted" | "elsewhere";
  /** Last step in the journal, and steps asked for. */
  readonly step: number;
  readonly steps: number;
  readonly loss: number | null;
  /** At most 60 losses, evenly spread over the run. */
  readonly sparkline: readonly number[];
  readonly bytes: number;
  readonly created: number;
  /** Time of the newest checkpoint, ms since 1970. */
  readonly saved: number | null;
  readonly checkpoints: number;
  readonly parent: { readonly run: string; readonly step: number } | null;
  readonly tags: readonly string[];
  /** Those on its steps, each once. */
  readonly stepTags: readonly string[];
}

/** A run with all that is known of it but its losses. */
export interface RunDetail extends RunInfo {
  readonly record: RunRecord;
  readonly events: readonly RunEvent[];
  readonly checkpointList: readonly CheckpointInfo[];
  /** What a person put on its steps. */
  readonly marks: readonly Mark[];
  readonly note: string;
  /** Is it in the trash? It can be read all the same while other runs are forked from it. */
  readonly removed: boolean;
}

/** What a policy would do to a run's checkpoints as they are now; nothing is done. */
export interface PolicyPreview {
  /** Steps of those that stay, each with the rules that keep it, in words. */
  readonly kept: readonly { readonly step: number; readonly why: readonly string[] }[];
  /** Steps of those that would go. */
  readonly gone: readonly number[];
  /** Bytes that this would free, and what would be left. */
  readonly freed: number;
  readonly left: number;
  /** Most steps that a return would compute again, now and then. */
  readonly longestNow: number;
  readonly longestThen: number;
}
