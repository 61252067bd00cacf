/**
 * The training loop of one run, and everything that may be asked of it.
 *
 * The loop submits updates and waits for none of them by name: at most four are in flight, losses stay on the
 * device, snapshots are read back while later steps run. What a person asks for takes effect at the next step
 * boundary, and what changes numbers is committed before the first update that uses it is submitted.
 *
 * One thing at a time: a stretch of training, one step by hand, or what is asked for at rest. Each holds `#work`
 * from the very call that starts it, so nothing slips in between an event and the update that must use it.
 *
 * Where bytes go is not known here: the session is given a storage to call.
 */
import { HoldfastError, hasCode, messageOf, type ErrorCode } from "../errors";
import type {
  Changes,
  JournalRows,
  Policy,
  RunEvent,
  RunEventBody,
  RunStatus,
  SaveReason,
} from "../format/run";
import { nextEventAfter, settingsAt, type Settings } from "../format/settings";
import { autoInterval, type Interval } from "../policy/interval";
import { shouldSave, type Moment } from "../policy/save";
import { SpikeWatch } from "../policy/spike";
import { checkedChanges, checkWhole } from "./changes";
import { Evaluations } from "./evaluations";
import { InFlight } from "./in-flight";
import { JournalTail } from "./journal-tail";
import { LossQueue } from "./loss-queue";
import { Pace } from "./pace";
import { SaveQueue } from "./save-queue";
import { rateAt } from "./schedule";
import type { SessionParts } from "./session-parts";

/** Steps slower than this, or of unknown time, are fenced one by one: a pause never waits for four of them. */
const SLOW_STEP_MS = 50;
/** A page that hides again and again does not save each time. */
const HIDDEN_SAVE_SPACING_MS = 30_000;
/** Refusals after which an event was certainly not made; after anything else it may have been. */
const NOT_MADE: readonly ErrorCode[] = ["invalid", "missing", "quota", "busy"];

type Halt = Extract<RunEventBody, { readonly kind: "paused" | "stopped" }> | { readonly kind: "finished" };

export class Session<Checkpoint = unknown> {
  readonly #parts: SessionParts<Checkpoint>;
  readonly #events: RunEvent[];
  readonly #tail: JournalTail;
  readonly #losses: LossQueue;
  readonly #inFlight: InFlight;
  readonly #saves: SaveQueue<Checkpoint>;
  readonly #pace = new Pace();
  readonly #spikes = new SpikeWatch();
  /** When to save; it changes no number, so it may change at any time. */
  policy: Policy;
  #settings: Settings;
  #settingsUntil: number;
  #status: RunStatus;
  #step: number;
  #samples: number;
  #lastSave: Moment;
  readonly #evaluations: Evaluations;
  /** What is under way; null at rest. */
  #work: Promise<void> | null = null;
  /** The commit that the stretch of training begins with; null where none is under way. */
  #training: Promise<unknown> | null = null;
  #halt: Halt | null = null;
  /** What waits for the next boundary. None of them rejects. */
  readonly #atBoundary: (() => Promise<void>)[] = [];
  #fault: Error | null = null;
  #refusedRest: Error | null = null;
  #journalStuck = false;
  #closed = false;

  constructor(parts: SessionParts<Checkpoint>) {
    const { record, trainable, storage, position, now, signal } = parts;
    this.#parts = parts;
    this.policy = record.policy;
    this.#events = [...parts.events];
    this.#status = parts.status;
    this.#step = position.step;
    this.#samples = position.samples;
    this.#tail = new JournalTail(parts.journalEnd);
    this.#losses = new LossQueue(trainable, now, (rows) => {
      this.#take(rows);
    });
    this.#inFlight = new InFlight(() => trainable.settled());
    this.#saves = new SaveQueue(
      {
        trainable,
        storage,
        now,
        signal,
        journal: {
          lossOf: (step) => this.#lossOf(step),
          rowsUpTo: (step) => this.#tail.unacknowledged(step),
          acknowledge: (step) => {
            this.#tail.acknowledge(step);
          },
        },
        fail: (error) => {
          this.#fault ??= asError(error);
        },
        done: (checkpoint) => {
          this.#pace.saved(parts.saveCost(checkpoint));
        },
      },
      parts.lastSavedStep,
    );
    this.#settings = settingsAt(record, this.#events, this.#step);
    this.#settingsUntil = nextEventAfter(this.#events, this.#step);
    this.#lastSave = { ...this.#moment(), step: parts.lastSavedStep };
    this.#evaluations = new Evaluations(this.#events, this.#step, record.firstStep);
  }

  get step(): number {
    return this.#step;
  }

  get samples(): number {
    return this.#samples;
  }

  /** Steps asked for by now. */
  get steps(): number {
    return settingsAt(this.#parts.record, this.#events, Number.MAX_SAFE_INTEGER).steps;
  }

  /** How often the policy saves now, where it chooses by itself; null before it can. */
  get interval(): Interval | null {
    const { save } = this.policy;
    return save.kind === "auto" ? autoInterval(save, this.#pace.measured) : null;
  }

  /** Does it train, or is it coming to rest? */
  get running(): boolean {
    return this.#training !== null;
  }

  get events(): readonly RunEvent[] {
    return this.#events;
  }

  /**
   * Starts training; resolves once `event` and the status that it brings are committed. A run that did its last step
   * and was interrupted before it could finish is finished by this. `busy` where it is finished.
   */
  async go(event: RunEventBody): Promise<void> {
    while (this.#work !== null) {
      if (this.#training !== null && this.#halt === null) {
        await this.#training;
        return;
      }
      await this.#work;
    }
    this.#refuseIfClosed();
    if (this.#status === "finished" && this.#step >= this.steps) throw this.#allDone();
    this.#halt = null;
    this.#refusedRest = null;
    const begun = this.#append(this.#step, event, "running");
    this.#training = begun;
    void this.#occupy(() => this.#train(begun));
    await begun;
  }

  /** Resolves at rest: journal, checkpoint and event are durable, or it rejects with what was refused. */
  async pause(why: string): Promise<void> {
    if (this.#training !== null) return this.#comeToRest({ kind: "paused", why });
    await this.#boundary(async () => {
      // Restored after an interruption: the store still says that it trains.
      if (this.#status === "running") await this.#append(this.#step, { kind: "paused", why }, "paused");
    });
  }

  async stop(): Promise<void> {
    if (this.#training !== null) return this.#comeToRest({ kind: "stopped" });
    await this.#boundary(() => this.#settle({ kind: "stopped" }));
  }

  /** One update, then at rest again. */
  async stepOnce(): Promise<void> {
    while (this.#work !== null) {
      if (this.#training !== null) {
        throw new HoldfastError("busy", "The run is training. Pause it before stepping by hand.");
      }
      await this.#work;
    }
    this.#refuseIfClosed();
    if (this.#step >= this.steps) throw this.#allDone();
    this.#halt = null;
    await this.#occupy(async () => {
      this.#useSettings();
      await this.#evaluateWhenDue();
      const halt = this.#haltNow();
      if (halt !== null) return this.#settle(halt);
      this.#submit();
      await this.#losses.read();
      await this.#flushJournal();
    });
    this.#throwFault();
  }

  /** `from`: the first state that the change counts at; default the next boundary. Durable when it resolves. */
  async change(changes: Changes, from?: number): Promise<void> {
    const checked = checkedChanges(changes);
    if (from !== undefined) checkWhole("The step that a change counts from", from, 0);
    await this.#boundary(async () => {
      const at = from ?? this.#step;
      if (at < this.#step) {
        throw new HoldfastError(
          "invalid",
          `The change is asked from step ${at}, and the run is at step ${this.#step} already. Name a later step, or fork.`,
        );
      }
      await this.#append(at, { kind: "changed", changes: checked });
    });
  }

  /** So many more steps. The schedule's horizon stays unless given. */
  async extend(more: number, horizon?: number): Promise<void> {
    checkWhole("The number of steps to add", more, 1);
    if (horizon !== undefined) checkWhole("The schedule's horizon", horizon, 1);
    await this.#boundary(async () => {
      const event = { kind: "extended", steps: this.steps + more } as const;
      const goesOn = this.#training !== null && this.#halt === null;
      const body = horizon === undefined ? event : { ...event, horizon };
      await this.#append(this.#step, body, goesOn ? "running" : "paused");
    });
  }

  /** The page goes out of sight and may never come back: what is known becomes durable now. */
  async hide(): Promise<void> {
    if (this.#closed) return;
    const flushed = this.#losses.read().then(() => this.#flushJournal());
    const saved = this.#boundary(() => {
      const recent = this.#saves.isBusy || this.#parts.now() - this.#saves.durableAt < HIDDEN_SAVE_SPACING_MS;
      if (this.#policySaves && !recent && this.#saves.durableStep !== this.#step) this.#save("hidden");
      return Promise.resolve();
    });
    await Promise.all([flushed, saved]);
  }

  /** Waits until nothing is under way; the session cannot be used afterwards. */
  async close(): Promise<void> {
    this.#closed = true;
    while (this.#work !== null) await this.#work;
    await this.#saves.idle();
  }

  /** Does the policy save at all? */
  get #policySaves(): boolean {
    return this.policy.save.kind !== "never";
  }

  async #comeToRest(halt: Halt): Promise<void> {
    this.#halt ??= halt;
    await this.#work;
    this.#throwFault();
    if (this.#refusedRest !== null) throw this.#refusedRest;
  }

  /** Runs `work` at the next boundary; at rest, that is now. */
  #boundary(work: () => Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#atBoundary.push(async () => {
        try {
          this.#refuseIfClosed();
          await work();
          resolve();
        } catch (error) {
          reject(asError(error));
        }
      });
      if (this.#work === null) void this.#occupy(() => Promise.resolve());
    });
  }

  /** Holds the session for `body`, then answers what was asked meanwhile. Never rejects; a fault ends the session. */
  #occupy(body: () => Promise<void>): Promise<void> {
    const work = (async (): Promise<void> => {
      try {
        await body();
      } catch (error) {
        this.#fault ??= asError(error);
      }
      await this.#drain();
      if (this.#fault !== null && !this.#closed) await this.#fail(this.#fault);
      this.#training = null;
      // What came while the session was failing is refused rather than left waiting.
      await this.#drain();
      this.#work = null;
    })();
    this.#work = work;
    return work;
  }

  async #drain(): Promise<void> {
    for (let ask = this.#atBoundary.shift(); ask !== undefined; ask = this.#atBoundary.shift()) await ask();
  }

  async #train(begun: Promise<unknown>): Promise<void> {
    try {
      await begun;
    } catch {
      // Told to whoever asked to go; the run stays at rest.
      return;
    }
    const { signal, trainable } = this.#parts;
    this.#losses.begin();
    this.#pace.begin();
    this.#spikes.begin();
    // It may have been interrupted, or paused, between an evaluation and what follows from it.
    await this.#followEvaluation();
    signal({ kind: "first-step", done: false });
    for (let first = true; ; first = false) {
      await this.#drain();
      this.#useSettings();
      if (this.#goesOn) await this.#evaluateWhenDue();
      if (shouldSave(this.policy.save, this.#moment(), this.#lastSave, this.#pace.measured))
        this.#save("policy");
      if (this.#step >= this.#settings.steps) this.#halt ??= { kind: "finished" };
      if (!this.#goesOn) break;
      this.#submit();
      await this.#inFlight.submitted(this.#isSlow ? 1 : 2);
      if (first) {
        await trainable.settled();
        signal({ kind: "first-step", done: true });
      }
      if (this.#losses.isBehind) await this.#losses.read();
      else if (this.#losses.isDue) this.#collect();
    }
    await this.#losses.read();
    this.#throwFault();
    if (!this.#closed && this.#halt !== null) await this.#settle(this.#halt);
  }

  get #isSlow(): boolean {
    const { stepMs } = this.#pace.measured;
    return stepMs === null || stepMs > SLOW_STEP_MS;
  }

  get #goesOn(): boolean {
    return this.#halt === null && !this.#closed && this.#fault === null;
  }

  /** For who has just awaited: it may have been set meanwhile. */
  #haltNow(): Halt | null {
    return this.#halt;
  }

  /**
   * The losses up to it are in the journal before the evaluation is, and the evaluation before the next step is submitted:
   * what follows from it, and where, is the same however often the run is interrupted. One that fails, or that the store
   * refuses, counts for nothing.
   */
  async #evaluateWhenDue(): Promise<void> {
    if (!this.#evaluations.ask(this.policy, this.#step)) return;
    await this.#losses.read();
    this.#throwFault();
    this.#losses.rest();
    try {
      await this.#flushJournal();
      const metrics = await this.#parts.evaluate();
      if (Object.keys(metrics).length === 0) return;
      await this.#append(this.#step, { kind: "evaluated", metrics });
      this.#evaluations.add({ step: this.#step, metrics });
    } catch (error) {
      if (this.#fault !== null || hasCode(error, "device-lost") || hasCode(error, "fenced")) throw error;
      this.#notEvaluated(error);
      return;
    }
    await this.#followEvaluation();
  }

  /** Saves the state here if it is among the best, and stops where no better ones come. */
  async #followEvaluation(): Promise<void> {
    const isSaved = this.#saves.durableStep === this.#step;
    if (this.#policySaves && !isSaved && this.#evaluations.isAmongBest(this.policy, this.#step)) {
      // Never skipped, as others are where too many are under way.
      await this.#saves.room();
      this.#save("improved");
    }
    const best = this.#evaluations.endOf(this.policy, this.#events);
    if (best !== null) this.#halt ??= { kind: "stopped", best };
  }

  #notEvaluated(error: unknown): void {
    const code = error instanceof HoldfastError ? error.code : "internal";
    const message = messageOf(error);
    this.#parts.signal({ kind: "save-failed", what: "evaluation", step: this.#step, code, message });
  }

  /** Starts reading losses. To wait for them would let the GPU run dry: a step then takes up to twice its time. */
  #collect(): void {
    this.#losses.read().catch((error: unknown) => {
      this.#fault ??= asError(error);
    });
  }

  /** Everything that was submitted is journaled and saved; then the event that ends this stretch. */
  async #settle(halt: Halt): Promise<void> {
    try {
      await this.#flushJournal();
      // One may be under way for this very step.
      await this.#saves.idle();
      if (this.#policySaves && this.#saves.durableStep !== this.#step) {
        const reason = halt.kind === "paused" ? "pause" : "end";
        // A state is worth more than a metric of it: what cannot be evaluated is saved all the same.
        const known = this.#evaluations.at(this.#step);
        this.#save(reason, known ?? (await this.#parts.evaluate().catch(() => ({}))));
        await this.#saves.idle();
      }
      this.#throwFault();
      await this.#append(this.#step, halt, halt.kind);
    } catch (error) {
      // A full disk is no fault of the run: it rests in memory, and can go on or be paused again.
      if (!hasCode(error, "quota")) throw error;
      this.#refusedRest = error;
      this.#parts.signal({
        kind: "save-failed",
        what: "checkpoint",
        step: this.#step,
        code: error.code,
        message: error.message,
      });
    }
  }

  async #fail(error: Error): Promise<void> {
    const code = error instanceof HoldfastError ? error.code : "internal";
    const step = this.#tail.end;
    this.#closed = true;
    // What the journal can still take, it takes; a lost lease or a dead store says no, and that is all right.
    await this.#flushJournal().catch(() => undefined);
    if (code === "bad-numbers") {
      const event = { kind: "trouble", code, message: messageOf(error) } as const;
      await this.#append(step, event, "failed").catch(() => undefined);
    }
    this.#parts.signal({ kind: "trouble", code, message: messageOf(error), step });
  }

  #throwFault(): void {
    if (this.#fault !== null) throw this.#fault;
  }

  #refuseIfClosed(): void {
    this.#throwFault();
    if (this.#closed) throw new HoldfastError("busy", "The run is being closed.");
  }

  #allDone(): HoldfastError {
    return new HoldfastError(
      "busy",
      `The run has done all of its ${this.steps} steps. Ask for more steps first.`,
    );
  }

  #useSettings(): void {
    if (this.#step < this.#settingsUntil) return;
    this.#settings = settingsAt(this.#parts.record, this.#events, this.#step);
    this.#settingsUntil = nextEventAfter(this.#events, this.#step);
  }

  #submit(): void {
    const { trainable, now } = this.#parts;
    const at = now();
    const { optimizer } = this.#settings;
    const rate = rateAt(optimizer, this.#step);
    const pending = trainable.step({
      step: this.#step,
      samples: this.#samples,
      learningRate: rate,
      clipNorm: optimizer.clipNorm,
    });
    this.#losses.push(pending, rate, at);
    this.#step += 1;
    this.#samples += trainable.batchSize;
  }

  #take(rows: JournalRows): void {
    // What was computed after a fault is noise.
    if (this.#fault !== null) return;
    const bad = rows.loss.findIndex((loss) => !Number.isFinite(loss));
    const good = bad === -1 ? rows : upTo(rows, bad);
    this.#tail.push(good);
    this.#pace.steps(good);
    this.#parts.signal({ kind: "rows", rows: good });
    this.#pauseAtSpike(good);
    if (bad !== -1) {
      throw new HoldfastError(
        "bad-numbers",
        `The loss became ${rows.loss[bad]} at step ${rows.from + bad}. Fork from the last good checkpoint with a lower rate or with clipping.`,
      );
    }
    this.#flushJournal().catch((error: unknown) => {
      this.#journalRefused(error);
    });
  }

  #pauseAtSpike(rows: JournalRows): void {
    const { spike: factor } = this.policy;
    const spike = factor === undefined || !this.running ? null : this.#spikes.see(rows, factor);
    if (spike === null) return;
    const why = `the loss of step ${spike.step} was ${spike.loss}, more than ${factor} times the median of the 64 before it, ${spike.usual}`;
    this.#halt ??= { kind: "paused", why, spike };
  }

  /** A full disk or a slow store keeps the rows here, and they are sent again; it is told once. */
  #journalRefused(error: unknown): void {
    if (hasCode(error, "fenced")) this.#fault ??= error;
    if (this.#journalStuck) return;
    this.#journalStuck = true;
    const code = error instanceof HoldfastError ? error.code : "internal";
    const message = messageOf(error);
    this.#parts.signal({ kind: "save-failed", what: "losses", step: this.#tail.end, code, message });
  }

  async #flushJournal(): Promise<void> {
    await this.#tail.flush((rows) => this.#parts.storage.appendJournal(rows));
    this.#journalStuck = false;
  }

  async #lossOf(step: number): Promise<number | null> {
    await this.#losses.read();
    this.#throwFault();
    return this.#tail.lossAt(step);
  }

  #moment(): Moment {
    return {
      step: this.#step,
      samples: this.#samples,
      samplesPerEpoch: this.#parts.trainable.samplesPerEpoch,
      timeMs: this.#parts.now(),
    };
  }

  #save(reason: SaveReason, metrics = this.#evaluations.at(this.#step) ?? {}): void {
    this.#lastSave = this.#moment();
    this.#saves.save(this.#step, reason, metrics);
  }

  async #append(step: number, event: RunEventBody, status?: RunStatus): Promise<void> {
    let appended: RunEvent;
    try {
      appended = await this.#parts.storage.appendEvent(step, event, status);
    } catch (error) {
      // An event that may have been made and is not known here would be missed by the next step, and found by replay.
      if (!isRefusal(error)) this.#fault ??= asError(error);
      throw error;
    }
    this.#events.push(appended);
    if (event.kind === "changed" || event.kind === "extended")
      this.#settingsUntil = Math.min(this.#settingsUntil, step);
    this.#parts.signal({ kind: "event", event: appended });
    if (status === undefined) return;
    this.#status = status;
    this.#parts.signal({ kind: "status", status });
  }
}

/** Rows up to and with that one: what came after a bad number is noise. */
function upTo(rows: JournalRows, index: number): JournalRows {
  const end = index + 1;
  return {
    from: rows.from,
    loss: rows.loss.slice(0, end),
    rate: rows.rate.slice(0, end),
    ms: rows.ms.slice(0, end),
  };
}

/** Is it certain that what was asked for was not done? */
function isRefusal(error: unknown): boolean {
  return error instanceof HoldfastError && NOT_MADE.includes(error.code);
}

/** What was thrown, as an error: a library may throw anything. */
function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new HoldfastError("internal", String(thrown));
}
