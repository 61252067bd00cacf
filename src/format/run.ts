/**
 * What a run is, as plain data: the record, its events, its journal.
 *
 * A run is a pure function of the record, its data and its events. The record never changes after
 * `createRun`, except for its name; what a person changes later is an event at a step boundary.
 */

/** A setting. */
export type ConfigValue = number | string | boolean;
/** A task's settings by field name, as its schema declares them. */
export type Config = Readonly<Record<string, ConfigValue>>;

/** As in PyTorch; `momentum` is Nesterov's. */
export type OptimizerKind = "sgd" | "momentum" | "rmsprop" | "adam" | "adamw";
/** How the rate goes on after the warm-up. */
export type ScheduleKind = "constant" | "cosine" | "step" | "linear";

/** The rate as a function of the step. */
export interface ScheduleConfig {
  readonly kind: ScheduleKind;
  /** Steps of linear warm-up from 0 to the full rate. */
  readonly warmup: number;
  /** Step at which cosine and linear reach `floor`. Fixed at the start, so that more steps do not bend it. */
  readonly horizon: number;
  /** Share of the rate that cosine and linear end at, 0 … 1. */
  readonly floor: number;
  /** `step`: multiply by `factor` after each `every` steps. */
  readonly every: number;
  readonly factor: number;
}

/** An optimizer with all its numbers; those that its kind does not use count for nothing. */
export interface OptimizerConfig {
  readonly kind: OptimizerKind;
  /** Base rate; the schedule scales it. */
  readonly learningRate: number;
  /** sgd: unused. momentum: μ of Nesterov momentum. */
  readonly momentum: number;
  /** adam, adamw. */
  readonly beta1: number;
  readonly beta2: number;
  /** rmsprop: decay of the mean square (PyTorch's alpha). */
  readonly decay: number;
  readonly epsilon: number;
  /** adamw: decoupled; the others: L2, added to the gradient, as in PyTorch. */
  readonly weightDecay: number;
  /** Clip the gradient's global norm to this; 0 means off. */
  readonly clipNorm: number;
  readonly schedule: ScheduleConfig;
}

/** When to save. Events (pause, hidden, end) always save too, except under `never`. */
export type SaveRule =
  | { readonly kind: "never" }
  | { readonly kind: "steps"; readonly every: number }
  | { readonly kind: "seconds"; readonly every: number }
  | { readonly kind: "epochs"; readonly every: number }
  /**
   * As seldom as a return to any step takes at most `returnSeconds`, and saving at most the share `overhead` of the
   * time; both are measured while it trains.
   */
  | { readonly kind: "auto"; readonly returnSeconds: number; readonly overhead: number };

/** Which checkpoints stay. All rules count: what one of them keeps is kept. */
export type KeepRule =
  /** The newest so many. */
  | { readonly kind: "latest"; readonly count: number }
  /** The best so many by a metric. */
  | {
      readonly kind: "best";
      readonly metric: string;
      readonly mode: "min" | "max";
      readonly count: number;
    }
  /** Those at multiples of so many steps. */
  | { readonly kind: "every"; readonly steps: number }
  /** At a distance of d steps from the newest, one to every d / density steps. */
  | { readonly kind: "spaced"; readonly density: number }
  /** Those of the last so many seconds. */
  | { readonly kind: "young"; readonly seconds: number }
  /** Those that somebody restored, compared or exported in the last so many seconds. */
  | { readonly kind: "used"; readonly seconds: number };

/** Ends a run that no longer gets better, at the evaluation that shows it. */
export interface EarlyStop {
  readonly metric: string;
  readonly mode: "min" | "max";
  /** Evaluations in a row that are no better than the best. */
  readonly patience: number;
}

/** When a run saves and what it keeps, as its record has it. */
export interface Policy {
  readonly save: SaveRule;
  /** Live pictures and evaluations while training. They change no number of the run. */
  readonly draw: boolean;
  /** Runs from before there were rules have none. */
  readonly keep?: readonly KeepRule[];
  /** Bytes that the run's checkpoints may take; what is spaced is thinned out to fit. None: no limit. */
  readonly budget?: number;
  /** Steps between two evaluations on held-out data, made at multiples of it; none: only where the run rests. */
  readonly evaluate?: number;
  /** Needs `evaluate`. */
  readonly stop?: EarlyStop;
  /** Pauses where a loss is more than so many times the median of the 64 before it. */
  readonly spike?: number;
}

/** A value of a metric, and the step whose state has it. */
export interface BestStep {
  readonly metric: string;
  readonly step: number;
  readonly value: number;
}

/** A loss far above those before it. */
export interface Spike {
  readonly step: number;
  readonly loss: number;
  /** Median of the 64 before it. */
  readonly usual: number;
}

/** What a person put on a step. */
export interface Mark {
  readonly step: number;
  /** Kept until it is taken off. */
  readonly pinned: boolean;
  readonly tags: readonly string[];
  readonly note: string;
}

/** What is left out stays. */
export type MarkChange = Partial<Omit<Mark, "step">>;
export type AboutChange = Partial<Pick<About, "tags" | "note">>;

/** What a person put on a run. */
export interface About {
  /** In the order of their steps. */
  readonly marks: readonly Mark[];
  readonly tags: readonly string[];
  readonly note: string;
}

/** Where the samples come from: bytes in the store, by content hash. */
export interface DataRecord {
  /** SHA-256 of the bytes, hex. */
  readonly hash: string;
  readonly bytes: number;
  /** A file's name, or what generated it. For people only. */
  readonly name: string;
  readonly origin: "generated" | "file";
  /** How the bytes become samples, as the task declares it; part of the run. */
  readonly preprocessing: Config;
}

/** A file that a run's first state was read from. */
export interface WeightsOrigin {
  /** For people only. */
  readonly name: string;
  readonly bytes: number;
  /** SHA-256 of all of it, hex. */
  readonly hash: string;
}

/** Where numbers come from. Two equal environments compute the same bits. */
export interface Environment {
  readonly backend: "webgpu" | "webgl" | "cpu";
  readonly adapter: Readonly<Record<string, string>>;
  /** Browser engine and major version. */
  readonly browser: string;
  readonly tfjs: string;
  readonly flags: Readonly<Record<string, string>>;
  /** A number per task, optimizer and kernel set, raised when its results change. */
  readonly math: Readonly<Record<string, number>>;
}

/** What a run was begun with. It never changes, but for its name. */
export interface RunRecord {
  /** Generated: `r` and 16 of [a-z0-9]. */
  readonly id: string;
  readonly name: string;
  readonly task: string;
  /** Milliseconds since 1970. */
  readonly created: number;
  /** 0 … 2^53 - 1. */
  readonly seed: number;
  readonly parent: { readonly run: string; readonly step: number } | null;
  /** 0, or the step that it was forked at. */
  readonly firstStep: number;
  /** Steps asked for at the start; `extended` events raise it. */
  readonly steps: number;
  readonly config: Config;
  readonly optimizer: OptimizerConfig;
  readonly policy: Policy;
  readonly data: DataRecord;
  readonly environment: Environment;
  /** None: the first state was drawn from the seed. A fork has its parent's. */
  readonly from?: WeightsOrigin;
}

/** What may change while a run goes on. */
export interface Changes {
  readonly learningRate?: number;
  readonly clipNorm?: number;
}

/**
 * Something that happened at a step boundary. `step` is the state it happened at: a `changed` at step 12
 * is first used by the update that makes S_13. Events count in the order of (step, seq): one that is made now for
 * a later step does not overrule a nearer one before its time.
 */
export type RunEvent = {
  readonly seq: number;
  readonly step: number;
  /** ms since 1970 */ readonly time: number;
} & RunEventBody;

/** What happened, by its kind. */
export type RunEventBody =
  | { readonly kind: "started" }
  | { readonly kind: "paused"; readonly why: string; readonly spike?: Spike }
  | {
      readonly kind: "resumed";
      /** Step of the checkpoint that was restored. */
      readonly from: number;
      /** Steps replayed and found equal. */
      readonly replayed: number;
      readonly why: string;
    }
  | { readonly kind: "changed"; readonly changes: Changes }
  /** `steps`: the new total, so that the event may arrive twice. */
  | { readonly kind: "extended"; readonly steps: number; readonly horizon?: number }
  /** On held-out data, of the state at its step; finite numbers by name. */
  | { readonly kind: "evaluated"; readonly metrics: Readonly<Record<string, number>> }
  | { readonly kind: "finished" }
  /** `best`: it was stopped early, and that is the step to go back to. */
  | { readonly kind: "stopped"; readonly best?: BestStep }
  | { readonly kind: "forked"; readonly child: string }
  | { readonly kind: "trouble"; readonly code: string; readonly message: string };

/**
 * A stretch of the journal: row i is the update that made S_(from + i).
 * Bits count: compare losses through a Uint32Array over the same buffer, never as numbers.
 */
export interface JournalRows {
  /** Step of the first row, ≥ 1. */
  readonly from: number;
  readonly loss: Float32Array<ArrayBuffer>;
  /** The rate that the update used. */
  readonly rate: Float32Array<ArrayBuffer>;
  /** Wall time of the step, milliseconds. */
  readonly ms: Float32Array<ArrayBuffer>;
}

/** What became of a run. */
export type RunStatus = "running" | "paused" | "finished" | "stopped" | "failed";

/** What a person did to a run as a whole. Edits are numbered on their own, since any tab may make them. */
export type Edit =
  | { readonly kind: "renamed"; readonly name: string }
  /** `time`: milliseconds since 1970. */
  | { readonly kind: "removed"; readonly time: number }
  | { readonly kind: "restored" }
  /** Replaces what was on that step; one without pin, tags and note takes it off. */
  | { readonly kind: "marked"; readonly mark: Mark }
  | { readonly kind: "described"; readonly tags: readonly string[]; readonly note: string }
  | { readonly kind: "policy"; readonly policy: Policy };

/** Why a checkpoint was made. */
export type SaveReason =
  "start" | "policy" | "improved" | "pause" | "hidden" | "end" | "recovered" | "fork" | "import" | "asked";
