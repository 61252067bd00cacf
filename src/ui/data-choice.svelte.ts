/** The data of a new run: the person's own, read and stored while the form is still open, or the task's. */
import { messageOf } from "../errors";
import type { HoldfastPage, StoredData } from "../worker/api";
import type { DataFile } from "../worker/protocol";

/** Components read it and call `take` and `drop`. */
export class DataChoice {
  readonly #api: HoldfastPage;
  stored = $state.raw<StoredData | null>(null);
  failed = $state.raw<string | null>(null);
  loading = $state(false);
  /** Counts up, so that what is read slowly does not replace what was chosen after it. */
  #turn = 0;

  constructor(api: HoldfastPage) {
    this.#api = api;
  }

  async take(task: string, files: readonly DataFile[]): Promise<void> {
    this.#turn += 1;
    const turn = this.#turn;
    this.loading = true;
    this.failed = null;
    this.stored = null;
    try {
      const stored = await this.#api.addData(task, files);
      if (turn === this.#turn) this.stored = stored;
    } catch (error) {
      if (turn === this.#turn) this.failed = messageOf(error);
    }
    if (turn === this.#turn) this.loading = false;
  }

  /** The task's own data again. */
  drop(): void {
    this.#turn += 1;
    this.stored = null;
    this.failed = null;
    this.loading = false;
  }
}
