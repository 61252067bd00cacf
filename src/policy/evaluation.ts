/**
 * What follows from evaluations on held-out data: when one is due, which is the best so far, and when there is nothing more
 * to gain. Pure, over the run's events, so that a run which was interrupted decides as one that was not.
 */
import type { BestStep, EarlyStop, Policy, RunEvent } from "../format/run";
import { rulesOf } from "./keep";

/** The metrics of the state at a step. */
export interface Evaluation {
  readonly step: number;
  readonly metrics: Readonly<Record<string, number>>;
}

/** What is to be low, or high. */
export type Goal = Pick<EarlyStop, "metric" | "mode">;

/** Those up to a step, in the order of their steps. */
export function evaluationsOf(events: readonly RunEvent[], upTo = Infinity): Evaluation[] {
  return events
    .flatMap((event) => (event.kind === "evaluated" && event.step <= upTo ? [event] : []))
    .toSorted((a, b) => a.step - b.step || a.seq - b.seq);
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

/** Is the newest evaluation the best by something that the policy keeps the best of? Then its state is to be saved. */
export function improves(policy: Policy, evaluations: readonly Evaluation[]): boolean {
  const newest = evaluations.at(-1)?.step;
  return rulesOf(policy).some(
    (rule) => rule.kind === "best" && newest !== undefined && bestOf(rule, evaluations)?.step === newest,
  );
}

/**
 * The step to go back to, where at `step` the evaluations after the best one have used up the patience; null where they have
 * not. A run that goes on after it was stopped early is given its patience anew.
 */
export function stopsEarly(rule: EarlyStop, events: readonly RunEvent[], step: number): BestStep | null {
  const evaluations = evaluationsOf(events, step);
  const best = bestOf(rule, evaluations);
  if (best === null) return null;
  const stopped = events.findLast((event) => event.kind === "stopped" && event.best !== undefined);
  const since = Math.max(best.step, stopped?.step ?? 0);
  const without = evaluations.filter(
    ({ step: at, metrics }) => at > since && metrics[rule.metric] !== undefined,
  );
  return without.length >= rule.patience ? best : null;
}

/** What is wrong with the rules, one sentence each. */
export function evaluationProblems({ evaluate, stop, spike }: Policy): readonly string[] {
  const problems: string[] = [];
  if (evaluate !== undefined && !isCount(evaluate))
    problems.push(`The steps between two evaluations are ${evaluate}; they must be a whole number above 0.`);
  if (stop !== undefined && !isCount(stop.patience))
    problems.push(`The patience is ${stop.patience}; it must be a whole number of evaluations above 0.`);
  if (stop !== undefined && evaluate === undefined)
    problems.push("Stopping early needs evaluations: say with evaluate after how many steps.");
  if (spike !== undefined && !(spike > 1 && Number.isFinite(spike)))
    problems.push(`The factor of a loss spike is ${spike}; it must be above 1.`);
  return problems;
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 1;
}
