/**
 * The page's two workers: heard, told when the page goes out of sight, and replaced when they die. Which run the trainer has
 * open, and what becomes of it then, is `RunHere`'s.
 */
import type { HoldfastEvent } from "./api";
import type { Events } from "./events";
import type { StorageApi, TrainApi } from "./protocol";
import type { RunHere } from "./run-here";
import { StorageWatch } from "./storage-watch";
import { Supervisor } from "./supervisor";

export interface PageWorkersParts {
  readonly events: Events;
  readonly here: Pick<RunHere, "opened" | "lost" | "ended">;
}

export class PageWorkers {
  readonly supervisor: Supervisor;
  readonly #parts: PageWorkersParts;
  readonly #watch: StorageWatch;
  #persistenceAsked = false;

  /** Starts the storage worker; the trainer starts with the first call that needs it. */
  constructor(parts: PageWorkersParts) {
    this.#parts = parts;
    const { events, here } = parts;
    this.#watch = new StorageWatch({
      // The trainer's way to the store died with it, so both are replaced; the run goes on from its checkpoint.
      replaced: (message) => {
        here.lost();
        void this.supervisor.recover("worker-died", message);
      },
      trouble: (message) => {
        events.notice("warning", null, message);
      },
    });
    this.supervisor = new Supervisor({
      storage: () => this.#watch.client,
      hear: (event) => {
        this.#hear(event);
      },
      ended: (run) => {
        here.ended(run);
      },
      recovered: (trainer, run) => {
        here.opened(trainer, run);
      },
      notice: (level, run, message) => {
        events.notice(level, run, message);
        events.tell({ kind: "runs" });
      },
      takenOver: (run) => {
        void this.#tellTakenOver(run);
      },
      reload: () => {
        location.reload();
      },
      visible: () => document.visibilityState === "visible",
    });
    this.#watchPage();
  }

  /** Another one after a death: ask anew for each call, as for the trainer. */
  get storage(): StorageApi {
    return this.#watch.client.api;
  }

  /** Started if there is none. Waits for a recovery that is under way. */
  trainer(): Promise<TrainApi> {
    return this.supervisor.trainer();
  }

  #watchPage(): void {
    const flush = (): void => {
      this.supervisor.present?.hide().catch(() => undefined);
    };
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "hidden") flush();
      else this.supervisor.present?.show().catch(() => undefined);
    });
    document.addEventListener("freeze", flush);
    addEventListener("pagehide", flush);
  }

  #hear(event: HoldfastEvent): void {
    const { events } = this.#parts;
    if (event.kind === "saved" && !this.#persistenceAsked) this.#askPersistence();
    // Who looks at a step looks alone.
    if (event.kind === "visiting") events.tell(event);
    else events.tellAll(event);
    if (event.kind === "status") events.tellAll({ kind: "runs" });
  }

  /** Asked once, at the first save: only then is there something to keep. Browsers answer without asking, or ask. */
  #askPersistence(): void {
    this.#persistenceAsked = true;
    navigator.storage.persist().then(
      () => {
        this.#parts.events.tell({ kind: "runs" });
      },
      () => undefined,
    );
  }

  async #tellTakenOver(run: string): Promise<void> {
    const { events } = this.#parts;
    const name = await this.storage.detail(run).then(
      ({ name }) => `“${name}”`,
      () => "this run",
    );
    events.notice("info", run, `Another tab took ${name} over and goes on with it there.`);
    events.tell({ kind: "runs" });
  }
}
