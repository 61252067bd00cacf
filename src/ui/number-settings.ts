/** Settings that are numbers, as a form changes them. */
import { goalOf } from "../policy/evaluation";
import { CLIP_NORM, EVALUATE, LEARNING_RATE, PATIENCE, SPIKE } from "../tasks/training-fields";
import type { Field, Policy } from "../worker/protocol";

/** A setting, and what is in force. */
export interface Setting {
  readonly field: Field;
  readonly value: number;
}

/** Rate and clipping. */
export function rateSettings({
  learningRate,
  clipNorm,
}: {
  readonly learningRate: number;
  readonly clipNorm: number;
}): readonly Setting[] {
  return [
    { field: LEARNING_RATE, value: learningRate },
    { field: CLIP_NORM, value: clipNorm },
  ];
}

/** How many steps to offer where more are asked for: about as many again, as a round number. */
export function offeredSteps(steps: number, firstStep: number): number {
  return Number(Math.max(1, steps - firstStep).toPrecision(1));
}

/** What a policy watches while it trains; 0 where it does not. */
export function watchSettings({ evaluate = 0, stop, spike = 0 }: Policy): readonly Setting[] {
  return [
    { field: EVALUATE, value: evaluate },
    { field: PATIENCE, value: stop?.patience ?? 0 },
    { field: SPIKE, value: spike },
  ];
}

/** The policy with settings of those names. */
export function withWatch(policy: Policy, changes: Readonly<Record<string, number>>): Policy {
  const { evaluate, stop, spike, ...rest } = policy;
  const every = changes[EVALUATE.name] ?? evaluate ?? 0;
  const patience = changes[PATIENCE.name] ?? stop?.patience ?? 0;
  const factor = changes[SPIKE.name] ?? spike ?? 0;
  return {
    ...rest,
    ...(every === 0 ? {} : { evaluate: every }),
    ...(patience === 0 ? {} : { stop: { ...goalOf(policy), patience } }),
    ...(factor === 0 ? {} : { spike: factor }),
  };
}
