/**
 * Saves beside the loop: a snapshot now, everything else while later steps run.
 *
 * At most two are under way; one that falls due while both are is skipped and counted, because a third copy of the
 * state would only wait in memory. A save that fails is told, and training goes on.
 */
import { HoldfastError, messageOf } from "../errors";
import type { JournalRows, SaveReason } from "../format/run";
import type { SaveTimes } from "../format/stored";
import type { SessionSignal, SessionStorage } from "./session-parts";
import type { Snapshot, Trainable } from "./trainable";

const MAX_UNDER_WAY = 2;

/** What a save needs of the journal: no checkpoint may be ahead of it. */
export interface SaveJournal {
  /** Resolves with the loss of that step once it is known that all losses up to it are finite; null for a first state. */
  lossOf(step: number): Promise<number | null>;
  rowsUpTo(step: number): JournalRows | null;
  acknowledge(step: number): void;
}

export interface SaveQueueParts<Checkpoint> {
  readonly trainable: Trainable;
  readonly storage: SessionStorage<Checkpoint>;
  readonly journal: SaveJournal;
  readonly now: () => number;
  readonly signal: (signal: SessionSignal<Checkpoint>) => void;
  readonly done: (checkpoint: Checkpoint) => void;
  /** A failure that ends the run, not just the save. */
  readonly fail: (error: unknown) => void;
}

export class SaveQueue<Checkpoint> {
  readonly #parts: SaveQueueParts<Checkpoint>;
  readonly #underWay = new Set<Promise<void>>();
  #durableStep: number;
  #durableAt = Number.NEGATIVE_INFINITY;

  /** `durableStep`: step of the newest checkpoint that there is. */
  constructor(parts: SaveQueueParts<Checkpoint>, durableStep: number) {
    this.#parts = parts;
    this.#durableStep = durableStep;
  }

  get durableStep(): number {
    return this.#durableStep;
  }

  get isBusy(): boolean {
    return this.#underWay.size > 0;
  }

  /** When the snapshot of the newest checkpoint of this session was taken. */
  get durableAt(): number {
    return this.#durableAt;
  }

  /** Between two steps only. `step`: of the state that the trainable has now. */
  save(step: number, reason: SaveReason, metrics: Readonly<Record<string, number>>): void {
    const { signal, trainable } = this.#parts;
    if (this.#underWay.size >= MAX_UNDER_WAY && reason === "policy") {
      signal({ kind: "save-skipped" });
      return;
    }
    const snapshot = trainable.snapshot();
    signal({ kind: "saving", step });
    const saving = this.#write(snapshot, step, reason, metrics).catch((error: unknown) => {
      this.#failed(step, error);
    });
    this.#underWay.add(saving);
    void saving.finally(() => this.#underWay.delete(saving));
  }

  /** Resolves when another save may begin. */
  async room(): Promise<void> {
    while (this.#underWay.size >= MAX_UNDER_WAY) await Promise.race(this.#underWay);
  }

  /** Resolves when no save is under way. */
  async idle(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all([...this.#underWay]);
  }

  async #write(
    snapshot: Snapshot,
    step: number,
    reason: SaveReason,
    metrics: Readonly<Record<string, number>>,
  ): Promise<void> {
    const { journal, now, storage, signal, done } = this.#parts;
    const start = now();
    let loss: number | null;
    try {
      loss = await journal.lossOf(step);
    } catch (error) {
      snapshot.discard();
      throw error;
    }
    const held: number[] = [];
    const state = await snapshot.read(held);
    const times: SaveTimes = {
      stall: Math.max(...held),
      held: held.reduce((sum, value) => sum + value, 0),
      readBack: now() - start,
    };
    const rows = journal.rowsUpTo(step);
    const posting = now();
    const saved = storage.save(state, rows, reason, loss === null ? metrics : { ...metrics, loss }, times);
    held.push(now() - posting);
    const checkpoint = await saved;
    if (rows !== null) journal.acknowledge(step);
    this.#durableStep = Math.max(this.#durableStep, step);
    this.#durableAt = start;
    done(checkpoint);
    signal({ kind: "saved", checkpoint, held });
  }

  #failed(step: number, error: unknown): void {
    const code = error instanceof HoldfastError ? error.code : "internal";
    // A NaN before it, a lost device or a lost lease end the run; the rest is told, and the next save tries again.
    if (code === "bad-numbers" || code === "device-lost" || code === "fenced") this.#parts.fail(error);
    if (code !== "bad-numbers")
      this.#parts.signal({ kind: "save-failed", what: "checkpoint", step, code, message: messageOf(error) });
  }
}
