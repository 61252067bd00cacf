import { expect, test } from "vitest";
import { isResuming, seenFromHere } from "../../src/ui/seen-status";
import type { Phase } from "../../src/worker/protocol";
import { LiveRuns } from "../../src/worker/live";

/** What is known of a run after it was told to be at `kind`, by this page or by another one. */
function after(kind: "idle" | "training" | "restoring", here: boolean) {
  const live = new LiveRuns();
  const phase: Phase = { kind };
  live.apply({ kind: "phase", run: "r", phase }, here);
  return live.get("r");
}

test("a run is resuming while this page brings it back, and not by what a tab said that is gone", () => {
  expect(isResuming("interrupted", after("restoring", true))).toBe(true);
  expect(isResuming("interrupted", after("restoring", false))).toBe(false);
  expect(isResuming("interrupted", after("training", false))).toBe(false);
  expect(isResuming("interrupted", after("training", true))).toBe(false);
  expect(isResuming("interrupted", after("idle", true))).toBe(false);
  expect(isResuming("interrupted", null)).toBe(false);
  expect(isResuming("paused", after("restoring", true))).toBe(false);
});

test("what another page trains is elsewhere", () => {
  expect(seenFromHere("running", after("training", false))).toBe("elsewhere");
  expect(seenFromHere("running", after("training", true))).toBe("running");
  expect(seenFromHere("running", null)).toBe("running");
});
