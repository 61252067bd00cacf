/**
 * How often to save, from what was measured: as seldom as a return to any step stays within its target, unless saving
 * that often would take more of the time than it may. The bound on the overhead is that of CheckFreq (Mohan et al., FAST
 * 2021): cost of a save / (budget × time of a step), in steps.
 */
import type { SaveRule } from "../format/run";

export type AutoRule = Extract<SaveRule, { readonly kind: "auto" }>;

/** What was measured, milliseconds; null before it was. */
export interface Measured {
  /** Of a step, without saving. */
  readonly stepMs: number | null;
  /** Of a save: whatever it takes from training at worst, on a machine with one core. */
  readonly saveMs: number | null;
}

export interface Interval {
  readonly steps: number;
  /** What decided: the time of a return, or the price of saving. */
  readonly by: "return" | "overhead";
  /** Seconds that the longest return takes at that. */
  readonly returnSeconds: number;
  /** Share of the time that saving takes at that, 0 … 1; null while no save was measured. */
  readonly overhead: number | null;
}

/** Null while nothing is known of a step. */
export function autoInterval(rule: AutoRule, { stepMs, saveMs }: Measured): Interval | null {
  if (stepMs === null || !(stepMs > 0)) return null;
  const forReturn = Math.max(1, Math.floor((rule.returnSeconds * 1000) / stepMs));
  const forOverhead = saveMs === null ? 1 : Math.ceil(saveMs / (rule.overhead * stepMs));
  const steps = Math.max(forReturn, forOverhead);
  return {
    steps,
    by: forOverhead > forReturn ? "overhead" : "return",
    returnSeconds: (steps * stepMs) / 1000,
    overhead: saveMs === null ? null : saveMs / (steps * stepMs),
  };
}

/** The interval and its reason, in words. */
export function describeInterval(interval: Interval, rule: AutoRule): string {
  const { steps, by, returnSeconds, overhead } = interval;
  const often = steps === 1 ? "every step" : `every ${steps.toLocaleString("en")} steps`;
  const price = overhead === null ? "" : `; saving takes ${percent(overhead)} of the time`;
  if (by === "return") return `${often}, so that going back takes ${seconds(returnSeconds)} at most${price}`;
  return `${often}, so that saving takes ${percent(rule.overhead)} of the time at most; going back then takes up to ${seconds(returnSeconds)}`;
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(2))} %`;
}

function seconds(value: number): string {
  return `${Number(value.toPrecision(2))} s`;
}
