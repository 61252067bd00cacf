import { expect, suite, test } from "vitest";
import { atRiskWords, healthCsv, phasesOf, spreadOf, tiersOf } from "../../src/ui/health-figures";
import { healthOf, runHealth } from "../support/fake-data";

suite("how long saves took", () => {
  test("half and 95 in a hundred, by nearest rank", () => {
    expect(spreadOf([])).toEqual({ p50: null, p95: null });
    expect(spreadOf([7])).toEqual({ p50: 7, p95: 7 });
    expect(spreadOf(Array.from({ length: 100 }, (_, i) => 100 - i))).toEqual({ p50: 50, p95: 95 });
  });

  test("phase by phase", () => {
    const phases = phasesOf(runHealth().checkpoints);
    expect(phases.at(-1)).toEqual({ name: "Training waited for it", p50: 0.3, p95: 0.3 });
    expect(phases[1]?.p50).toBe(11);
    expect(phases[0]).toEqual({ name: "A save, beside training", p50: 61, p95: 61 });
  });
});

suite("space and risk", () => {
  test("bytes stand by what checkpoints are worth", () => {
    const run = runHealth();
    const tiers = tiersOf(run);
    expect([tiers.archive.count, tiers.milestone.count, tiers.recent.count]).toEqual([1, 0, 2]);
    expect(tiers.recent.bytes).toBe(run.checkpoints[1]!.storedBytes + run.checkpoints[2]!.storedBytes);
  });

  test("a power cut means nothing to a run at rest, and steps that are computed again to one that trains", () => {
    expect(atRiskWords(runHealth())).toBeNull();
    expect(atRiskWords(runHealth({ status: "running" }))).toMatch(/from step 20 and computes 5 steps again/);
    expect(atRiskWords(runHealth({ status: "running", step: 20 }))).toMatch(/from step 20\.$/);
  });
});

suite("the file of numbers", () => {
  test("a line to a checkpoint, with cells quoted where they must be", () => {
    const [head, first, ...rest] = healthCsv(healthOf(runHealth({ name: 'My "run", again' }))).split("\r\n");
    expect(head?.split(",").slice(0, 4)).toEqual(["run", "name", "step", "time"]);
    expect(first).toContain('r1,"My ""run"", again",0,1970-01-01T00:00:00.000Z,policy,archive,verified,');
    expect(rest).toHaveLength(3);
  });

  test("a name that a spreadsheet would compute is text", () => {
    expect(healthCsv(healthOf(runHealth({ name: "=1+2" })))).toContain("r1,'=1+2,0,");
  });
});
