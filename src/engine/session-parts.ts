/** What a session is given, and what it tells: its only ties to store, page and clock. */
import type { ErrorCode } from "../errors";
import type { JournalRows, RunEvent, RunEventBody, RunRecord, RunStatus, SaveReason } from "../format/run";
import type { SaveTimes, Unsaved } from "../format/stored";
import type { State } from "../format/tensors";
import type { Trainable } from "./trainable";

/** What the session needs of a store. Each call answers or fails with a code. */
export interface SessionStorage<Checkpoint> {
  appendJournal(rows: JournalRows): Promise<void>;
  appendEvent(step: number, event: RunEventBody, status?: RunStatus): Promise<RunEvent>;
  save(
    state: State,
    rows: JournalRows | null,
    reason: SaveReason,
    metrics: Readonly<Record<string, number>>,
    times: SaveTimes,
  ): Promise<Checkpoint>;
}

export interface Position {
  readonly step: number;
  readonly samples: number;
}

export type SessionSignal<Checkpoint> =
  | { readonly kind: "rows"; readonly rows: JournalRows }
  | { readonly kind: "event"; readonly event: RunEvent }
  | { readonly kind: "status"; readonly status: RunStatus }
  | { readonly kind: "first-step"; readonly done: boolean }
  | { readonly kind: "saving"; readonly step: number }
  /** `held`: every stretch that this save held the thread, handing it over included, milliseconds. */
  | { readonly kind: "saved"; readonly checkpoint: Checkpoint; readonly held: readonly number[] }
  | { readonly kind: "save-skipped" }
  | {
      readonly kind: "save-failed";
      readonly what: Unsaved;
      readonly step: number;
      readonly code: ErrorCode;
      readonly message: string;
    }
  /** The session ended by a fault; nothing can be asked of it any more. */
  | {
      readonly kind: "trouble";
      readonly code: ErrorCode;
      readonly message: string;
      readonly step: number;
    };

export interface SessionParts<Checkpoint> {
  readonly record: RunRecord;
  readonly trainable: Trainable;
  readonly storage: SessionStorage<Checkpoint>;
  readonly events: readonly RunEvent[];
  /** As the store has it. */
  readonly status: RunStatus;
  readonly position: Position;
  /** Last step that the store's journal has. */
  readonly journalEnd: number;
  /** Step of the newest checkpoint. */
  readonly lastSavedStep: number;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
  /** Metrics on held-out data for saves at rest; finite numbers only. */
  readonly evaluate: () => Promise<Readonly<Record<string, number>>>;
  /** What a save took from training at worst, on a machine with one core: milliseconds. */
  readonly saveCost: (checkpoint: Checkpoint) => number;
  readonly signal: (signal: SessionSignal<Checkpoint>) => void;
}
