/**
 * Keeps one trainer worker alive.
 *
 * A worker that died, fell silent or lost its GPU is ended first and replaced then; the run it trained is opened
 * anew from the store, replayed, checked, and goes on by itself. At most three times in five minutes: what fails
 * more often has a cause that trying again does not mend. The count survives a reload of the page, because a GPU
 * without an adapter is mended by nothing else.
 */
import { HoldfastError, hasCode, messageOf, type ErrorCode } from "../errors";
import { TrainerClient } from "./client";
import type { StorageClient } from "./storage-client";
import type { TrainApi, TrainEvent } from "./protocol";

const MAX_RESTARTS = 3;
const RESTART_WINDOW_MS = 5 * 60_000;
/** Twice a second it says that it lives. A busy machine may keep it from that for many seconds; death is told by its lock. */
const SILENCE_MS = 30_000;
/** Silence of so many steps is too much where steps are slow. */
const SLOW_STEPS = 40;
const WATCH_MS = 1000;
const MEMORY_KEY = "holdfast/restarts";

export interface SupervisorParts {
  readonly storage: () => StorageClient;
  readonly hear: (event: Exclude<TrainEvent, { readonly kind: "alive" }>) => void;
  /** The trainer is gone, and none follows by itself. */
  readonly ended: (run: string | null) => void;
  /** The run is open in a new trainer. */
  readonly recovered: (trainer: TrainApi, run: string) => void;
  readonly notice: (level: "info" | "warning" | "error", run: string | null, message: string) => void;
  /** Another tab trains the run from here on. */
  readonly takenOver: (run: string) => void;
  /** Loads the page again; the run goes on after it. */
  readonly reload: () => void;
  /** Is the page in view? Elsewhere silence means nothing: browsers freeze what nobody looks at. */
  readonly visible: () => boolean;
}

/** What survives a reload. */
interface Memory {
  /** Times of restarts, ms since 1970. */
  readonly restarts: readonly number[];
  /** The run that trains in this tab: after a reload, a person's or the supervisor's own, it goes on by itself. */
  readonly resume: string | null;
}

/** Faults that a new worker mends. */
const MENDED: ReadonlySet<ErrorCode> = new Set(["device-lost", "worker-died", "internal"]);

export class Supervisor {
  readonly #parts: SupervisorParts;
  #client: TrainerClient | null = null;
  #connecting: Promise<TrainApi> | null = null;
  /** The run that trains, and must go on. */
  #training: string | null = null;
  #heardAt = 0;
  #stepped = false;
  #recovering: Promise<void> | null = null;
  #again: { readonly code: ErrorCode; readonly message: string } | null = null;
  #silenceMs = SILENCE_MS;

  constructor(parts: SupervisorParts) {
    this.#parts = parts;
    setInterval(() => {
      this.#watch();
    }, WATCH_MS);
  }

  /**
   * The run that was training when the page was loaded again; once. Null where it was opened some other way: a person who
   * comes back is asked.
   */
  takeResume(): string | null {
    const memory = readMemory();
    if (memory.resume !== null) writeMemory({ ...memory, resume: null });
    return wasReloaded() ? memory.resume : null;
  }

  /** After the next reload, that run goes on by itself. */
  resumeAfterReload(run: string): void {
    writeMemory({ ...readMemory(), resume: run });
  }

  /** Which run must go on by itself if its worker fails; null while none trains. */
  expect(run: string | null): void {
    if (run !== null && run === this.#training) return;
    this.#begin(run);
  }

  /** The trainer, started if there is none. Waits for a recovery that is under way. */
  async trainer(): Promise<TrainApi> {
    await this.#recovering;
    return this.#connect();
  }

  /** A trainer if there is one already: nothing is started to be told that the page hides. */
  get present(): TrainApi | null {
    return this.#client?.api ?? null;
  }

  /** Ends the worker, whatever it does, and goes on with its run in a new one. */
  async recover(code: ErrorCode, message: string): Promise<void> {
    if (this.#recovering !== null) {
      // The new worker failed too, before the old one's recovery was through.
      this.#again = { code, message };
      return this.#recovering;
    }
    this.#recovering = this.#recover(code, message);
    await this.#recovering;
    this.#recovering = null;
    const again = this.#again;
    if (again !== null && this.#training !== null) await this.recover(again.code, again.message);
  }

  #connect(): Promise<TrainApi> {
    if (this.#connecting !== null) return this.#connecting;
    const client: TrainerClient = new TrainerClient((error) => {
      if (this.#client === client) void this.recover("worker-died", error.message);
    });
    this.#client = client;
    this.#connecting = client
      .connect(this.#parts.storage(), (event) => {
        if (this.#client === client) this.#hear(event);
      })
      .then(() => client.api);
    return this.#connecting;
  }

  #hear(event: TrainEvent): void {
    this.#heardAt = performance.now();
    if (event.kind === "alive") return;
    if (event.kind === "phase" && event.phase.kind === "training") this.#stepped = true;
    // A backend without a GPU holds its thread for a whole step; slow is not dead.
    if (event.kind === "progress" && event.rows !== null && event.rows.ms.length > 0) {
      const { ms } = event.rows;
      const each = ms.reduce((sum, value) => sum + value, 0) / ms.length;
      this.#silenceMs = Math.max(SILENCE_MS, SLOW_STEPS * each);
    }
    this.#parts.hear(event);
    if (event.kind === "status" && event.run === this.#training && event.status !== "running")
      this.#train(null);
    if (event.kind !== "trouble") return;
    if (MENDED.has(event.code)) void this.recover(event.code, event.message);
    else this.#giveUp(event.run, event.message, event.code);
  }

  #watch(): void {
    // A page that was hidden or frozen starts counting anew: its worker may have been frozen with it.
    if (!this.#parts.visible() || this.#training === null || !this.#stepped || this.#recovering !== null) {
      this.#heardAt = performance.now();
      return;
    }
    const silence = performance.now() - this.#heardAt;
    if (silence < this.#silenceMs) return;
    void this.recover("worker-died", `The trainer worker was silent for ${Math.round(silence / 1000)} s.`);
  }

  async #recover(code: ErrorCode, message: string): Promise<void> {
    const run = this.#training;
    this.#drop(message);
    if (run === null) {
      this.#parts.ended(null);
      return;
    }
    const memory = readMemory();
    const now = Date.now();
    const recent = memory.restarts.filter((time) => now - time < RESTART_WINDOW_MS);
    if (recent.length >= MAX_RESTARTS) {
      this.#giveUp(
        run,
        `${message} It was restarted ${MAX_RESTARTS} times within 5 minutes, so it rests now; what is saved is safe. Resume it when the cause is gone.`,
      );
      return;
    }
    writeMemory({ restarts: [...recent, now], resume: run });
    this.#parts.notice("warning", run, `${message} The run goes on from its newest checkpoint.`);
    try {
      const trainer = await this.#connect();
      await trainer.open(run, { takeOver: true, why: whyOf(code), toTrain: true });
      if (this.#training !== run) {
        // Meanwhile somebody closed it or started another one.
        await trainer.close();
        return;
      }
      this.#parts.recovered(trainer, run);
      this.#begin(run);
      await trainer.go();
    } catch (error) {
      await this.#failedToRecover(run, error);
    }
  }

  async #failedToRecover(run: string, error: unknown): Promise<void> {
    if (hasCode(error, "adapter-missing")) {
      this.resumeAfterReload(run);
      this.#parts.reload();
      return;
    }
    const again = error instanceof HoldfastError && MENDED.has(error.code);
    if (again) await this.#recover(error.code, messageOf(error));
    else this.#giveUp(run, messageOf(error), error instanceof HoldfastError ? error.code : "internal");
  }

  #giveUp(run: string, message: string, code: ErrorCode = "internal"): void {
    this.#train(null);
    this.#drop(message);
    this.#parts.ended(run);
    // Bad numbers stand in the run's own record, with what to do; a run that was taken over is in good hands.
    if (code === "fenced") this.#parts.takenOver(run);
    else if (code !== "bad-numbers") this.#parts.notice("error", run, message);
  }

  #drop(message: string): void {
    this.#client?.end(message);
    this.#client = null;
    this.#connecting = null;
    this.#again = null;
  }

  #train(run: string | null): void {
    this.#training = run;
    writeMemory({ ...readMemory(), resume: run });
  }

  #begin(run: string | null): void {
    this.#train(run);
    this.#stepped = false;
    this.#silenceMs = SILENCE_MS;
    this.#heardAt = performance.now();
  }
}

function whyOf(code: ErrorCode): string {
  return code === "device-lost" ? "the GPU was lost" : "the trainer worker ended";
}

function wasReloaded(): boolean {
  const [navigation] = performance.getEntriesByType("navigation");
  return navigation instanceof PerformanceNavigationTiming && navigation.type === "reload";
}

function readMemory(): Memory {
  try {
    const raw: unknown = JSON.parse(sessionStorage.getItem(MEMORY_KEY) ?? "{}");
    if (typeof raw !== "object" || raw === null) return { restarts: [], resume: null };
    const restarts = "restarts" in raw && Array.isArray(raw.restarts) ? raw.restarts : [];
    const resume = "resume" in raw && typeof raw.resume === "string" ? raw.resume : null;
    return { restarts: restarts.filter((time): time is number => typeof time === "number"), resume };
  } catch {
    // Storage that is refused, or a line that somebody else wrote: as if nothing had happened yet.
    return { restarts: [], resume: null };
  }
}

function writeMemory(memory: Memory): void {
  try {
    sessionStorage.setItem(MEMORY_KEY, JSON.stringify(memory));
  } catch {
    // Without it a reload forgets the count; the window of five minutes is the worst that follows.
  }
}
