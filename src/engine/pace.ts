/** How long a step and a save take, as a running mean: what the policy needs to choose how often to save. */
import type { JournalRows } from "../format/run";
import type { Measured } from "../policy/interval";

/** Weight of the newest stretch of steps, or save. */
const NEWEST = 0.25;

export class Pace {
  #stepMs: number | null = null;
  #saveMs: number | null = null;
  #compiling = true;

  /** Training begins: its first stretch compiles shaders, and says nothing about those that follow. */
  begin(): void {
    this.#compiling = true;
  }

  steps({ ms }: JournalRows): void {
    if (ms.length === 0) return;
    if (!this.#compiling)
      this.#stepMs = mean(this.#stepMs, ms.reduce((sum, value) => sum + value, 0) / ms.length);
    this.#compiling = false;
  }

  /** `ms`: what the save took from training at worst. */
  saved(ms: number): void {
    this.#saveMs = mean(this.#saveMs, ms);
  }

  get measured(): Measured {
    return { stepMs: this.#stepMs, saveMs: this.#saveMs };
  }
}

function mean(before: number | null, value: number): number {
  return before === null ? value : before + NEWEST * (value - before);
}
