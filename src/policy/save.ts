/** When to save, as a pure decision over plain data: time and position come in as arguments. */
import type { SaveRule } from "../format/run";
import { autoInterval, type Measured } from "./interval";

/** Where a run stands. */
export interface Moment {
  readonly step: number;
  /** Samples drawn so far. */
  readonly samples: number;
  readonly samplesPerEpoch: number;
  /** Milliseconds of any clock that never goes back; only differences count. */
  readonly timeMs: number;
}

/** Is a save due at `moment`, with the last one at `last`? Never twice for one step. */
export function shouldSave(rule: SaveRule, moment: Moment, last: Moment, measured: Measured): boolean {
  if (moment.step <= last.step) return false;
  switch (rule.kind) {
    case "never":
      return false;
    case "steps":
      // Multiples of `every`, not `every` after the last one: a save on pause does not shift the others, so a resumed
      // run and an undisturbed one save at the same steps. The division catches a multiple that was passed by.
      return crossed(last.step, moment.step, rule.every);
    case "seconds":
      return moment.timeMs - last.timeMs >= rule.every * 1000;
    case "epochs":
      return crossed(last.samples, moment.samples, rule.every * moment.samplesPerEpoch);
    case "auto": {
      const interval = autoInterval(rule, measured);
      return interval !== null && moment.step - last.step >= interval.steps;
    }
    default:
      return rule satisfies never;
  }
}

/**
 * The rule in words, as in "every 100 steps".
 *
 * @example
 * describeRule({ kind: "seconds", every: 30 }); // "every 30 seconds"
 */
export function describeRule(rule: SaveRule): string {
  switch (rule.kind) {
    case "never":
      return "never";
    case "steps":
      return every(rule.every, "step");
    case "seconds":
      return every(rule.every, "second");
    case "epochs":
      return every(rule.every, "epoch");
    case "auto":
      return `often enough that going back to any step takes ${rule.returnSeconds} s at most`;
    default:
      return rule satisfies never;
  }
}

function crossed(before: number, now: number, spacing: number): boolean {
  return Math.floor(now / spacing) > Math.floor(before / spacing);
}

function every(count: number, unit: string): string {
  return count === 1 ? `every ${unit}` : `every ${count.toLocaleString("en")} ${unit}s`;
}
