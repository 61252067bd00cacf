/** Gathers journal rows and tells of them at most ten times a second: charts need no more, and a post costs time. */
import { joinRows } from "../format/rows";
import type { JournalRows } from "../format/run";

const SPACING_MS = 100;
/** Rows that the shown speed is averaged over, by their time, milliseconds. */
const SPEED_WINDOW_MS = 2000;
/** Steps after an opening that compile shaders: they say nothing about those that follow. */
const COMPILING_STEPS = 2;
/** Fewer timed steps than this are no speed. */
const LEAST_TIMED = 5;

export class Progress {
  readonly #tell: (rows: JournalRows, stepsPerSecond: number | null) => void;
  #waiting: JournalRows[] = [];
  #recent: number[] = [];
  #left = COMPILING_STEPS;
  #toldAt = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(tell: (rows: JournalRows, stepsPerSecond: number | null) => void) {
    this.#tell = tell;
  }

  push(rows: JournalRows): void {
    this.#waiting.push(rows);
    for (const ms of rows.ms) {
      if (this.#left > 0) this.#left -= 1;
      else this.#recent.push(ms);
    }
    const wait = this.#toldAt + SPACING_MS - performance.now();
    if (wait <= 0) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), wait);
  }

  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#waiting.length === 0) return;
    const rows = joinRows(this.#waiting);
    this.#waiting = [];
    this.#toldAt = performance.now();
    this.#tell(rows, this.#speed());
  }

  /** Null until enough steps are timed. */
  #speed(): number | null {
    if (this.#recent.length < LEAST_TIMED) return null;
    let sum = 0;
    let count = 0;
    for (let i = this.#recent.length - 1; i >= 0 && (sum < SPEED_WINDOW_MS || count < LEAST_TIMED); i -= 1) {
      sum += this.#recent[i] ?? 0;
      count += 1;
    }
    this.#recent = this.#recent.slice(-count);
    return sum > 0 ? (count * 1000) / sum : null;
  }
}
