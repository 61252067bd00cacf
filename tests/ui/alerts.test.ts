import { expect, suite, test } from "vitest";
import type { StorageStatus } from "../../src/format/stored";
import { alertsOf } from "../../src/ui/alerts";
import { healthOf, runHealth } from "../support/fake-data";

const CALM: StorageStatus = {
  mode: "opfs",
  reason: "",
  usage: 10,
  quota: 100,
  persisted: true,
  thinned: 0,
  perRun: {},
  recovery: null,
  scrub: { finished: null, checkpoints: 0, damaged: [] },
};

suite("alerts", () => {
  test("there are none where nothing is wrong", () => {
    expect(alertsOf(CALM, healthOf(runHealth()), [], null)).toEqual([]);
    expect(alertsOf(null, null, [], null)).toEqual([]);
  });

  const [first, ...others] = runHealth().checkpoints;
  const failed = { time: 1, from: 0, to: 1, proof: "losses", failure: "Step 1 differs.", ms: 1 } as const;
  test.each<[string, readonly string[]]>([
    ["refused", alertsOf(CALM, null, ["refused"], null)],
    ["Nothing is stored", alertsOf({ ...CALM, mode: "memory", reason: "private." }, null, [], null)],
    ["nearly full", alertsOf({ ...CALM, usage: 91 }, null, [], null)],
    ["step 3", alertsOf({ ...CALM, scrub: { ...CALM.scrub, damaged: ["step 3"] } }, null, [], null)],
    [
      "step 0 is damaged",
      alertsOf(
        CALM,
        healthOf(runHealth({ checkpoints: [{ ...first!, check: "damaged" }, ...others] })),
        [],
        null,
      ),
    ],
    [
      "Step 1 differs.",
      alertsOf(CALM, healthOf(runHealth({ checkpoints: [{ ...first!, rehearsed: failed }] })), [], null),
    ],
    ["entry 2", alertsOf(CALM, { runs: [], audit: { entries: [], broken: ["entry 2"] } }, [], null)],
  ])("%s", (words, alerts) => {
    expect(alerts).toHaveLength(1);
    expect(alerts[0]).toContain(words);
  });
});
