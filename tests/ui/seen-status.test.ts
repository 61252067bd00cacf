import { expect, test } from "vitest";
import { isResuming, seenFromHere } from "../../src/ui/seen-status";
import type { Phase } from "../../src/worker/protocol";
import { LiveRuns } from "../../src/worker/live";

/** What is known of a run after it was told to be at `kind`, by this page or by another one. */
function after(kind: Exclude<Phase["kind"], "loading" | "replaying">, here: boolean) {
  return at({ kind }, here);
}

function at(phase: Phase, here: boolean) {
  const live = new LiveRuns();
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

test("it is resuming until it has caught up, whether its status was read before this page held it or after", () => {
  const phases: readonly Phase[] = [
    { kind: "restoring" },
    { kind: "loading", what: "the task and its data" },
    { kind: "replaying", done: 1, total: 5 },
  ];
  for (const phase of phases)
    for (const status of ["interrupted", "running"] as const) {
      expect(isResuming(status, at(phase, true)), `${status}, ${phase.kind}`).toBe(true);
      expect(isResuming(status, at(phase, false)), `${status}, ${phase.kind}, elsewhere`).toBe(false);
    }
  for (const kind of ["idle", "compiling", "training"] as const)
    expect(isResuming("running", after(kind, true)), kind).toBe(false);
});

test("what another page trains is elsewhere", () => {
  expect(seenFromHere("running", after("training", false))).toBe("elsewhere");
  expect(seenFromHere("running", after("training", true))).toBe("running");
  expect(seenFromHere("running", null)).toBe("running");
});
