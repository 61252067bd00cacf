import { expect, suite, test } from "vitest";
import type { SaveRule } from "../../src/format/run";
import type { Measured } from "../../src/policy/interval";
import { describeRule, shouldSave, type Moment } from "../../src/policy/save";

function moment(step: number, timeMs = 0): Moment {
  return { step, samples: step * 8, samplesPerEpoch: 32, timeMs };
}

const UNKNOWN: Measured = { stepMs: null, saveMs: null };

/** Steps of 1 … `steps` at which a run of one step per 100 ms saves. */
function savesOf(rule: SaveRule, steps: number, lastStep = 0, measured: Measured = UNKNOWN): number[] {
  const saves: number[] = [];
  let last = moment(lastStep, lastStep * 100);
  for (let step = lastStep + 1; step <= steps; step++) {
    const now = moment(step, step * 100);
    if (!shouldSave(rule, now, last, measured)) continue;
    saves.push(step);
    last = now;
  }
  return saves;
}

suite("when to save", () => {
  test.each<[string, SaveRule, number[]]>([
    ["never", { kind: "never" }, []],
    ["every 5 steps", { kind: "steps", every: 5 }, [5, 10, 15, 20]],
    ["every 0.7 s", { kind: "seconds", every: 0.7 }, [7, 14]],
    ["every epoch of 4 steps", { kind: "epochs", every: 1 }, [4, 8, 12, 16, 20]],
    ["every 2 epochs", { kind: "epochs", every: 2 }, [8, 16]],
  ])("%s", (_, rule, expected) => {
    expect(savesOf(rule, 20)).toEqual(expected);
  });

  test("a save out of turn does not shift the ones by steps", () => {
    expect(savesOf({ kind: "steps", every: 5 }, 20, 7)).toEqual([10, 15, 20]);
  });

  test("a multiple that was passed by is made up for", () => {
    expect(shouldSave({ kind: "steps", every: 5 }, moment(11), moment(4), UNKNOWN)).toBe(true);
    expect(shouldSave({ kind: "steps", every: 5 }, moment(9), moment(5), UNKNOWN)).toBe(false);
  });

  test("a step is never saved twice", () => {
    expect(shouldSave({ kind: "seconds", every: 1 }, moment(5, 9000), moment(5, 0), UNKNOWN)).toBe(false);
  });

  test("by itself: as seldom as a return allows, and not before a step was measured", () => {
    const rule: SaveRule = { kind: "auto", returnSeconds: 0.5, overhead: 0.02 };
    expect(savesOf(rule, 20)).toEqual([]);
    expect(savesOf(rule, 20, 0, { stepMs: 100, saveMs: null })).toEqual([5, 10, 15, 20]);
    expect(savesOf(rule, 20, 0, { stepMs: 100, saveMs: 16 })).toEqual([8, 16]);
  });

  test("rules read as words", () => {
    expect(describeRule({ kind: "steps", every: 1000 })).toBe("every 1,000 steps");
    expect(describeRule({ kind: "epochs", every: 1 })).toBe("every epoch");
    expect(describeRule({ kind: "seconds", every: 30 })).toBe("every 30 seconds");
    expect(describeRule({ kind: "never" })).toBe("never");
    expect(describeRule({ kind: "auto", returnSeconds: 5, overhead: 0.02 })).toBe(
      "often enough that going back to any step takes 5 s at most",
    );
  });
});
