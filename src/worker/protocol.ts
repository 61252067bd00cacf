/**
 * Everything that crosses a worker boundary, as types. Both sides compile against this file; nothing here runs.
 *
 * Three parties: the page, the trainer worker, the storage worker. The page talks to both; the trainer talks to
 * the storage worker over a port that the page hands it.
 */
import type { ErrorCode } from "../errors";
import type {
  AboutChange,
  Changes,
  Config,
  JournalRows,
  MarkChange,
  OptimizerConfig,
  Policy,
  RunEvent,
  RunEventBody,
  RunRecord,
  RunStatus,
} from "../format/run";
import type {
  AuditLog,
  CheckpointInfo,
  Deployment,
  DeployOptions,
  Exported,
  ExportedRun,
  Health,
  Imported,
  Lease,
  MirrorImport,
  MirrorOptions,
  MirrorReport,
  MirrorStatus,
  PolicyPreview,
  Rehearsal,
  Restored,
  RunDetail,
  RunInfo,
  SaveRequest,
  StorageStatus,
  TrashedRun,
  Unsaved,
  VerifyReport,
  Unusable,
} from "../format/stored";
import type { DataPreview } from "../format/dataset";
import type { Picture } from "../format/picture";
import type { Question, RowExample } from "../format/question";
import type { Answers } from "../format/answers";
import type { State } from "../format/tensors";
import type { Comparison } from "../analysis/compare";
import type { Interpolation } from "../analysis/interpolation";
import type { Interval } from "../policy/interval";

export type { ColumnFacts, ColumnKind, DataPreview } from "../format/dataset";
export type { Panel, Picture } from "../format/picture";
export type { Question, RowExample, RowField } from "../format/question";
export type { Answers } from "../format/answers";
export type * from "../format/run";
export type * from "../format/stored";
export type { DType, NamedTensor, Scalars, State, TensorValues } from "../format/tensors";
export type { Comparison } from "../analysis/compare";
export type { Interpolation } from "../analysis/interpolation";
export type { FieldValue, Field, Preset, PresetName, TaskInfo } from "../tasks/meta";

/* ---- storage worker -------------------------------------------------------------------------- */

/** What only the writer of a run may do. Handed to the trainer over a port. */
export interface Saved {
  readonly checkpoint: CheckpointInfo;
  /** Those of the request's state, transferred back to be filled again. */
  readonly buffers: readonly ArrayBuffer[];
}

export interface RunStorageApi {
  /**
   * Commits run record, S_0 and its journal position in one transaction. The data must be stored already.
   * The lease is the creator's.
   */
  createRun(
    record: RunRecord,
    first: SaveRequest,
  ): Promise<{ readonly lease: Lease; readonly checkpoint: CheckpointInfo }>;
  /** Takes the lock of the run. `busy` where another tab holds it, unless `takeOver`. */
  acquire(run: string, options?: { readonly takeOver?: boolean }): Promise<Lease>;
  release(lease: Lease): Promise<void>;
  /** Rows that the store has already are skipped; a gap is `invalid`. */
  appendJournal(lease: Lease, rows: JournalRows): Promise<void>;
  /** Strictly committed when it resolves. `status` is set in the same transaction. */
  appendEvent(lease: Lease, step: number, event: RunEventBody, status?: RunStatus): Promise<RunEvent>;
  /** Resolves when durable: flushed, looked up by name, strictly committed. */
  save(lease: Lease, request: SaveRequest): Promise<Saved>;
  /**
   * The newest whole checkpoint at or below `step` (default: the newest). `missing` where none is whole. Unless `isUse` is
   * false, the rule "used" counts from now.
   */
  restore(run: string, step?: number, options?: { readonly isUse?: boolean }): Promise<Restored>;
  detail(run: string): Promise<RunDetail>;
  /** Rows `from` … `to`, both included; the default is all. */
  journal(run: string, from?: number, to?: number): Promise<JournalRows>;
  /** Puts down what came of trying to return to that checkpoint. */
  rehearsed(run: string, step: number, rehearsal: Rehearsal): Promise<void>;
  /** Stores bytes by content; returns their SHA-256, hex. The same bytes are stored once. */
  putData(bytes: Uint8Array<ArrayBuffer>): Promise<string>;
  getData(hash: string): Promise<Uint8Array<ArrayBuffer>>;
}

export interface StorageApi extends RunStorageApi {
  /** Resolves once the worker holds the lock by its own name, which ends with it. */
  alive(): Promise<void>;
  /** A second way in for the trainer. */
  connect(port: MessagePort): Promise<void>;
  /** Frees a run whose trainer ended without releasing it. */
  letGo(run: string): Promise<void>;
  status(): Promise<StorageStatus>;
  runs(): Promise<readonly RunInfo[]>;
  checkpoints(run: string): Promise<readonly CheckpointInfo[]>;
  /** Exactly this checkpoint or an error; never an older one. */
  state(run: string, step: number): Promise<State>;
  /** The first is what the others are held against. All of them are in memory at once. */
  compare(steps: readonly ComparedStep[]): Promise<Comparison>;
  rename(run: string, name: string): Promise<void>;
  mark(run: string, step: number, change: MarkChange): Promise<void>;
  describe(run: string, change: AboutChange): Promise<void>;
  setPolicy(run: string, policy: Policy): Promise<void>;
  preview(run: string, policy: Policy): Promise<PolicyPreview>;
  /** Hides the run; `undoRemove` brings it back until `emptyTrash`. `busy` while it trains anywhere. */
  remove(run: string): Promise<void>;
  undoRemove(run: string): Promise<void>;
  trash(): Promise<readonly TrashedRun[]>;
  emptyTrash(run?: string): Promise<void>;
  /** Looks at everything that is stored; with `all`, at every byte of it. */
  verify(all: boolean): Promise<VerifyReport>;
  /** What was done to a run; default: to all of them, and to the store. */
  audit(run?: string): Promise<AuditLog>;
  /** How saving goes, run by run, and all that was done. */
  health(): Promise<Health>;
  /**
   * One checkpoint as safetensors, the manifest as a JSON string in its metadata. `to`: the file that it becomes, or null.
   * Each of these three tells over the port how far it is, and ends with `cancelled` when asked to there.
   */
  exportCheckpoint(at: RunStep, to: FileSystemFileHandle | null, job: MessagePort): Promise<Blob>;
  /** Runs with everything that they need to go on elsewhere, in one file. */
  exportBundle(choice: BundleChoice, job: MessagePort): Promise<Exported>;
  /** Verified first, then visible. A clash of ids makes a copy. */
  importBundle(file: Blob, job: MessagePort): Promise<readonly Imported[]>;
  /** Null where runs are not mirrored. */
  mirror(): Promise<MirrorStatus | null>;
  /** From now on into this folder; null: no more. What is there stays. */
  setMirror(folder: FileSystemDirectoryHandle | null, options: MirrorOptions): Promise<void>;
  /** Brings it in step now; with `all` every byte of it is read back. Told over the port, as an export is. */
  syncMirror(all: boolean, job: MessagePort): Promise<MirrorReport>;
  /** All runs of a folder that was mirrored to. */
  importMirror(folder: FileSystemDirectoryHandle, job: MessagePort): Promise<MirrorImport>;
}

/** What goes into a bundle, and where that goes. */
export interface BundleChoice {
  readonly runs: readonly ExportedRun[];
  /** As chunks with differences, which only Holdfast reads, not as whole tensors. */
  readonly isCompact: boolean;
  readonly hasData: boolean;
  /** The file that it becomes; null where the browser keeps it until it is downloaded. */
  readonly to: FileSystemFileHandle | null;
}

export interface RunStep {
  readonly run: string;
  readonly step: number;
}

/** A checkpoint, or a step without one: then its state was computed again, and comes along. */
export interface ComparedStep extends RunStep {
  readonly visited?: {
    readonly state: State;
    readonly digest: string;
    readonly metrics: Readonly<Record<string, number>>;
  };
}

/* ---- trainer worker -------------------------------------------------------------------------- */

export interface StartSpec {
  readonly task: string;
  readonly name: string;
  readonly seed: number;
  readonly steps: number;
  readonly config: Config;
  readonly optimizer: OptimizerConfig;
  readonly policy: Policy;
  /** Content hash and name of what is in the store; null for generated data. */
  readonly data: { readonly hash: string; readonly name: string } | null;
  /** Where S_0 is read from: one file, or a LayersModel as its files or by its name. None: it is drawn from the seed. */
  readonly from: readonly { readonly file: Blob; readonly name: string }[] | SavedModel;
}

/** A LayersModel that TensorFlow.js keeps in this origin's IndexedDB, by the name that `model.save` was given. */
export type SavedModelName = `indexeddb://${string}`;

export interface SavedModel {
  readonly model: SavedModelName;
  /** The same, as it can be written down. */
  readonly name: string;
}

export interface ForkSpec {
  readonly from: RunStep;
  readonly name: string;
  readonly steps: number;
  readonly config: Config;
  readonly optimizer: OptimizerConfig;
  readonly policy: Policy;
  /** Of the random numbers to come. */
  readonly seed: number;
}

export interface BackendInfo {
  readonly name: "webgpu" | "webgl" | "cpu";
  readonly adapter: Readonly<Record<string, string>>;
  /** Is resume bit for bit on this backend? Proven by replay, promised on the same adapter and browser. */
  readonly exact: boolean;
  /** Why not WebGPU; empty where it is. */
  readonly notice: string;
}

/** How an opened run came back. */
export interface ResumeReport {
  readonly checkpoint: number;
  readonly replayed: number;
  /** Where the run is now: the last step of the journal. */
  readonly step: number;
  readonly environmentChanged: boolean;
  readonly skipped: readonly Unusable[];
}

/** Arrived at a step that the run has been at; nothing of the run was changed for it. */
export interface Visit extends RunStep {
  /** The run that the step belongs to: before its first step, a fork's history is its parent's. */
  readonly holder: string;
  /** Step of the checkpoint it was computed from. */
  readonly checkpoint: number;
  /** Steps that were computed again, each loss equal to the journal's. */
  readonly replayed: number;
  /** SHA-256 of the state, hex. */
  readonly digest: string;
  /** What shows that it is that very state: its own bytes, the digest of a checkpoint, or the losses on the way. */
  readonly proof: "stored" | "digest" | "losses";
  /** Of the update that made it; null for a first state. */
  readonly loss: number | null;
  readonly ms: number;
}

/** A step that was arrived at, and its state. */
export interface Look {
  readonly visit: Visit;
  readonly state: State;
  /** On held-out data; empty unless they were asked for. */
  readonly metrics: Readonly<Record<string, number>>;
}

/** What came of trying to return to a checkpoint. */
export interface Drill extends RunStep, Rehearsal {}

/** A file of a person's. Its path is said beside it: a `File` loses that on its way to a worker. */
export interface DataFile {
  /** With its folders, `/` between them. */
  readonly path: string;
  readonly file: Blob;
}

export interface AddedData {
  readonly hash: string;
  readonly bytes: number;
  readonly preview: DataPreview;
  /** What was left out or assumed of the files, in sentences. */
  readonly notes: readonly string[];
}

export interface OpenOptions {
  readonly takeOver: boolean;
  readonly why: string;
  /** Will `go` follow? If not, a run that was interrupted is put down as paused. */
  readonly toTrain: boolean;
}

export interface TrainApi {
  /** Resolves once the worker holds the lock by its own name, which ends with it. */
  alive(): Promise<void>;
  /** The way to the storage worker, and where events go; once, before anything else. */
  connect(storage: MessagePort, events: MessagePort): Promise<void>;
  backend(): Promise<BackendInfo>;
  /** Files as the task reads them, stored; `invalid` says what is wrong with them. */
  addData(task: string, config: Config, files: readonly DataFile[]): Promise<AddedData>;
  /** Stored data as these settings read it; what is wrong with them is its `problem`. */
  previewData(task: string, config: Config, hash: string): Promise<DataPreview>;
  /** What is wrong with these settings of the data that the task makes by itself; null where nothing is. */
  madeUpProblem(task: string, config: Config, seed: number): Promise<string | null>;
  /** Makes the run durable (record, S_0, data) and opens it, at rest. */
  create(spec: StartSpec): Promise<string>;
  fork(spec: ForkSpec): Promise<string>;
  /** Restores, replays, checks; at rest afterwards. */
  open(run: string, options: OpenOptions): Promise<ResumeReport>;
  /** Starts the loop of the open run; resolves once it runs. */
  go(): Promise<void>;
  /** Resolves at the next step boundary, when journal and checkpoint are durable. */
  pause(why: string): Promise<void>;
  step(): Promise<void>;
  stop(): Promise<void>;
  /** `from`: first state that the change counts at, default the next boundary. */
  change(changes: Changes, from?: number): Promise<void>;
  extend(steps: number, horizon?: number): Promise<void>;
  /** Pages that go away: flush the journal at once, and save unless saved within 30 s. */
  hide(): Promise<void>;
  /** The page is in view again: pictures are worth drawing. */
  show(): Promise<void>;
  /** State of the open run; `busy` unless at rest. */
  state(): Promise<State>;
  /** Digest of that state, hex. */
  digest(): Promise<string>;
  /**
   * Goes back to a step of any run, computing it again where it was not saved; the open run is not touched. What was
   * visited last is kept, so that what follows costs nothing more. A newer visit ends one that is under way.
   */
  visit(at: RunStep): Promise<Visit>;
  /** The same in passing: waits for its turn, and nothing is kept that was not visited. So do the two that follow. */
  look(at: RunStep, options?: { readonly evaluate?: boolean }): Promise<Look>;
  pictureOf(at: RunStep): Promise<Picture>;
  /** What the model made of it at that step. */
  askAt(at: RunStep, question: Question): Promise<Picture>;
  /** The same as it is now where the run is open here, else at that step. */
  askNow(at: RunStep, question: Question): Promise<Picture>;
  /** A held-out row of the run's table, by its place among them; `invalid` where its task has no rows. */
  example(run: string, index: number): Promise<RowExample>;
  /** Metrics on held-out data. */
  evaluateAt(at: RunStep): Promise<Readonly<Record<string, number>>>;
  /** What its model says of each held-out example; null where the task has no such answers. */
  answersAt(at: RunStep): Promise<Answers | null>;
  /** Metrics on the held-out data of `from`'s run, along the line to `to`; told over the port, point by point. */
  interpolate(from: RunStep, to: RunStep, job: MessagePort): Promise<Interpolation>;
  /** The weights of a step, to be used elsewhere. `unsupported` where the task has no such form. */
  deploy(at: RunStep, options: DeployOptions): Promise<Deployment>;
  /** Ends a visit that is under way, and frees what was visited last. */
  leave(): Promise<void>;
  /** Makes a checkpoint of any step. `busy` where another tab has the run. */
  keep(at: RunStep): Promise<CheckpointInfo>;
  /**
   * Tries to return to a checkpoint, default the newest, beside whatever is open: restores it, computes steps again, and
   * compares. The answer says whether it came back as it was; `missing` where there is none.
   */
  rehearse(run: string, step?: number): Promise<Drill>;
  /** When to save from now on, of the open run. */
  setPolicy(policy: Policy): Promise<void>;
  /** Lets go of the run: saved, its lock free. */
  close(): Promise<void>;
}

export type Phase =
  | { readonly kind: "idle" }
  | { readonly kind: "loading"; readonly what: string }
  /** The first step compiles shaders; seconds. */
  | { readonly kind: "compiling" }
  | { readonly kind: "restoring" }
  | { readonly kind: "replaying"; readonly done: number; readonly total: number }
  | { readonly kind: "training" };

/** What the trainer tells. At most ten `progress` a second. */
export type TrainEvent =
  | { readonly kind: "alive" }
  | { readonly kind: "phase"; readonly run: string; readonly phase: Phase }
  | {
      readonly kind: "progress";
      readonly run: string;
      readonly step: number;
      readonly steps: number;
      readonly stepsPerSecond: number | null;
      /** Rows since the last progress; steps follow each other. */
      readonly rows: JournalRows | null;
      readonly savesSkipped: number;
      /** How often the policy saves now, where it chooses by itself. */
      readonly interval: Interval | null;
    }
  | { readonly kind: "saving"; readonly run: string; readonly step: number }
  | { readonly kind: "saved"; readonly run: string; readonly checkpoint: CheckpointInfo }
  | {
      readonly kind: "save-failed";
      readonly run: string;
      readonly what: Unsaved;
      readonly step: number;
      readonly code: ErrorCode;
      readonly message: string;
    }
  | { readonly kind: "event"; readonly run: string; readonly event: RunEvent }
  | { readonly kind: "status"; readonly run: string; readonly status: RunStatus }
  /** A picture and the held-out metrics of the same state. */
  | {
      readonly kind: "picture";
      readonly run: string;
      readonly picture: Picture;
      readonly metrics: Readonly<Record<string, number>>;
    }
  | { readonly kind: "resumed"; readonly run: string; readonly report: ResumeReport }
  /** A visit is on its way: `done` of `total` steps are computed again. */
  | {
      readonly kind: "visiting";
      readonly run: string;
      readonly step: number;
      readonly done: number;
      readonly total: number;
    }
  /** A return to a checkpoint was tried, asked for or not. */
  | { readonly kind: "rehearsed"; readonly run: string; readonly drill: Drill }
  /** The run cannot go on by itself; the supervisor decides by the code. */
  | {
      readonly kind: "trouble";
      readonly run: string;
      readonly code: ErrorCode;
      readonly message: string;
      readonly step: number;
    };
