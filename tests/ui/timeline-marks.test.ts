import { expect, suite, test } from "vitest";
import {
  isTelling,
  nearest,
  placeOf,
  visibleMarks,
  visibleRings,
  type TimelineMark,
} from "../../src/ui/timeline-marks";
import { marksPath } from "../../src/ui/timeline-shapes";
import type { CheckpointInfo, RunEvent, SaveReason } from "../../src/worker/protocol";
import { checkpointOf } from "../support/fake-data";

const AXIS = { left: 50, width: 100, min: 0, max: 1000 };

function saves(...all: readonly (readonly [number, SaveReason])[]): readonly CheckpointInfo[] {
  return all.map(([step, reason]) => checkpointOf("r", "spirals", step, 0, reason));
}

function steps(marks: readonly TimelineMark[]): readonly number[] {
  return marks.map(({ item }) => item.step);
}

suite("timeline", () => {
  test("a mark stands under its step on the chart", () => {
    expect([0, 500, 1000].map((step) => placeOf(AXIS, step))).toEqual([50, 100, 150]);
    expect(placeOf({ ...AXIS, max: 0 }, 0)).toBe(50);
  });

  test("only what is in view is drawn", () => {
    expect(
      steps(
        visibleMarks(
          { ...AXIS, min: 100, max: 400 },
          saves([0, "start"], [200, "policy"], [900, "end"]),
          null,
        ),
      ),
    ).toEqual([200]);
  });

  test("of routine marks that would overlap the earlier stays, so that the line stands still", () => {
    const crowd = saves([100, "policy"], [110, "policy"], [120, "policy"], [300, "policy"]);
    const marks = visibleMarks(AXIS, crowd, null);
    expect(steps(marks)).toEqual([100, 300]);
    expect(marks.map(({ more }) => more)).toEqual([2, 0]);
  });

  test("a save with a reason goes before a routine one, the newest before it, the selected before all", () => {
    const crowd = saves([100, "policy"], [110, "pause"], [120, "policy"], [300, "policy"], [310, "policy"]);
    expect(steps(visibleMarks(AXIS, crowd, null))).toEqual([110, 310]);
    expect(steps(visibleMarks(AXIS, crowd, 120))).toEqual([120, 310]);
    expect(steps(visibleMarks(AXIS, crowd, 300))).toEqual([110, 300]);
  });

  test("of those that were among the best in their time only the best is more than a routine one", () => {
    const crowd = saves(
      [100, "improved"],
      [105, "pause"],
      [300, "improved"],
      [450, "improved"],
      [900, "end"],
    );
    expect(crowd.map((one) => isTelling(one, 300))).toEqual([false, true, true, false, true]);
    expect(steps(visibleMarks(AXIS, crowd, null, 300))).toEqual([105, 300, 450, 900]);
    expect(steps(visibleMarks(AXIS, crowd, null, 100))).toEqual([100, 300, 450, 900]);
    // As good as any, where it was saved by the clock.
    expect(isTelling(saves([200, "policy"])[0]!, 200)).toBe(true);
  });

  test("ten thousand checkpoints become at most as many marks as fit", () => {
    const many = saves(...Array.from({ length: 10_000 }, (_, at) => [at / 10, "policy"] as const));
    const marks = visibleMarks(AXIS, many, null);
    expect(marks.length).toBeLessThanOrEqual(Math.ceil(AXIS.width / 9) + 1);
    expect(marks.length).toBeGreaterThan(5);
  });

  test("rings that would overlap become one, and trouble is the one that stays", () => {
    const event = (step: number, kind: RunEvent["kind"]) => ({ step, kind }) as RunEvent;
    const rings = visibleRings(AXIS, [
      event(500, "forked"),
      event(0, "started"),
      event(20, "trouble"),
      event(130, "resumed"),
      event(510, "evaluated"),
    ]);
    expect(rings.map(({ item, more }) => [item.step, item.kind, more])).toEqual([
      [20, "trouble", 1],
      [130, "resumed", 0],
      [500, "forked", 0],
    ]);
  });

  test("a pointer finds the nearest mark within a finger's reach, and none beyond", () => {
    const marks = visibleMarks(AXIS, saves([0, "start"], [200, "policy"], [900, "end"]), null);
    const found = [38, 37, 59, 61, 138, 153].map((at) => nearest(marks, at)?.item.step);
    expect(found).toEqual([0, undefined, 0, 200, 900, undefined]);
  });

  test("one path draws all marks of a shape", () => {
    expect(marksPath("bar", [{ at: 10.4 }, { at: 50 }], 34)).toBe("M9 26.5h3v15h-3zM49 26.5h3v15h-3z");
    expect(marksPath("dot", [], 34)).toBe("");
  });
});
