/** A part of what `npm run drill -- day` plays in full. */
import { afterEach, expect, suite, test, vi } from "vitest";
import { Sweep } from "../../src/checkpoint/sweep";
import { simulatedDay } from "../support/day";

const HOURS = 0.4;

afterEach(() => {
  vi.restoreAllMocks();
});

suite("hours of training", () => {
  test("stay within their budget, and no rule starves another", async () => {
    const day = await simulatedDay({ hours: HOURS, budget: 300_000, seed: 1 });
    expect(day.faults).toEqual([]);
    expect(day.saves).toBeGreaterThan(250);
    expect(day.mostBytes).toBeGreaterThan(200_000);
  }, 60_000);

  test("are spaced as the rules say where nothing is short", async () => {
    const day = await simulatedDay({ hours: HOURS, budget: null, seed: 2 });
    expect(day.faults).toEqual([]);
    expect(day.samples.at(-1)?.steps.length).toBeGreaterThan(100);
  }, 60_000);

  test("control: without the sweep the budget does not hold, and that is seen", async () => {
    vi.spyOn(Sweep.prototype, "run").mockResolvedValue();
    const { faults } = await simulatedDay({ hours: HOURS, budget: 300_000, seed: 1 });
    expect(faults.join()).toMatch(/bytes lie there, of 300000/);
  }, 60_000);
});
