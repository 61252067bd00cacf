/** Metrics of evaluations as lines of a chart: which there are, and which belong over each other. */
import type { Evaluation } from "../policy/evaluation";
import { pointsAt } from "./loss-series";

/** Of the steps themselves, and not of evaluations alone. */
export const LOSS = "loss";

/** `val_accuracy` and `train_accuracy` are both the accuracy. */
export function familyOf(metric: string): string {
  return metric.replace(/^(val|train)_/, "");
}

/** Every metric that was evaluated, by name. */
export function metricNames(evaluations: readonly Evaluation[]): readonly string[] {
  return [...new Set(evaluations.flatMap(({ metrics }) => Object.keys(metrics)))].sort();
}

/** What a run's chart can show: the loss, and what else was evaluated, in training or on held-out data. */
export function families(evaluations: readonly Evaluation[]): readonly string[] {
  return [...new Set([LOSS, ...metricNames(evaluations).map(familyOf)])];
}

/** A family's metrics at the steps of the evaluations between two steps; null where there is nothing to draw. */
export interface FamilyView {
  readonly x: readonly number[];
  readonly train: readonly (number | null)[];
  readonly heldOut: readonly (number | null)[];
}

/** `positive` leaves out what a log scale cannot show. */
export function familyView(
  evaluations: readonly Evaluation[],
  family: string,
  from: number,
  to: number,
  positive: boolean,
): FamilyView {
  const shown = evaluations.filter(({ step }) => step >= from && step <= to);
  const x = shown.map(({ step }) => step);
  return {
    x,
    train: pointsAt(x, shown, `train_${family}`, positive),
    heldOut: pointsAt(x, shown, `val_${family}`, positive),
  };
}

/** A family's metrics as they were evaluated last, at or before a step; null where they never were. */
export function familyAt(
  evaluations: readonly Evaluation[],
  family: string,
  step: number,
): { readonly step: number; readonly metrics: readonly (readonly [name: string, value: number])[] } | null {
  const of = (metrics: Evaluation["metrics"]) =>
    Object.entries(metrics).filter(([name]) => familyOf(name) === family);
  const found = evaluations.findLast((one) => one.step <= step && of(one.metrics).length > 0);
  return found === undefined ? null : { step: found.step, metrics: of(found.metrics) };
}
