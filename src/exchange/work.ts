/** How far something is that takes long. */
import { HoldfastError } from "../errors";
import type { Watcher } from "../format/stored";

/** Counts the bytes of some work. */
export class Work {
  readonly #watcher: Watcher;
  readonly #total: number;
  #done = 0;

  constructor(watcher: Watcher, total: number) {
    this.#watcher = watcher;
    this.#total = total;
    this.#tell();
  }

  /** So many bytes more are done. `cancelled` where nobody wants the rest. */
  did(bytes: number): void {
    this.#done = Math.min(this.#total, this.#done + bytes);
    this.#tell();
  }

  /** All of it is done; what turned out to need no work counts as well. */
  end(): void {
    this.#done = this.#total;
    this.#tell();
  }

  #tell(): void {
    const { signal, progress } = this.#watcher;
    if (signal?.aborted === true) throw new HoldfastError("cancelled", "It was cancelled.");
    progress?.(this.#done, this.#total);
  }
}
