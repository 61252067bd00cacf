/**
 * What the page, the console (`window.holdfast`) and an embedding app may ask. Types only.
 * Steps: S_t is the state after t updates; loss t belongs to the update that made S_t, so losses start at step 1.
 */
import type { OptimizerConfig, Policy } from "../format/run";
import type { Interval } from "../policy/interval";
import type {
  Answers,
  AuditLog,
  BackendInfo,
  Changes,
  CheckpointInfo,
  Comparison,
  Config,
  Deployment,
  DeployOptions,
  Drill,
  Health,
  Imported,
  Interpolation,
  JournalRows,
  MirrorOptions,
  MirrorReport,
  MirrorStatus,
  Phase,
  DataFile,
  DataPreview,
  Picture,
  Question,
  RowExample,
  PolicyPreview,
  PresetName,
  ResumeReport,
  RunDetail,
  RunInfo,
  RunStep,
  SavedModelName,
  StorageStatus,
  SyncOptions,
  TrashedRun,
  TaskInfo,
  TrainEvent,
  VerifyReport,
  Visit,
  Watcher,
  ExportOptions,
  ToFile,
} from "./protocol";

export interface StartOptions {
  readonly task: string;
  /** Default `small`. Fills what `config`, `optimizer` and `steps` leave out. */
  readonly preset?: PresetName;
  /** Default: that of the data, or of the task, with a number where a run has it. */
  readonly name?: string;
  readonly seed?: number;
  readonly steps?: number;
  readonly config?: Config;
  readonly optimizer?: Partial<Omit<OptimizerConfig, "schedule">> & {
    readonly schedule?: Partial<OptimizerConfig["schedule"]>;
  };
  readonly policy?: Policy;
  /** What `addData` returned; without it the task makes its own data. */
  readonly data?: Pick<StoredData, "hash" | "name">;
  /**
   * A safetensors file with the weights to begin with, a LayersModel's model.json and its weight files, or the name that
   * `layersModels` gives one; without it they are drawn from the seed.
   */
  readonly from?: Blob | readonly Blob[] | SavedModelName;
}

/** What may be different in a fork: nothing that a tensor's shape hangs on. */
export interface ForkChanges extends Changes {
  readonly schedule?: Partial<OptimizerConfig["schedule"]>;
  /** `batchSize` and `dropout`, where the task has them. No sample is skipped or seen twice by another batch size. */
  readonly config?: Config;
  /** Of the random numbers to come: another order of the samples from here on, other dropout. */
  readonly seed?: number;
  readonly policy?: Policy;
}

export interface ForkOptions {
  /** Default: the parent's, the step, and what is changed, with a number where a run has it. */
  readonly name?: string;
  readonly changes?: ForkChanges;
  /** Steps in all; the default is as many as the run that it comes from. */
  readonly steps?: number;
}

/** Data that was brought, as it is stored. */
export interface StoredData {
  readonly hash: string;
  readonly name: string;
  readonly bytes: number;
  readonly preview: DataPreview;
  /** What was left out or assumed of the files, in sentences. */
  readonly notes: readonly string[];
}

/** One tensor or scalar of a state, for people at the console. */
export interface StateEntry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array | Uint8Array | Float64Array;
}

export interface HoldfastApi {
  readonly version: string;
  backend(): Promise<BackendInfo>;
  tasks(): readonly TaskInfo[];
  /** The LayersModels that TensorFlow.js has saved in this origin's IndexedDB, as `indexeddb://…`. */
  layersModels(): Promise<readonly SavedModelName[]>;
  runs(): Promise<readonly RunInfo[]>;
  start(options: StartOptions): Promise<string>;
  /**
   * Data of one's own, for `start`: a file, several, or those of a folder, gzipped or in a ZIP archive as they may be.
   * Checked against the task, kept in the store under its content, and shown. `config`: settings that decide how it is read.
   */
  addData(task: string, files: File | readonly (File | DataFile)[], config?: Config): Promise<StoredData>;
  /** The same data, by its hash, as other settings read it; `problem` is what `start` would refuse them with. */
  previewData(task: string, hash: string, config?: Config): Promise<DataPreview>;
  /** What `start` would refuse the data with that the task makes by itself with these settings; null where it would not. */
  madeUpProblem(task: string, seed: number, config?: Config): Promise<string | null>;
  pause(run: string): Promise<RunInfo>;
  /** Restores, replays, checks, goes on. */
  resume(run: string): Promise<RunInfo>;
  step(run: string): Promise<RunInfo>;
  /** Ends the run where it is; `extend` and `resume` go on from there. */
  stop(run: string): Promise<RunInfo>;
  /** An event at the next step boundary, or at `from`. Durable when it resolves. */
  change(run: string, changes: Changes & { readonly from?: number }): Promise<RunInfo>;
  /** `steps` more. The schedule's horizon stays unless given. */
  extend(run: string, steps: number, options?: { readonly horizon?: number }): Promise<RunInfo>;
  rename(run: string, name: string): Promise<void>;
  /** Keeps a step whatever the policy says, as a checkpoint; `on: false` lets the policy decide again. */
  pin(run: string, step: number, on?: boolean): Promise<void>;
  /** Tags and note of a step, or of the run where no step is named. What is left out stays as it is. */
  annotate(
    run: string,
    what: { readonly step?: number; readonly tags?: readonly string[]; readonly note?: string },
  ): Promise<void>;
  /** Another policy from the next save on; `preview` says what it would do to the checkpoints there are. */
  setPolicy(run: string, policy: Policy): Promise<void>;
  preview(run: string, policy: Policy): Promise<PolicyPreview>;
  /** Into the trash, where it stays for seven days, or until space is short. */
  remove(run: string): Promise<void>;
  undoRemove(run: string): Promise<void>;
  trash(): Promise<readonly TrashedRun[]>;
  /** Deletes a run in the trash for good, or all that is in it. What forks need of it stays. */
  emptyTrash(run?: string): Promise<void>;
  /** Resolves when the run is at `step` or beyond and has `status`, whichever are given; rejects when it can no longer get there. */
  waitFor(
    run: string,
    what: { readonly step?: number; readonly status?: RunInfo["status"] },
  ): Promise<RunInfo>;
  /**
   * Goes back to any step that the run has been at, saved or not, and proves that it is that step. The run itself is not
   * touched. A newer call ends one that is under way with `cancelled`; so does `leave`.
   */
  goto(run: string, step: number): Promise<Visit>;
  leave(): Promise<void>;
  /** A new run that begins with the state of any step of this one; it goes on from there. Returns its id. */
  fork(run: string, step: number, options?: ForkOptions): Promise<string>;
  /** Digest of the paused or finished state, or of any step, hex. */
  digest(run: string, step?: number): Promise<string>;
  state(run: string, step?: number): Promise<Map<string, StateEntry>>;
  /** Losses of steps `from` (default 1) … `to`, both included. */
  losses(run: string, from?: number, to?: number): Promise<Float32Array>;
  checkpoints(run: string): Promise<readonly CheckpointInfo[]>;
  /**
   * Two to six steps of any runs, saved or not, each held against the first: settings and environment that differ, metrics, and
   * by tensor relative change, cosine, norms, histograms, and images of matrices and filters. `invalid` for fewer or more.
   */
  compare(...steps: readonly RunStep[]): Promise<Comparison>;
  /**
   * The loss along the straight line from one state to another, and a quarter beyond both: 25 points, each (1 − alpha) · a +
   * alpha · b evaluated on the held-out data of `a`'s run, beside what trains. `progress` counts points. `invalid` where the
   * two are of other tasks or shapes, `cancelled` by `signal`, or where somebody goes back to a step meanwhile.
   */
  interpolate(a: RunStep, b: RunStep, options?: Watcher): Promise<Interpolation>;
  storage(): Promise<StorageStatus>;
  /** Is everything there, and whole? Quickly, by what describes it; with `all`, by reading every byte back. */
  verify(options?: { readonly all?: boolean }): Promise<VerifyReport>;
  /** What was done to a run, or to all of them and the store: by which tab, when, why; and whether the chain of it holds. */
  audit(run?: string): Promise<AuditLog>;
  /** How saving goes: the times of each kept checkpoint's save, what it is worth, and the audit log. */
  health(): Promise<Health>;
  /**
   * Tries to return to a checkpoint, default the newest, while nothing else is touched: restores it, computes steps again,
   * compares. `failure` says why it did not come back as it was. The checkpoint remembers the last one.
   */
  drill(run: string, step?: number): Promise<Drill>;
  /**
   * The weights of any step without what a resume needs, with what storing them so costs on held-out data. `unsupported`
   * where the task is no LayersModel; `invalid` where a number is too large for float16.
   */
  deploy(run: string, step: number, options?: DeployOptions): Promise<Deployment>;
  /**
   * Runs as one bundle: a ZIP archive with everything that they need to go on elsewhere (docs/bundle.md). Damaged
   * checkpoints are left out, and of several runs those without a whole checkpoint or whole data; a notice names them.
   * `missing` or `corrupt` where no run is left.
   */
  exportBundle(runs: string | readonly string[], options?: ExportOptions): Promise<Blob>;
  /** Verified as a whole first, then visible. Rejects with `corrupt`, `unsupported` or `cancelled`, and nothing stays. */
  importBundle(file: Blob, options?: Watcher): Promise<readonly Imported[]>;
  /** The folder that runs are mirrored to, and how far it is; null where there is none. */
  mirror(): Promise<MirrorStatus | null>;
  /**
   * From now on runs are kept in step in this folder, which `showDirectoryPicker({ mode: "readwrite" })` gives
   * (docs/mirror.md); null: no more, and what is there stays.
   */
  setMirror(folder: FileSystemDirectoryHandle | null, options?: MirrorOptions): Promise<void>;
  /**
   * Brings the mirror in step now; with `all`, every byte of it is read back. `refused` until a person has allowed the folder
   * again, `missing` where it is not there, `busy` while another tab is at it.
   */
  syncMirror(options?: SyncOptions): Promise<MirrorReport>;
  /**
   * All runs of a folder that was mirrored to, here or elsewhere, as far as they are whole: what is damaged stays out, and a
   * notice names it.
   */
  importMirror(folder: FileSystemDirectoryHandle, options?: Watcher): Promise<readonly Imported[]>;
  /**
   * Something of a person's own put through the model as it was at `step`, default as it is now (of a run that is not open
   * here: its newest checkpoint): for *digits* a drawing, for *text* a beginning to go on from, for *table* a row. The picture
   * says of which step it is. `invalid` where the task takes none of that kind, and for a row naming the column at fault.
   */
  ask(run: string, question: Question, step?: number): Promise<Picture>;
}

/** What the screens need beside the console's calls. */
export interface HoldfastPage extends HoldfastApi {
  subscribe(listener: (event: HoldfastEvent) => void): () => void;
  detail(run: string): Promise<RunDetail>;
  journal(run: string, from?: number, to?: number): Promise<JournalRows>;
  /** Live facts of the run that this page trains or shows; null where nothing is known. */
  live(run: string): LiveRun | null;
  /** Takes a run over from another tab and goes on with it here. */
  takeOver(run: string): Promise<RunInfo>;
  picture(run: string, step?: number): Promise<Picture>;
  /** Metrics on held-out data at any step. */
  evaluate(run: string, step: number): Promise<Readonly<Record<string, number>>>;
  /** What the model says of each held-out example at any step; null where the task has no such answers. */
  answers(run: string, step: number): Promise<Answers | null>;
  /** A held-out row of the run's table to ask by, by its place among them, which goes round. */
  example(run: string, index: number): Promise<RowExample>;
  exportCheckpoint(run: string, step: number, options?: ToFile): Promise<Blob>;
}

export interface LiveRun {
  readonly run: string;
  readonly phase: Phase;
  readonly step: number;
  readonly steps: number;
  readonly stepsPerSecond: number | null;
  readonly savesSkipped: number;
  /** How often it saves now, where the policy chooses by itself; null where it does not, or not yet. */
  readonly interval: Interval | null;
  readonly lastSave: CheckpointInfo | null;
  readonly saving: boolean;
  readonly resumed: ResumeReport | null;
  readonly picture: Picture | null;
  /** Is it this page that trains it? */
  readonly here: boolean;
}

export type HoldfastEvent =
  | Exclude<TrainEvent, { readonly kind: "alive" }>
  /** The list of runs is to be read again. */
  | { readonly kind: "runs" }
  /** For a line at the top of the page; `level` decides its look. */
  | {
      readonly kind: "notice";
      readonly level: "info" | "warning" | "error";
      readonly run: string | null;
      readonly message: string;
    };
