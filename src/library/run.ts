/** A run that is open in this page: it counts steps, keeps their losses, and saves when its policy says so. */
import { hasCode, HoldfastError, messageOf } from "../errors";
import { nextTask } from "../engine/next-task";
import { Pace } from "../engine/pace";
import type { Config, Environment, Policy, RunRecord, SaveReason } from "../format/run";
import type { CheckpointInfo, Lease } from "../format/stored";
import { shouldSave, type Moment } from "../policy/save";
import type { JournalRows, RunStorageApi } from "../worker/protocol";
import { checkedMetrics, checkedStep } from "./checked";
import { Journal, type Step } from "./journal";
import type { Listener } from "./record";
import { Saves } from "./saves";
import type { Trainer } from "./trainer";
import { whenHidden } from "./hidden";

/** The page gets its turn at least so often, milliseconds. */
const TURN_MS = 12;
/** How long the time of a step is averaged over, milliseconds. */
const PACE_MS = 250;
/** Between two saves because the page is hidden, milliseconds. */
const HIDDEN_SPACING_MS = 30_000;

/** @internal */
export interface RunParts {
  readonly storage: RunStorageApi;
  readonly record: RunRecord;
  readonly policy: Policy;
  readonly lease: Lease;
  readonly trainer: Trainer;
  readonly environment: Environment;
  readonly position: { readonly step: number; readonly samples: number };
  readonly restored: Restoration | null;
  readonly known: JournalRows | null;
  readonly isNew: boolean;
  /** Are steps that are computed again to give the same losses? */
  readonly isExact: boolean;
  readonly listener: Listener;
  readonly closed: () => void;
}

/** How a run came back. */
export interface Restoration {
  readonly checkpoint: CheckpointInfo;
  /** Steps after it that the journal has: they are computed again, and compared where the trainer is exact. */
  readonly behind: number;
  /** Is this another machine, browser or library than the one that made it? Then the numbers may differ. */
  readonly environmentChanged: boolean;
  /** Newer checkpoints that were damaged, in words. */
  readonly damaged: readonly string[];
}

/** With these the run cannot go on in this page. */
const FATAL = ["bad-numbers", "diverged", "fenced", "device-lost", "worker-died"] as const;

/**
 * A run that is open in this page. It counts steps, keeps their losses, and saves when its policy says so; the loop is the
 * page's. After one of `diverged`, `bad-numbers`, `fenced`, `device-lost` and `worker-died` every call throws it again, and
 * nothing more is saved: what was saved stays.
 */
export class Run {
  /** Generated; what `store.state`, `store.export` and `store.remove` take. */
  readonly id: string;
  readonly name: string;
  readonly seed: number;
  readonly settings: Config;
  /** Null for a run that is new. */
  readonly restored: Restoration | null;
  readonly #parts: RunParts;
  readonly #journal: Journal;
  readonly #saves: Saves;
  readonly #pace = new Pace();
  #window = { steps: 0, ms: 0 };
  #step: number;
  #samples: number;
  #steppedAt: number;
  #turnAt: number;
  #lastSave: Moment;
  #newest: CheckpointInfo | null;
  #going: Promise<unknown> | null = null;
  #hidden = false;
  #failure: HoldfastError | null = null;
  #trouble: HoldfastError | null = null;
  #isOpen = true;
  /** Is the state, as it is now, a place to go on from? */
  #isEnd = true;
  /** What the trainer counts beside the run's steps. */
  readonly #ahead: number;
  readonly #unwatch: () => void;

  /** @internal Made by `store.open`. */
  constructor(parts: RunParts) {
    const { record, storage, lease, position, restored, trainer, known, environment } = parts;
    this.#parts = parts;
    this.id = record.id;
    this.name = record.name;
    this.seed = record.seed;
    this.settings = record.config;
    this.restored = restored;
    this.#step = position.step;
    this.#samples = position.samples;
    this.#ahead = (trainer.updates?.() ?? 0) - position.step;
    this.#newest = restored?.checkpoint ?? null;
    this.#steppedAt = this.#turnAt = performance.now();
    this.#lastSave = this.#moment();
    const now = () => performance.now();
    this.#journal = new Journal({
      known,
      isExact: parts.isExact,
      append: (rows) => storage.appendJournal(lease, rows),
      now,
      failed: (error) => {
        this.#hear(error);
      },
    });
    this.#saves = new Saves({
      storage,
      lease,
      trainer,
      environment,
      journal: this.#journal,
      now,
      saved: (checkpoint) => {
        this.#saved(checkpoint);
      },
    });
    this.#unwatch = whenHidden((isGoing) => {
      this.#hidden ||= !isGoing;
      this.#journal.flush().catch((error: unknown) => {
        this.#hear(error);
      });
    });
  }

  /** Updates made so far. */
  get step(): number {
    return this.#step;
  }

  /** Samples that `stepped` was told of so far: the data position. */
  get samples(): number {
    return this.#samples;
  }

  /** Saves that fell due while two were under way. */
  get passedOver(): number {
    return this.#saves.passedOver;
  }

  /**
   * Tells that the trainer has made one update. Keeps its loss, takes a copy of the state where a save is due, and
   * resolves when the next update may be made: at once, but for a turn that the page gets every 12 ms. Throws
   * `diverged` where the journal has another loss for this step, `bad-numbers` for one that is no number, `fenced`
   * where another tab took the run over, what failed a save where nobody listens for trouble, and `invalid` for a step that
   * cannot be, which is not counted.
   *
   * @example
   * while (run.step < 1000) await run.stepped({ loss: update(run.step) });
   */
  async stepped(step: Step = {}): Promise<void> {
    this.#assertGoing();
    const { loss, rate = 0, samples = 0, mayEndHere = true } = checkedStep(step);
    this.#going ??= this.#began();
    const now = performance.now();
    const ms = now - this.#steppedAt;
    this.#steppedAt = now;
    this.#step += 1;
    this.#samples += samples;
    this.#isEnd = mayEndHere;
    try {
      this.#journal.add(this.#step, loss, rate, ms);
    } catch (error) {
      this.#hear(error);
      throw error;
    }
    this.#time(ms);
    if (mayEndHere) this.saveIfDue();
    this.#journal.flushWhenDue();
    // What a loss says is heard of by the next call.
    await this.#journal.room()?.catch(() => undefined);
    if (now - this.#turnAt >= TURN_MS) {
      await nextTask();
      this.#turnAt = performance.now();
    }
    this.#assertGoing();
    // Last, when the step is counted: whoever catches it goes on with the next one.
    const trouble = this.#trouble;
    this.#trouble = null;
    if (trouble !== null) throw trouble;
  }

  /** Does the policy want the state saved as it is now? */
  due(): boolean {
    const { save } = this.#parts.policy;
    const now = this.#moment();
    if (shouldSave(save, now, this.#lastSave, this.#pace.measured)) return true;
    // Only what is new, and not where saving was declined.
    return (
      this.#hidden &&
      save.kind !== "never" &&
      now.step > this.#lastSave.step &&
      now.timeMs - this.#lastSave.timeMs >= HIDDEN_SPACING_MS
    );
  }

  /**
   * Takes a copy of the state where the policy wants it, and saves it beside the training. For loops in which only some
   * steps are places to go on from; `stepped` does it by itself. `metrics`: finite numbers by name, as on held-out data.
   */
  saveIfDue(metrics: Readonly<Record<string, number>> = {}): boolean {
    this.#assertGoing();
    const known = checkedMetrics(metrics);
    this.#isEnd = true;
    if (!this.due() || !this.#saves.hasRoom()) return false;
    const reason = this.#hidden ? "hidden" : "policy";
    this.#hidden = false;
    this.#begin(reason, known).catch((error: unknown) => {
      this.#hear(error);
    });
    return true;
  }

  /**
   * Saves the state as it is now. Resolves when it is durable: flushed, found again by name, committed. `invalid` where the
   * last step said that it is no place to go on from, or the trainer made updates that the run was not told of.
   */
  async save(metrics: Readonly<Record<string, number>> = {}): Promise<CheckpointInfo> {
    this.#assertGoing();
    this.#assertEnd();
    return this.#begin("asked", checkedMetrics(metrics));
  }

  /**
   * Ends the run: the state is saved, and lists show it as finished. It can be opened and stepped on all the same.
   * `invalid` as in `save`.
   */
  async finish(): Promise<CheckpointInfo> {
    this.#assertGoing();
    this.#assertEnd();
    const { storage, lease } = this.#parts;
    const checkpoint = await this.#atRest("end");
    await storage.appendEvent(lease, this.#step, { kind: "finished" }, "finished");
    await this.#letGo();
    return checkpoint;
  }

  /**
   * Saves what is not saved, and lets other tabs have the run; within an epoch whose order is lost it saves nothing, and
   * that epoch is trained again. Between two updates only. The run cannot be stepped on
   * afterwards; one that failed is let go of as it was last saved.
   */
  async close(): Promise<void> {
    if (!this.#isOpen) return;
    try {
      if (this.#failure === null) await this.#pause();
    } catch (error) {
      // Another one has the run, which was opened once more: there is nothing left to save.
      if (!hasCode(error, "fenced")) throw error;
    } finally {
      await this.#letGo();
    }
  }

  async #pause(): Promise<void> {
    const { storage, lease } = this.#parts;
    if (this.#isEnd) await this.#atRest("pause");
    else await this.#journal.flush();
    if (this.#going !== null)
      await storage.appendEvent(lease, this.#step, { kind: "paused", why: "closed" }, "paused");
  }

  async #atRest(reason: SaveReason): Promise<CheckpointInfo> {
    this.#assertTold();
    await this.#going;
    await this.#saves.idle();
    const newest = this.#newest;
    const checkpoint = newest?.step === this.#step ? newest : await this.#begin(reason, {});
    await this.#journal.flush();
    return checkpoint;
  }

  async #letGo(): Promise<void> {
    this.#isOpen = false;
    this.#unwatch();
    await this.#saves.idle();
    await this.#parts.storage.release(this.#parts.lease).catch(() => undefined);
    this.#parts.closed();
  }

  async #begin(reason: SaveReason, metrics: Readonly<Record<string, number>>): Promise<CheckpointInfo> {
    this.#lastSave = this.#moment();
    this.#assertTold();
    return this.#saves.save({ step: this.#step, samples: this.#samples }, reason, metrics);
  }

  #saved(checkpoint: CheckpointInfo): void {
    if (checkpoint.step >= (this.#newest?.step ?? 0)) this.#newest = checkpoint;
    const { held, encode, write } = checkpoint.times;
    this.#pace.saved(held + encode + write);
    this.#parts.listener.saved?.(checkpoint);
  }

  async #began(): Promise<void> {
    const { storage, lease, isNew, restored, position } = this.#parts;
    const from = restored?.checkpoint.step ?? position.step;
    try {
      if (isNew) await storage.appendEvent(lease, from, { kind: "started" }, "running");
      else
        await storage.appendEvent(
          lease,
          from,
          { kind: "resumed", from, replayed: 0, why: "opened" },
          "running",
        );
    } catch (error) {
      this.#hear(error);
    }
  }

  #time(ms: number): void {
    const steps = this.#window.steps + 1;
    const sum = this.#window.ms + ms;
    this.#window = sum < PACE_MS ? { steps, ms: sum } : { steps: 0, ms: 0 };
    if (sum >= PACE_MS) this.#pace.steps({ ms: Float32Array.of(sum / steps) });
  }

  #moment(): Moment {
    // Policies here count steps and seconds; epochs are the loop's own.
    return { step: this.#step, samples: 0, samplesPerEpoch: 1, timeMs: performance.now() };
  }

  #hear(thrown: unknown): void {
    const error =
      thrown instanceof HoldfastError
        ? thrown
        : new HoldfastError("internal", messageOf(thrown), { cause: thrown });
    if (FATAL.some((code) => hasCode(error, code))) this.#failure ??= error;
    else if (this.#parts.listener.trouble === undefined) this.#trouble ??= error;
    else this.#parts.listener.trouble(error);
  }

  #assertGoing(): void {
    if (!this.#isOpen) throw new HoldfastError("invalid", `The run "${this.name}" is closed. Open it again.`);
    if (this.#failure !== null) throw this.#failure;
  }

  /** A state that is further than the run would be saved under the wrong step, and gone on with from there. */
  #assertTold(): void {
    const updates = (this.#parts.trainer.updates?.() ?? this.#ahead + this.#step) - this.#ahead;
    if (updates <= this.#step) return;
    throw new HoldfastError(
      "invalid",
      `The trainer of "${this.name}" made ${updates} updates, and the run was told of ${this.#step}. Call \`stepped\` after each, or give \`model.fit\` what \`trainer.fit(run)\` returns; your own callbacks go through it.`,
    );
  }

  #assertEnd(): void {
    if (this.#isEnd) return;
    throw new HoldfastError(
      "invalid",
      `Step ${this.#step} of "${this.name}" is within an epoch, which could not be gone on with. Save at its end.`,
    );
  }
}
