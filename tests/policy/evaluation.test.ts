import { expect, suite, test } from "vitest";
import type { EarlyStop, Policy, RunEvent } from "../../src/format/run";
import {
  bestOf,
  evaluationDue,
  evaluationProblems,
  evaluationsOf,
  goalOf,
  improvedBy,
  improves,
  stoppedEarlyAt,
  stopsEarly,
} from "../../src/policy/evaluation";

const PLAIN: Policy = { save: { kind: "never" }, draw: false };
const STOP: EarlyStop = { metric: "val_loss", mode: "min", patience: 2 };
const BEST = { kind: "best", metric: "val_loss", mode: "min", count: 1 } as const;

/** Evaluations every 10 steps, with these held-out losses. */
function evaluated(...losses: readonly number[]): RunEvent[] {
  return losses.map((loss, index) => ({
    kind: "evaluated",
    seq: index,
    step: 10 * (index + 1),
    time: 0,
    metrics: { val_loss: loss },
  }));
}

function stopped(step: number): RunEvent {
  return { kind: "stopped", seq: 99, step, time: 0, best: { metric: "val_loss", step: 10, value: 1 } };
}

suite("when an evaluation is due", () => {
  test.each([
    [{ evaluate: 10 }, 10, 0, true],
    [{ evaluate: 10 }, 11, 0, false],
    [{ evaluate: 10 }, 10, 10, false],
    [{ evaluate: 10 }, 20, 10, true],
    [{}, 10, 0, false],
  ])("%o at step %i, the last one at %i: %s", (rules, step, last, due) => {
    expect(evaluationDue({ ...PLAIN, ...rules }, step, last)).toBe(due);
  });
});

suite("the best", () => {
  test("is the earlier of equally good ones, low or high", () => {
    const made = evaluationsOf(evaluated(3, 1, 2, 1));
    expect(bestOf({ metric: "val_loss", mode: "min" }, made)).toEqual({
      metric: "val_loss",
      step: 20,
      value: 1,
    });
    expect(bestOf({ metric: "val_loss", mode: "max" }, made)).toMatchObject({ step: 10, value: 3 });
    expect(bestOf({ metric: "val_accuracy", mode: "max" }, made)).toBeNull();
  });

  test("counts evaluations by their steps, in whichever order they were told", () => {
    expect(evaluationsOf(evaluated(3, 1, 2).toReversed()).map(({ step }) => step)).toEqual([10, 20, 30]);
    expect(evaluationsOf(evaluated(3, 1, 2), 20).map(({ step }) => step)).toEqual([10, 20]);
  });

  test("counts the later of two evaluations of one step: the first was of a course that was cut off", () => {
    const [first, second] = evaluated(3, 1);
    const again = { ...first!, seq: 9, metrics: { val_loss: 0 } } as RunEvent;
    const made = evaluationsOf([first!, second!, again]);
    expect(made.map(({ step, metrics }) => [step, metrics["val_loss"]])).toEqual([
      [10, 0],
      [20, 1],
    ]);
  });

  test("is among the best that a rule keeps several of", () => {
    const keep = [{ ...BEST, count: 2 }];
    for (const [losses, isKept] of [
      [[3, 1, 2], true],
      [[3, 1, 2, 2], false],
      [[3, 1, 2, 0], true],
    ] as const)
      expect(improves({ ...PLAIN, keep }, evaluationsOf(evaluated(...losses)))).toBe(isKept);
  });

  test("is saved where a rule keeps the best, or the run is stopped by it", () => {
    const better = evaluationsOf(evaluated(3, 1));
    const equal = evaluationsOf(evaluated(1, 1));
    for (const policy of [
      { ...PLAIN, keep: [BEST] },
      { ...PLAIN, keep: [], stop: STOP },
    ]) {
      expect(improves(policy, better)).toBe(true);
      expect(improves(policy, equal)).toBe(false);
    }
    expect(improves({ ...PLAIN, keep: [{ kind: "latest", count: 1 }] }, better)).toBe(false);
  });

  test("is told by its metrics, and by none where it is not", () => {
    const keep = [BEST, { ...BEST, metric: "val_accuracy", mode: "max" as const }];
    const policy = { ...PLAIN, keep, stop: STOP };
    const made = (accuracy: number, loss: number) => [
      { step: 10, metrics: { val_loss: 2, val_accuracy: 0.5 } },
      { step: 20, metrics: { val_loss: loss, val_accuracy: accuracy } },
    ];
    expect(improvedBy(policy, made(0.6, 1))).toEqual(["val_loss", "val_accuracy"]);
    expect(improvedBy(policy, made(0.6, 3))).toEqual(["val_accuracy"]);
    expect(improvedBy(policy, made(0.4, 3))).toEqual([]);
  });

  test("is what the policy goes by", () => {
    expect(goalOf(PLAIN)).toEqual({ metric: "val_loss", mode: "min" });
    expect(goalOf({ ...PLAIN, keep: [{ ...BEST, metric: "val_accuracy", mode: "max" }] })).toEqual({
      metric: "val_accuracy",
      mode: "max",
    });
    expect(goalOf({ ...PLAIN, keep: [BEST], stop: { ...STOP, metric: "other" } }).metric).toBe("other");
  });
});

suite("stopping early", () => {
  test.each([
    [[3, 2, 1], null],
    [[1, 2], null],
    [[1, 2, 3], 10],
    [[1, 1, 1], 10],
    [[2, 3, 1, 2], null],
    [[2, 3, 1, 2, 2], 30],
    [[], null],
  ])("after held-out losses %o with patience 2: %s", (losses, step) => {
    expect(stopsEarly(STOP, evaluationsOf(evaluated(...losses)), 0)?.step ?? null).toBe(step);
  });

  test("a run that goes on has its patience anew", () => {
    const made = evaluationsOf(evaluated(1, 2, 3, 3, 3));
    expect(stoppedEarlyAt(evaluated(1, 2, 3))).toBe(0);
    const at = stoppedEarlyAt([...evaluated(1, 2, 3), stopped(30)]);
    expect(at).toBe(30);
    expect(stopsEarly(STOP, made.slice(0, 3), 0)?.step).toBe(10);
    expect(stopsEarly(STOP, made.slice(0, 3), at)).toBeNull();
    expect(stopsEarly(STOP, made.slice(0, 4), at)).toBeNull();
    expect(stopsEarly(STOP, made, at)?.step).toBe(10);
  });

  test("says what is wrong with a rule", () => {
    expect(evaluationProblems({ ...PLAIN, evaluate: 5, stop: STOP, spike: 4 })).toEqual([]);
    expect(evaluationProblems({ ...PLAIN, stop: STOP })).toHaveLength(1);
    expect(evaluationProblems({ ...PLAIN, evaluate: 0.5 })).toHaveLength(1);
    expect(evaluationProblems({ ...PLAIN, evaluate: 5, stop: { ...STOP, patience: 0 } })).toHaveLength(1);
    expect(evaluationProblems({ ...PLAIN, spike: 1 })).toHaveLength(1);
    expect(evaluationProblems({ ...PLAIN, spike: Number.NaN })).toHaveLength(1);
  });
});
