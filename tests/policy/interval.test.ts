import { expect, suite, test } from "vitest";
import { autoInterval, describeInterval, type AutoRule, type Measured } from "../../src/policy/interval";

const RULE: AutoRule = { kind: "auto", returnSeconds: 5, overhead: 0.02 };

suite("how often to save", () => {
  test.each<[string, Measured, number | null, string]>([
    ["nothing is known", { stepMs: null, saveMs: 30 }, null, ""],
    [
      "before the first save",
      { stepMs: 50, saveMs: null },
      100,
      "every 100 steps, so that going back takes 5 s at most",
    ],
    [
      "saving is cheap",
      { stepMs: 50, saveMs: 30 },
      100,
      "every 100 steps, so that going back takes 5 s at most; saving takes 0.6 % of the time",
    ],
    [
      "saving is dear",
      { stepMs: 1, saveMs: 400 },
      20_000,
      "every 20,000 steps, so that saving takes 2 % of the time at most; going back then takes up to 20 s",
    ],
    [
      "a step takes longer than a return may",
      { stepMs: 8000, saveMs: 10 },
      1,
      "every step, so that going back takes 8 s at most; saving takes 0.13 % of the time",
    ],
  ])("%s", (_what, measured, steps, words) => {
    const interval = autoInterval(RULE, measured);
    expect(interval?.steps ?? null).toBe(steps);
    if (interval !== null) expect(describeInterval(interval, RULE)).toBe(words);
  });
});
