/**
 * What follows from evaluations on held-out data: when one is due, which is the best so far, and when there is nothing more
 * to gain. Pure, over the run's events, so that a run which was interrupted decides as one that was not.
 */
import type { BestStep, EarlyStop, KeepRule, Policy, RunEvent } from "../format/run";
import { rulesOf } from "./keep";

/** The metrics of the state at a step. */
export interface Evaluation {
  readonly step: number;
  readonly metrics: Readonly<Record<string, number>>;
}

/** What is to be low, or high. */
export type Goal = Pick<EarlyStop, "metric" | "mode">;

/** Those up to a step, in the order of their steps; of two of one step, the later one. */
export function evaluationsOf(events: readonly RunEvent[], upTo = Infinity): Evaluation[] {
  const made = events.flatMap((event) => (event.kind === "evaluated" && event.step <= upTo ? [event] : []));
  const byStep = new Map(made.toSorted((a, b) => a.seq - b.seq).map((event) => [event.step, event]));
  return [...byStep.values()].sort((a, b) => a.step - b.step);
}

/** Is the state at `step` to be evaluated, where the last one that was is that at `last`? */
export function evaluationDue({ evaluate }: Policy, step: number, last: number): boolean {
  return evaluate !== undefined && step > last && step % evaluate === 0;
}

/** The best value of a metric; of equally good ones the earlier. Null where none has it. */
export function bestOf({ metric, mode }: Goal, evaluations: readonly Evaluation[]): BestStep | null {
  let best: BestStep | null = null;
  for (const { step, metrics } of evaluations) {
    const value = metrics[metric];
    if (value === undefined) continue;
    const isBetter = best === null || (mode === "min" ? value < best.value : value > best.value);
    if (isBetter) best = { metric, step, value };
  }
  return best;
}

/** What a policy holds for good: what it stops early by, else what it keeps the best of, else a low held-out loss. */
export function goalOf({ keep = [], stop }: Policy): Goal {
  const { metric, mode } = stop ??
    keep.find((rule) => rule.kind === "best") ?? { metric: "val_loss", mode: "min" };
  return { metric, mode };
}

/** Is the newest evaluation among the best that the policy keeps? Then its state is to be saved. */
export function improves(policy: Policy, evaluations: readonly Evaluation[]): boolean {
  return improvedBy(policy, evaluations).length > 0;
}

/** The metrics by which it is. */
export function improvedBy(policy: Policy, evaluations: readonly Evaluation[]): readonly string[] {
  const found = rulesOf(policy).flatMap((rule) =>
    rule.kind === "best" && isAmongBest(rule, evaluations) ? [rule.metric] : [],
  );
  return [...new Set(found)];
}

function isAmongBest(
  { metric, mode, count }: Extract<KeepRule, { readonly kind: "best" }>,
  evaluations: readonly Evaluation[],
): boolean {
  const newest = evaluations.at(-1)?.metrics[metric];
  if (newest === undefined) return false;
  const asGood = evaluations.slice(0, -1).filter(({ metrics }) => {
    const value = metrics[metric];
    return value !== undefined && (mode === "min" ? value <= newest : value >= newest);
  });
  return asGood.length < count;
}

/**
 * The step to go back to, where the evaluations after the best one have used up the patience; null where they have not.
 * `stoppedAt`: the step that the run was stopped early at last, or 0: where it goes on it is given its patience anew.
 */
export function stopsEarly(
  rule: EarlyStop,
  evaluations: readonly Evaluation[],
  stoppedAt: number,
): BestStep | null {
  const best = bestOf(rule, evaluations);
  if (best === null) return null;
  const since = Math.max(best.step, stoppedAt);
  const without = evaluations.filter(
    ({ step, metrics }) => step > since && metrics[rule.metric] !== undefined,
  );
  return without.length >= rule.patience ? best : null;
}

/** Where the run was stopped early last; 0 where it never was. */
export function stoppedEarlyAt(events: readonly RunEvent[]): number {
  return events.findLast((event) => event.kind === "stopped" && event.best !== undefined)?.step ?? 0;
}

/** What is wrong with the rules, one sentence each. */
export function evaluationProblems({ evaluate, stop, spike }: Policy): readonly string[] {
  const problems: string[] = [];
  if (evaluate !== undefined && !isCount(evaluate))
    problems.push(`The steps between two evaluations are ${evaluate}; they must be a whole number above 0.`);
  if (stop !== undefined && !isCount(stop.patience))
    problems.push(`The patience is ${stop.patience}; it must be a whole number of evaluations above 0.`);
  if (stop !== undefined && evaluate === undefined)
    problems.push("Stopping early needs evaluations: say after how many steps to evaluate as well.");
  if (spike !== undefined && !(spike > 1 && Number.isFinite(spike)))
    problems.push(`The factor of a loss spike is ${spike}; it must be above 1.`);
  return problems;
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 1;
}
