import { expect, test } from "vitest";
import { LiveRuns } from "../../src/worker/live";

test("events of a run add up to what is known of it", () => {
  const live = new LiveRuns();
  live.apply({ kind: "phase", run: "ra", phase: { kind: "replaying", done: 2, total: 8 } }, true);
  live.apply(
    {
      kind: "progress",
      run: "ra",
      step: 12,
      steps: 40,
      stepsPerSecond: 20,
      rows: null,
      savesSkipped: 1,
      interval: null,
    },
    true,
  );
  live.apply({ kind: "saving", run: "ra", step: 12 }, true);
  expect(live.get("ra")).toMatchObject({ step: 12, steps: 40, stepsPerSecond: 20, saving: true, here: true });
  live.apply(
    { kind: "save-failed", what: "checkpoint", run: "ra", step: 12, code: "quota", message: "" },
    true,
  );
  live.apply({ kind: "status", run: "ra", status: "paused" }, true);
  expect(live.get("ra")).toMatchObject({ saving: false, stepsPerSecond: null, phase: { kind: "idle" } });
});

test("a run that another tab trains is not here", () => {
  const live = new LiveRuns();
  live.apply(
    {
      kind: "progress",
      run: "ra",
      step: 1,
      steps: 40,
      stepsPerSecond: null,
      rows: null,
      savesSkipped: 0,
      interval: null,
    },
    false,
  );
  expect(live.get("ra")?.here).toBe(false);
  expect(live.get("rb")).toBeNull();
});
