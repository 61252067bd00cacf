/**
 * The losses of a run on their way to the store: they may still be on a device, rows go out in batches, and what the
 * store has already is compared instead.
 */
import { HoldfastError } from "../errors";
import { cutRows, lastStep } from "../format/rows";
import type { JournalRows } from "../format/run";

/** Rows and milliseconds after which what there is goes to the store. */
const FLUSH_ROWS = 64;
const FLUSH_MS = 1000;
/** Losses on their way from a device at most: each stands for a step that the device has still to do. */
const MOST_ON_THEIR_WAY = 16;

/** A loss, or one that is on its way from a device. */
export type Loss = number | PromiseLike<number | ArrayLike<number>>;

/** One update that was made. */
export interface Step {
  /** Of the batch that the update was made from; a promise where it is still on a device. Default: not told. */
  readonly loss?: Loss;
  /** The learning rate that was used; for the journal. Default 0. */
  readonly rate?: number;
  /** Samples that the batch had; the run adds them up. Default 0. */
  readonly samples?: number;
  /** False: no place to go on from, as within an epoch whose order is lost. Default true. */
  readonly mayEndHere?: boolean;
}

interface Entry {
  readonly step: number;
  readonly rate: number;
  readonly ms: number;
  /** Null while it is on its way; NaN where none was told. */
  loss: number | null;
}

/** @internal */
export interface JournalParts {
  /** Rows of the store beyond the state that was restored; null where there are none. */
  readonly known: JournalRows | null;
  /** Are the same steps to give the same losses? */
  readonly isExact: boolean;
  readonly append: (rows: JournalRows) => Promise<void>;
  readonly now: () => number;
  /** Hears what nobody awaits. */
  readonly failed: (error: unknown) => void;
}

/** @internal */
export class Journal {
  readonly #parts: JournalParts;
  /** Those that the store has not acknowledged, in the order of their steps. */
  #entries: Entry[] = [];
  #last: Entry | null = null;
  /** Resolves when all losses so far are there. */
  #settled: Promise<void> = Promise.resolve();
  #onTheirWay: Promise<void>[] = [];
  #sending: Promise<void> | null = null;
  #sentAt: number;
  /** Did the last try to send rows end badly, or has it not ended? */
  #hasFailed = false;

  constructor(parts: JournalParts) {
    this.#parts = parts;
    this.#sentAt = parts.now();
  }

  /** Last step that the store had when the run was opened; 0 where that is not beyond what was restored. */
  get knownEnd(): number {
    const { known } = this.#parts;
    return known === null ? 0 : lastStep(known);
  }

  /** Throws `bad-numbers` or `diverged` where the loss is here already and says so. */
  add(step: number, loss: Loss | undefined, rate: number, ms: number): void {
    const entry: Entry = { step, rate, ms, loss: null };
    if (step > this.knownEnd) this.#entries.push(entry);
    this.#last = entry;
    if (loss === undefined) entry.loss = Number.NaN;
    else if (typeof loss === "number") this.#take(entry, loss);
    else this.#await(entry, loss);
  }

  /** Resolves when another loss may be on its way; null where that is so already. */
  room(): Promise<void> | null {
    return this.#onTheirWay.at(-MOST_ON_THEIR_WAY) ?? null;
  }

  /** Sends what there is, now and then. */
  flushWhenDue(): void {
    // Where the store takes none, it is not asked at each step.
    const isFull = this.#entries.length >= FLUSH_ROWS && !this.#hasFailed;
    const isDue = isFull || this.#parts.now() - this.#sentAt >= FLUSH_MS;
    if (isDue && this.#sending === null) this.flush().catch(this.#parts.failed);
  }

  /** Resolves when all rows whose losses are here are in the store. */
  async flush(): Promise<void> {
    while (this.#sending !== null) await this.#sending;
    this.#sentAt = this.#parts.now();
    const rows = this.#rows(Number.POSITIVE_INFINITY);
    if (rows === null) return;
    const sending = this.#parts.append(rows).finally(() => {
      this.#sending = null;
    });
    this.#sending = sending;
    this.#hasFailed = true;
    await sending;
    this.#hasFailed = false;
    this.acknowledge(lastStep(rows));
  }

  /** For a checkpoint of the newest step: what the store lacks up to it, and its loss; null where none was told. */
  async upTo(step: number): Promise<{ readonly rows: JournalRows | null; readonly loss: number | null }> {
    const last = this.#last;
    await this.#settled;
    const loss = last?.step === step ? last.loss : null;
    return { rows: this.#rows(step), loss: loss === null || Number.isNaN(loss) ? null : loss };
  }

  /** The store has all rows up to that step. */
  acknowledge(step: number): void {
    this.#entries = this.#entries.filter((entry) => entry.step > step);
  }

  #await(entry: Entry, loss: PromiseLike<number | ArrayLike<number>>): void {
    const before = this.#settled;
    const settled = (async () => {
      const value = await loss;
      // In the order of steps, so that the first bad one is the one that is named.
      await before;
      this.#take(entry, typeof value === "number" ? value : (value[0] ?? Number.NaN));
    })();
    this.#settled = settled;
    this.#onTheirWay.push(settled);
    const here = () => {
      this.#onTheirWay = this.#onTheirWay.filter((other) => other !== settled);
    };
    settled.then(here, (error: unknown) => {
      here();
      this.#parts.failed(error);
    });
  }

  #rows(to: number): JournalRows | null {
    const end = this.#entries.findIndex(({ step, loss }) => loss === null || step > to);
    const ready = end < 0 ? this.#entries : this.#entries.slice(0, end);
    const [first] = ready;
    if (first === undefined) return null;
    return {
      from: first.step,
      loss: Float32Array.from(ready, ({ loss }) => loss ?? Number.NaN),
      rate: Float32Array.from(ready, ({ rate }) => rate),
      ms: Float32Array.from(ready, ({ ms }) => ms),
    };
  }

  #take(entry: Entry, value: number): void {
    if (!Number.isFinite(value)) {
      throw new HoldfastError(
        "bad-numbers",
        `The loss of step ${entry.step} is ${value}. Nothing from this step on is saved; open the run anew to go back to the last good state.`,
      );
    }
    entry.loss = Math.fround(value);
    if (entry.step <= this.knownEnd) this.#compare(entry.step, entry.loss);
  }

  #compare(step: number, loss: number): void {
    const { known, isExact } = this.#parts;
    const was = known === null ? undefined : cutRows(known, step, step)?.loss[0];
    // Two zeros of different signs count as equal, and no other numbers do.
    if (!isExact || was === undefined || Number.isNaN(was) || was === loss) return;
    throw new HoldfastError(
      "diverged",
      `Step ${step} was computed again and has the loss ${loss}; the journal has ${was}. Something that a step reads is not in the state, the page's code changed, or this machine computes other numbers. Where that is as it should be, open the run with { inexact: ["The code changed."] }: it goes on from its checkpoint, and these steps are not compared.`,
    );
  }
}
