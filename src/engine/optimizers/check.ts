import { HoldfastError } from "../../errors";
import type { OptimizerConfig, ScheduleConfig } from "../../format/run";

/** What a number must be: in words for the message, and as a test. */
interface Range {
  readonly words: string;
  includes(value: number): boolean;
}

const ANY_FROM_ZERO: Range = {
  words: "a number from 0 on",
  includes: (value) => value >= 0 && value < Infinity,
};
const ABOVE_ZERO: Range = { words: "a number above 0", includes: (value) => value > 0 && value < Infinity };
const SHARE: Range = { words: "a number from 0 to 1", includes: (value) => value >= 0 && value <= 1 };
const BELOW_ONE: Range = {
  words: "a number from 0 to below 1",
  includes: (value) => value >= 0 && value < 1,
};
const WHOLE: Range = {
  words: "a whole number from 0 on",
  includes: (value) => Number.isSafeInteger(value) && value >= 0,
};
const WHOLE_ABOVE_ZERO: Range = {
  words: "a whole number above 0",
  includes: (value) => Number.isSafeInteger(value) && value > 0,
};

const OPTIMIZER_RANGES: Readonly<Record<Exclude<keyof OptimizerConfig, "kind" | "schedule">, Range>> = {
  learningRate: ANY_FROM_ZERO,
  momentum: BELOW_ONE,
  beta1: BELOW_ONE,
  beta2: BELOW_ONE,
  decay: BELOW_ONE,
  epsilon: ABOVE_ZERO,
  weightDecay: ANY_FROM_ZERO,
  clipNorm: ANY_FROM_ZERO,
};

const SCHEDULE_RANGES: Readonly<Record<Exclude<keyof ScheduleConfig, "kind">, Range>> = {
  warmup: WHOLE,
  horizon: WHOLE,
  floor: SHARE,
  every: WHOLE_ABOVE_ZERO,
  factor: ANY_FROM_ZERO,
};

/** Fields that are out of range, in words; empty where all is well. Fields that the kind does not use count too. */
export function optimizerProblems(config: OptimizerConfig): string[] {
  return [
    ...problemsIn(config, OPTIMIZER_RANGES, "optimizer"),
    ...problemsIn(config.schedule, SCHEDULE_RANGES, "optimizer.schedule"),
  ];
}

/** Throws `invalid` with every problem. */
export function checkOptimizer(config: OptimizerConfig): void {
  const problems = optimizerProblems(config);
  if (problems.length > 0) throw new HoldfastError("invalid", problems.join(" "));
}

function problemsIn<Name extends string>(
  values: Readonly<Record<Name, number>>,
  ranges: Readonly<Record<Name, Range>>,
  path: string,
): string[] {
  const problems: string[] = [];
  for (const name in ranges) {
    const range = ranges[name];
    // What crossed from plain JavaScript may be null or text, which compares as a number.
    if (!Number.isFinite(values[name]) || !range.includes(values[name]))
      problems.push(`${path}.${name} is ${values[name]}; it must be ${range.words}.`);
  }
  return problems;
}
