/** Losses that jump: one far above the median of those before it. The median, because a mean would follow the jump. */
import type { JournalRows, Spike } from "../format/run";

/** Losses that the median is taken of. */
const WINDOW = 64;

/** Sees losses in the order of their steps. */
export class SpikeWatch {
  #recent: number[] = [];

  /** What comes next is compared with itself alone: as many losses again are needed. */
  begin(): void {
    this.#recent = [];
  }

  /** The first loss of these that is more than `factor` times the median of those before it; null where none is. */
  see({ from, loss }: JournalRows, factor: number): Spike | null {
    let found: Spike | null = null;
    for (const [index, value] of loss.entries()) {
      if (found === null && this.#recent.length === WINDOW) {
        const usual = medianOf(this.#recent);
        if (usual > 0 && value > factor * usual) found = { step: from + index, loss: value, usual };
      }
      this.#recent.push(value);
      if (this.#recent.length > WINDOW) this.#recent.shift();
    }
    return found;
  }
}

/** Of an even count: the higher of the two in the middle. */
function medianOf(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}
