/** Of all that happens to a run, what is told to somebody who looks elsewhere. */
import { expect, suite, test } from "vitest";
import type { RunEventBody } from "../../src/format/run";
import { toldOf } from "../../src/ui/told-outside";
import type { HoldfastEvent } from "../../src/worker/api";
import type { Drill } from "../../src/worker/protocol";

function happened(body: RunEventBody): HoldfastEvent {
  return { kind: "event", run: "r1", event: { seq: 3, step: 1200, time: 0, ...body } };
}

function rehearsed(failure: string | null): HoldfastEvent {
  const drill = { step: 40, from: 40, to: 60, proof: "digest", failure, time: 0, ms: 1 } as Drill;
  return { kind: "rehearsed", run: "r1", drill };
}

const best = { metric: "val_loss", step: 900, value: 0.5 } as const;

suite("somebody who looks elsewhere", () => {
  test.each<[string, HoldfastEvent, "end" | "trouble", RegExp]>([
    ["its end", happened({ kind: "finished" }), "end", /^Finished at step 1,200\.$/],
    ["an early stop", happened({ kind: "stopped", best }), "end", /Stopped early.*best at step 900/],
    [
      "a jump of the loss",
      happened({ kind: "paused", why: "spike", spike: { step: 1199, loss: 9, usual: 0.5 } }),
      "trouble",
      /step 1,199 was 9\.000, where 0\.5000 was usual/,
    ],
    [
      "a loss that is no number",
      happened({ kind: "trouble", code: "bad-numbers", message: "The loss of step 7 is NaN." }),
      "trouble",
      /is NaN/,
    ],
    [
      "a save that failed",
      { kind: "save-failed", run: "r1", what: "checkpoint", step: 40, code: "quota", message: "Full." },
      "trouble",
      /step 40 was not saved: Full/,
    ],
    ["a rehearsal that failed", rehearsed("Other losses."), "trouble", /Other losses/],
    [
      "a run that was given up",
      { kind: "notice", level: "error", run: "r1", message: "It rests now." },
      "trouble",
      /rests now/,
    ],
  ])("is told of %s", (_what, event, kind, words) => {
    expect(toldOf(event)).toEqual({ kind, run: "r1", words: expect.stringMatching(words) as string });
  });

  test.each<[string, HoldfastEvent]>([
    ["a pause that was asked for", happened({ kind: "paused", why: "asked" })],
    ["a stop that was asked for", happened({ kind: "stopped" })],
    ["an evaluation", happened({ kind: "evaluated", metrics: {} })],
    ["a rehearsal that went well", rehearsed(null)],
    [
      "a save in a run that another tab took over",
      { kind: "save-failed", run: "r1", what: "losses", step: 40, code: "fenced", message: "Lost." },
    ],
    [
      "a GPU that was lost, which is mended",
      { kind: "trouble", run: "r1", code: "device-lost", message: "Lost.", step: 4 },
    ],
    ["a warning", { kind: "notice", level: "warning", run: "r1", message: "It goes on." }],
    ["a notice of no run", { kind: "notice", level: "error", run: null, message: "Storage is slow." }],
    ["a status", { kind: "status", run: "r1", status: "finished" }],
  ])("is not told of %s", (_what, event) => {
    expect(toldOf(event)).toBeNull();
  });
});
