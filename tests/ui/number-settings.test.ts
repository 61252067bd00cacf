import { expect, test } from "vitest";
import type { Policy } from "../../src/format/run";
import { offeredSteps, watchSettings, withWatch } from "../../src/ui/number-settings";

const PLAIN: Policy = { save: { kind: "never" }, draw: false };

test("what a policy watches goes into a form and comes back", () => {
  const best = { kind: "best", metric: "val_accuracy", mode: "max", count: 1 } as const;
  const watched = withWatch({ ...PLAIN, keep: [best] }, { evaluate: 5, patience: 3, spike: 4 });
  expect(watched).toEqual({
    ...PLAIN,
    keep: [best],
    evaluate: 5,
    stop: { metric: "val_accuracy", mode: "max", patience: 3 },
    spike: 4,
  });
  expect(watchSettings(watched).map(({ value }) => value)).toEqual([5, 3, 4]);
  expect(withWatch(watched, { patience: 7 })).toEqual({
    ...watched,
    stop: { ...watched.stop, patience: 7 },
  });
});

test("0 turns each of them off", () => {
  const watched = withWatch(PLAIN, { evaluate: 5, patience: 3, spike: 4 });
  expect(withWatch(watched, { evaluate: 0, patience: 0, spike: 0 })).toEqual(PLAIN);
  expect(watchSettings(PLAIN).map(({ value }) => value)).toEqual([0, 0, 0]);
});

test.each([
  [2000, 0, 2000],
  [2000, 37, 2000],
  [1131, 900, 200],
  [40, 40, 1],
])("a run of %i steps from %i on is offered %i more", (steps, firstStep, more) => {
  expect(offeredSteps(steps, firstStep)).toBe(more);
});
