/**
 * Journal rows that the store has not acknowledged yet.
 *
 * Rows stay here until the store says that it has them, so a store that is full or slow loses none: the next flush
 * sends them again, and the store skips what it has already.
 */
import { HoldfastError } from "../errors";
import { cutRows, joinRows, lastStep } from "../format/rows";
import type { JournalRows } from "../format/run";

export class JournalTail {
  #rows: JournalRows[] = [];
  #acknowledged: number;
  #end: number;
  #flushing: Promise<void> | null = null;
  /** The newest rows, acknowledged or not: the loss of the last step is asked for after its row is on its way. */
  #last: JournalRows | null = null;

  /** `end`: the last step that the store has. */
  constructor(end: number) {
    this.#acknowledged = end;
    this.#end = end;
  }

  /** Last step of the journal, acknowledged or not. */
  get end(): number {
    return this.#end;
  }

  /** Rows follow the last ones; steps that are in the journal already are passed over. */
  push(rows: JournalRows): void {
    const fresh = cutRows(rows, this.#end + 1, Number.MAX_SAFE_INTEGER);
    if (fresh === null) return;
    if (fresh.from !== this.#end + 1) {
      throw new HoldfastError(
        "internal",
        `The journal ends at step ${this.#end} and was given rows from step ${fresh.from}.`,
      );
    }
    this.#last = fresh;
    this.#rows.push(fresh);
    this.#end = lastStep(fresh);
  }

  /** The loss of the update that made S_step, while its row is still here; null where it is not. */
  lossAt(step: number): number | null {
    const all = this.#last === null ? this.#rows : [...this.#rows, this.#last];
    const rows = all.find((some) => some.from <= step && step <= lastStep(some));
    return rows?.loss[step - rows.from] ?? null;
  }

  /** All rows up to `step` that the store does not have; null where it has them. */
  unacknowledged(step: number): JournalRows | null {
    const parts = this.#rows
      .map((rows) => cutRows(rows, this.#acknowledged + 1, step))
      .filter((rows) => rows !== null);
    return parts.length === 0 ? null : joinRows(parts);
  }

  acknowledge(step: number): void {
    this.#acknowledged = Math.max(this.#acknowledged, step);
    this.#rows = this.#rows.filter((rows) => lastStep(rows) > this.#acknowledged);
  }

  /** Sends until nothing is left. Calls that come meanwhile share the flush and are done when their rows are. */
  async flush(send: (rows: JournalRows) => Promise<void>): Promise<void> {
    const wanted = this.#end;
    while (this.#acknowledged < wanted) {
      this.#flushing ??= this.#sendAll(send).finally(() => {
        this.#flushing = null;
      });
      await this.#flushing;
    }
  }

  async #sendAll(send: (rows: JournalRows) => Promise<void>): Promise<void> {
    const rows = this.unacknowledged(this.#end);
    if (rows === null) return;
    await send(rows);
    this.acknowledge(lastStep(rows));
  }
}
