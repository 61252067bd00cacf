/** How long a step and a save take, as a running mean: what the policy needs to choose how often to save. */
import type { JournalRows } from "../format/run";
import type { Measured } from "../policy/interval";

/** Weight of the newest stretch of steps, or save. */
const NEWEST = 0.25;

export class Pace {
  /** Asked for at each step, and made anew only where something was measured. */
  #measured: Measured = { stepMs: null, saveMs: null };
  #compiling = true;

  get measured(): Measured {
    return this.#measured;
  }

  /** Training begins: its first stretch compiles shaders, and says nothing about those that follow. */
  begin(): void {
    this.#compiling = true;
  }

  steps({ ms }: Pick<JournalRows, "ms">): void {
    if (ms.length === 0) return;
    const { stepMs, saveMs } = this.#measured;
    const each = ms.reduce((sum, value) => sum + value, 0) / ms.length;
    if (!this.#compiling) this.#measured = { stepMs: mean(stepMs, each), saveMs };
    this.#compiling = false;
  }

  /** `ms`: what the save took from training at worst. */
  saved(ms: number): void {
    const { stepMs, saveMs } = this.#measured;
    this.#measured = { stepMs, saveMs: mean(saveMs, ms) };
  }
}

function mean(before: number | null, value: number): number {
  return before === null ? value : before + NEWEST * (value - before);
}
