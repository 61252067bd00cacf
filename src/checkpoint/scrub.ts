/**
 * A rolling look at everything that is stored, little by little, for as long as the page is open: disks forget silently,
 * and what is found early can still be had elsewhere. One checkpoint after the other is read as a restore would read it;
 * copies of data that are damaged are written anew from those that are not.
 */
import { messageOf } from "../errors";
import type { ScrubStatus } from "../format/stored";
import { checkCheckpoint, type CheckParts } from "./check";
import type { DataStore } from "./data";

export interface ScrubPace {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Between two chunks: it also waits for what is urgent. */
  readonly between: () => Promise<void>;
  /** Before each round. */
  readonly rest: () => Promise<void>;
}

export const NOT_SCRUBBED: ScrubStatus = { finished: null, checkpoints: 0, damaged: [] };

export class Scrub {
  readonly #parts: CheckParts;
  readonly #data: DataStore;
  readonly #pace: ScrubPace;
  #status = NOT_SCRUBBED;
  #stopped = false;

  constructor(parts: CheckParts, data: DataStore, pace: ScrubPace) {
    this.#parts = parts;
    this.#data = data;
    this.#pace = pace;
  }

  /** Of the last whole round. */
  get status(): ScrubStatus {
    return this.#status;
  }

  /** Goes on until it is stopped. */
  async run(): Promise<void> {
    while (!this.#stopped) {
      await this.#pace.rest();
      await this.round();
    }
  }

  /** Ends before the next piece. */
  stop(): void {
    this.#stopped = true;
  }

  /** Everything once. */
  async round(): Promise<void> {
    const { catalog } = this.#parts;
    const { between, now } = this.#pace;
    const { runs, data } = await catalog.read(async (tx) => ({
      runs: await tx.all("runs"),
      data: await tx.all("data"),
    }));
    const damaged: string[] = [];
    let checkpoints = 0;
    for (const { id, record } of runs) {
      for (const { step } of await catalog.read((tx) => tx.of("checkpoints", id))) {
        if (this.#stopped) return;
        // Asked again: a round may take hours.
        const row = await catalog.read((tx) => tx.at("checkpoints", id, step));
        if (row === undefined) continue;
        const damage = await this.#looked(() => checkCheckpoint(this.#parts, row, between));
        checkpoints++;
        if (damage !== null) damaged.push(`"${record.name}", step ${step}: ${damage}`);
      }
    }
    for (const { hash } of data) {
      if (this.#stopped) return;
      await between();
      const damage = await this.#looked(() => this.#data.mend(hash));
      if (damage !== null) damaged.push(damage);
    }
    this.#status = { finished: now(), checkpoints, damaged };
  }

  /** A disk that cannot be read now is asked again in the next round. */
  async #looked(look: () => Promise<string | null>): Promise<string | null> {
    try {
      return await look();
    } catch (error) {
      return messageOf(error);
    }
  }
}
