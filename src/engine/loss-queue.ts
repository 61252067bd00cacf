/**
 * Losses that are still on the device. They are read many at once, in order, and become journal rows: one wait and
 * one transfer for many steps, never one per step.
 */
import type { JournalRows } from "../format/run";
import type { PendingLoss, Trainable } from "./trainable";

/** Steps after which losses are read back at the latest, and the time after which they are, milliseconds. */
const READ_STEPS = 48;
const READ_MS = 250;
/** Losses that wait on the device at most. */
const MAX_WAITING = 1024;

interface Submitted {
  readonly pending: PendingLoss;
  readonly rate: number;
  /** When it was submitted, and when the next one was; null before that. */
  readonly at: number;
  until: number | null;
}

export class LossQueue {
  readonly #trainable: Trainable;
  readonly #now: () => number;
  readonly #take: (rows: JournalRows) => void;
  #waiting: Submitted[] = [];
  #reading: Promise<void> = Promise.resolve();
  #readsUnderWay = 0;
  #readAt = 0;
  #last: Submitted | null = null;

  /** `take` is given each stretch of rows once, in the order of steps. */
  constructor(trainable: Trainable, now: () => number, take: (rows: JournalRows) => void) {
    this.#trainable = trainable;
    this.#now = now;
    this.#take = take;
  }

  /** Not while a read is under way: the next one takes all that came meanwhile. */
  get isDue(): boolean {
    if (this.#readsUnderWay > 0) return false;
    return this.#waiting.length >= READ_STEPS || this.#now() - this.#readAt >= READ_MS;
  }

  /** Do more losses wait than may? Where each is read by itself, steps can be faster than that. */
  get isBehind(): boolean {
    return this.#waiting.length >= MAX_WAITING;
  }

  /** Time before the first step is not time between two reads. */
  begin(): void {
    this.#readAt = this.#now();
  }

  push(pending: PendingLoss, rate: number, at: number): void {
    this.#end(at);
    this.#last = { pending, rate, at, until: null };
    this.#waiting.push(this.#last);
  }

  /** What goes on until the next step is no part of the last one. */
  rest(): void {
    this.#end(this.#now());
  }

  #end(at: number): void {
    if (this.#last !== null) this.#last.until ??= at;
  }

  /** Resolves when the losses of all steps pushed so far were taken. Fails as the device or `take` does. */
  read(): Promise<void> {
    const batch = this.#waiting;
    if (batch.length === 0) return this.#reading;
    this.#waiting = [];
    this.#readAt = this.#now();
    this.#readsUnderWay += 1;
    const read = this.#reading.then(() => this.#readBatch(batch));
    // Whoever asked hears of a failure; the next read must not inherit it.
    this.#reading = read
      .catch(() => undefined)
      .finally(() => {
        this.#readsUnderWay -= 1;
      });
    return read;
  }

  async #readBatch(batch: readonly Submitted[]): Promise<void> {
    const loss = await this.#trainable.losses(batch.map(({ pending }) => pending));
    // A step lasts until the next one is submitted; the last of all, until its loss is here.
    const end = this.#now();
    const ms = Float32Array.from(batch, ({ at, until }) => (until ?? end) - at);
    this.#take({
      from: batch[0]?.pending.step ?? 0,
      loss,
      rate: Float32Array.from(batch, ({ rate }) => rate),
      ms,
    });
  }
}
