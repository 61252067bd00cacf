/**
 * The one run that this page's trainer has open: begun, resumed, left for another one, closed; one thing at a time.
 *
 * What is open is known together with the trainer that it is open in: the supervisor replaces one that died, and the new
 * one has nothing open.
 */
import { HoldfastError, hasCode, messageOf } from "../errors";
import type { Events } from "./events";
import type { OpenOptions, RunInfo, StorageApi, TrainApi } from "./protocol";
import type { Supervisor } from "./supervisor";

/** Opened to be looked at or changed. */
const AT_REST: OpenOptions = { takeOver: false, why: "asked", toTrain: false };
/** Why a run rests that no other one took the place of. */
const CLOSED = "the run was closed in this tab";

export interface RunHereParts {
  /** May be another one each time, as may what follows. */
  readonly storage: () => Pick<StorageApi, "detail" | "letGo">;
  readonly supervisor: () => Pick<Supervisor, "trainer" | "expect" | "takeResume" | "resumeAfterReload">;
  readonly events: Pick<Events, "live" | "notice" | "tell" | "tellAll">;
}

export class RunHere {
  readonly #parts: RunHereParts;
  #opened: { readonly trainer: TrainApi; readonly run: string } | null = null;
  /** What is to be gone on with, and is not open yet. */
  #resuming: string | null = null;
  /** One thing at a time that opens, closes or starts a run. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(parts: RunHereParts) {
    this.#parts = parts;
  }

  isOpen(run: string): boolean {
    return this.#opened?.run === run;
  }

  /** While `work` is under way, nothing else opens, closes or starts a run. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work, work);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  /** In a turn: makes a run in the trainer, in the place of the one that it has open, and trains it. `make` returns its id. */
  async begin(name: string, make: (trainer: TrainApi) => Promise<string>): Promise<string> {
    const trainer = await this.#leaveOther(null, `“${name}” was started here`);
    const run = await make(trainer);
    this.opened(trainer, run);
    // Before it trains: it is there from here on, also where that fails.
    this.#parts.events.tellAll({ kind: "runs" });
    await this.#go(trainer, run);
    return run;
  }

  /** Opens it where it is not, and goes on with it; `why` stands in its record. */
  resume(run: string, options: { readonly takeOver: boolean; readonly why: string }): Promise<RunInfo> {
    this.#resuming = run;
    return this.inTurn(async () => {
      try {
        return await this.#resume(run, options);
      } catch (error) {
        // A worker that died says no more what it is at.
        const live = this.#parts.events.live(run);
        if (live?.here === true && live.phase.kind !== "idle") this.#tellIdle(run);
        throw error;
      } finally {
        if (this.#resuming === run) this.#resuming = null;
      }
    });
  }

  /** Goes on with what trained here when the page was loaded again, if anything did. Nobody waits for it: what fails is told. */
  goOnAfterReload(): void {
    const { supervisor, events } = this.#parts;
    const run = supervisor().takeResume();
    if (run === null) return;
    // Whoever loads the page again meanwhile wants it no less.
    supervisor().resumeAfterReload(run);
    // Nobody is to be asked meanwhile whether it should go on.
    events.tell({ kind: "phase", run, phase: { kind: "restoring" } });
    this.resume(run, { takeOver: false, why: "the page was loaded again" }).catch((error: unknown) => {
      this.#tellIdle(run);
      events.tell({ kind: "runs" });
      // Chromium counts only a person's reload as a reason to trust the GPU again.
      if (hasCode(error, "adapter-missing")) supervisor().resumeAfterReload(run);
      events.notice("error", run, messageOf(error));
    });
  }

  /** `busy` where it is not open here, nor on its way to be. */
  pause(run: string): Promise<RunInfo> {
    const wasResuming = this.#resuming === run;
    return this.inTurn(async () => {
      // A recovery that is under way is waited for: what it brings back is what is to be paused.
      const trainer = await this.#parts.supervisor().trainer();
      if (this.#opened?.run !== run || this.#opened.trainer !== trainer) {
        if (wasResuming) {
          // It could not be brought back, which is told; nor is that tried again after a reload.
          this.#parts.supervisor().expect(null);
          return this.#detail(run);
        }
        throw new HoldfastError("busy", "This tab does not train that run. Resume it here, or take it over.");
      }
      await trainer.pause("asked");
      return this.#detail(run);
    });
  }

  /** The trainer with this run open in it, at rest if it was not open. */
  open(run: string): Promise<TrainApi> {
    return this.inTurn(() => this.#open(run, AT_REST));
  }

  /** The same; and what is done with it is done before anything else opens, closes or starts a run. */
  openFor(run: string, act: (trainer: TrainApi) => Promise<void>): Promise<RunInfo> {
    return this.inTurn(async () => {
      await act(await this.#open(run, AT_REST));
      return this.#detail(run);
    });
  }

  /** In a turn: pauses and saves the run that is open, whichever it is, and lets go of it. `why`: what its event says. */
  async close(why: string = CLOSED): Promise<void> {
    if (this.#opened === null) return;
    const { supervisor, storage, events } = this.#parts;
    const { trainer, run } = this.#opened;
    try {
      await trainer.pause(why);
      supervisor().expect(null);
      await trainer.close();
    } catch (error) {
      if (!hasCode(error, "worker-died")) throw error;
      // It is closed already, by its death.
      supervisor().expect(null);
      await storage().letGo(run);
    }
    this.#opened = null;
    this.#tellIdle(run);
    events.tellAll({ kind: "runs" });
  }

  /** The trainer has it open from here on. */
  opened(trainer: TrainApi, run: string): void {
    this.#opened = { trainer, run };
    // It may have been set while the run was being opened.
    this.usePolicy().catch(() => undefined);
  }

  /** Nothing is open any more: the trainer's way to the store died. Who replaces it opens the run anew. */
  lost(): void {
    this.#opened = null;
  }

  /** The trainer ended and cannot release what it had open; without this the run would be locked until a reload. */
  ended(run: string | null): void {
    const { storage, events } = this.#parts;
    const runs = new Set([run, this.#opened?.run ?? null]);
    this.#opened = null;
    for (const one of runs) {
      if (one === null || one === "") continue;
      events.tellAll({ kind: "phase", run: one, phase: { kind: "idle" } });
      storage()
        .letGo(one)
        .then(
          () => {
            events.tellAll({ kind: "runs" });
          },
          () => undefined,
        );
    }
  }

  /** The trainer goes by the policy that the run has now, whichever tab set it. */
  async usePolicy(): Promise<void> {
    const opened = this.#opened;
    if (opened === null) return;
    const { record } = await this.#parts.storage().detail(opened.run);
    if (this.#opened === opened) await opened.trainer.setPolicy(record.policy);
  }

  async #resume(
    run: string,
    options: { readonly takeOver: boolean; readonly why: string },
  ): Promise<RunInfo> {
    // What is open here may be older than what another tab made of the run since.
    if (options.takeOver && this.isOpen(run)) await this.close();
    const before = await this.#detail(run);
    const trainer = await this.#open(run, { ...options, toTrain: true });
    const opened = await this.#detail(run);
    // What a tab wrote in its last moment is seen only once its packs are free: it may have been the end of the run.
    if (isOver(opened.status) && !isOver(before.status)) {
      this.#parts.supervisor().expect(null);
      const message = `“${opened.name}” had ${opened.status} at step ${opened.step} when its tab ended; that was found only now, so it was not gone on with.`;
      this.#parts.events.notice("info", run, message);
      this.#parts.events.tellAll({ kind: "phase", run, phase: { kind: "idle" } });
      this.#parts.events.tellAll({ kind: "runs" });
      return opened;
    }
    await this.#go(trainer, run);
    return this.#detail(run);
  }

  async #go(trainer: TrainApi, run: string): Promise<void> {
    const { supervisor } = this.#parts;
    supervisor().expect(run);
    try {
      await trainer.go();
    } catch (error) {
      supervisor().expect(null);
      throw error;
    }
  }

  /** The trainer, with this run open in it; opens it from the store where it is not. */
  async #open(run: string, options: OpenOptions): Promise<TrainApi> {
    const { supervisor } = this.#parts;
    const isOther = this.#opened !== null && !this.isOpen(run);
    const why = isOther
      ? `“${(await this.#detail(run)).name}” was ${options.toTrain ? "resumed" : "opened"} here`
      : CLOSED;
    const trainer = await this.#leaveOther(run, why);
    if (this.isOpen(run)) return trainer;
    if (options.toTrain) supervisor().resumeAfterReload(run);
    try {
      await trainer.open(run, options);
    } catch (error) {
      if (options.toTrain) supervisor().expect(null);
      throw error;
    }
    this.opened(trainer, run);
    return trainer;
  }

  /** The trainer, free of any other run: one that trains is paused and saved first. `why`: what its event says. */
  async #leaveOther(run: string | null, why: string): Promise<TrainApi> {
    const trainer = await this.#parts.supervisor().trainer();
    if (this.#opened !== null && this.#opened.trainer !== trainer) this.#opened = null;
    if (this.#opened !== null && this.#opened.run !== run) await this.close(why);
    return trainer;
  }

  #detail(run: string): Promise<RunInfo> {
    return this.#parts.storage().detail(run);
  }

  #tellIdle(run: string): void {
    this.#parts.events.tell({ kind: "phase", run, phase: { kind: "idle" } });
  }
}

/** Does nothing more happen to such a run unless somebody wants it? */
function isOver(status: RunInfo["status"]): boolean {
  return status === "stopped" || status === "finished";
}
