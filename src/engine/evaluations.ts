/**
 * The evaluations on held-out data of one run, as far as it has come, and what its policy makes of them. What is decided
 * depends on them alone, so a run that was interrupted decides as one that was not.
 */
import type { BestStep, Policy, RunEvent } from "../format/run";
import {
  evaluationDue,
  evaluationsOf,
  improves,
  stoppedEarlyAt,
  stopsEarly,
  type Evaluation,
} from "../policy/evaluation";

export class Evaluations {
  readonly #made: Evaluation[];
  /** The last state that was to be evaluated, whatever came of it. */
  #asked: number;

  /** Events after `step`, where the run stands, are of a course that was cut off: those states are evaluated again. */
  constructor(events: readonly RunEvent[], step: number, firstStep: number) {
    this.#made = evaluationsOf(events, step);
    this.#asked = this.#made.at(-1)?.step ?? firstStep;
  }

  /** Is the state of `step` to be evaluated now? Asked once for each. */
  ask(policy: Policy, step: number): boolean {
    if (!evaluationDue(policy, step, this.#asked)) return false;
    this.#asked = step;
    return true;
  }

  add(evaluation: Evaluation): void {
    this.#made.push(evaluation);
  }

  /** Metrics of the newest one, where that is of `step`. */
  at(step: number): Evaluation["metrics"] | undefined {
    const newest = this.#made.at(-1);
    return newest?.step === step ? newest.metrics : undefined;
  }

  /** Is the state of `step` among the best that the policy keeps? */
  isAmongBest(policy: Policy, step: number): boolean {
    return this.at(step) !== undefined && improves(policy, this.#made);
  }

  /** The step to go back to, where the policy stops the run; null where it goes on. */
  endOf({ stop }: Policy, events: readonly RunEvent[]): BestStep | null {
    return stop === undefined ? null : stopsEarly(stop, this.#made, stoppedEarlyAt(events));
  }
}
