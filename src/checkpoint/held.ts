/** Checkpoints that are being taken out of the store: until that is over, no policy lets go of them in this tab. */
import type { Surplus } from "../store/commit";

export class Held {
  readonly #counts = new Map<string, number>();

  /** Until the returned function is called. */
  hold(run: string, steps: readonly number[]): () => void {
    const keys = steps.map((step) => keyOf(run, step));
    for (const key of keys) this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
    return () => {
      for (const key of keys) {
        const count = (this.#counts.get(key) ?? 0) - 1;
        if (count > 0) this.#counts.set(key, count);
        else this.#counts.delete(key);
      }
    };
  }

  /** What that rule lets go of, but for what is held. */
  sparing(surplus: Surplus): Surplus {
    return (checkpoints, run) => {
      const gone = surplus(checkpoints, run);
      return this.#counts.size === 0
        ? gone
        : gone.filter((row) => !this.#counts.has(keyOf(row.run, row.step)));
    };
  }
}

function keyOf(run: string, step: number): string {
  return `${run}@${step}`;
}
