/** The data of a new run: the person's own, read and stored while the form is still open, or the task's. */
import { messageOf } from "../errors";
import type { HoldfastPage, StoredData } from "../worker/api";
import type { Config, DataFile } from "../worker/protocol";

/** Long enough that a number is read when it is typed, and not digit by digit. */
const PAUSE_MS = 300;

/** Components read it and call `take`, `setTo` and `drop`. */
export class DataChoice {
  readonly #api: HoldfastPage;
  stored = $state.raw<StoredData | null>(null);
  failed = $state.raw<string | null>(null);
  loading = $state(false);
  #madeUpProblem = $state.raw<string | null>(null);
  /** Counts up, so that what is read slowly does not replace what was chosen after it. */
  #turn = 0;
  #pause: ReturnType<typeof setTimeout> | undefined;
  /** Settings that came while the data was read, which is shown with them then. */
  #waiting: Config | null = null;

  constructor(api: HoldfastPage) {
    this.#api = api;
  }

  /** Why nothing can be trained on it as it is set, with the remedy; null where it can, as far as that was read. */
  get problem(): string | null {
    return this.stored === null ? this.#madeUpProblem : (this.stored.preview.problem ?? null);
  }

  /** What was stored; null where it could not be, or something else was chosen meanwhile. */
  async take(task: string, files: readonly DataFile[], config: Config): Promise<StoredData | null> {
    const turn = this.#next();
    this.#waiting = null;
    this.loading = true;
    this.failed = null;
    this.stored = null;
    this.#madeUpProblem = null;
    try {
      const stored = await this.#api.addData(task, files, config);
      if (turn !== this.#turn) return null;
      this.stored = stored;
    } catch (error) {
      if (turn !== this.#turn) return null;
      this.failed = messageOf(error);
    }
    this.loading = false;
    this.#readWaiting(task);
    return this.stored;
  }

  #readWaiting(task: string): void {
    if (this.#waiting !== null) this.setTo(task, this.#waiting);
  }

  /** The settings are others now: what is shown of the data is read with them, once no more of them change. */
  setTo(task: string, config: Config): void {
    const { stored } = this;
    if (this.loading) this.#waiting = config;
    if (stored === null) return;
    const turn = this.#next();
    this.#pause = setTimeout(() => void this.#read(turn, task, stored, config), PAUSE_MS);
  }

  async #read(turn: number, task: string, stored: StoredData, config: Config): Promise<void> {
    try {
      const preview = await this.#api.previewData(task, stored.hash, config);
      if (turn !== this.#turn) return;
      this.stored = { ...stored, preview };
      this.failed = null;
    } catch (error) {
      if (turn === this.#turn) this.failed = messageOf(error);
    }
  }

  /** The settings of the task's own data are others now: what the start would say of them is said before it. */
  checkMadeUp(task: string, config: Config, seed: number): void {
    if (this.stored !== null || this.loading) return;
    const turn = this.#next();
    this.#pause = setTimeout(() => void this.#readMadeUp(turn, task, config, seed), PAUSE_MS);
  }

  /** The settings are wrong by themselves: what was said of those before them is no longer so. */
  forgetMadeUp(): void {
    if (this.stored !== null || this.loading) return;
    this.#next();
    this.#madeUpProblem = null;
  }

  async #readMadeUp(turn: number, task: string, config: Config, seed: number): Promise<void> {
    // What cannot be found out now, the start finds out.
    const problem = await this.#api.madeUpProblem(task, seed, config).catch(() => null);
    if (turn === this.#turn) this.#madeUpProblem = problem;
  }

  #next(): number {
    clearTimeout(this.#pause);
    this.#turn += 1;
    return this.#turn;
  }

  /** The task's own data again. */
  drop(): void {
    this.#next();
    this.stored = null;
    this.failed = null;
    this.loading = false;
    this.#madeUpProblem = null;
  }
}
