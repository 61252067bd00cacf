import { expect, test } from "vitest";
import { NEWEST_KEPT, surplus } from "../../src/policy/keep";

function checkpoints(count: number, forkedAt: readonly number[] = [], damagedAt: readonly number[] = []) {
  return Array.from({ length: count }, (_, step) => ({
    step,
    forked: forkedAt.includes(step),
    info: { check: damagedAt.includes(step) ? ("damaged" as const) : ("verified" as const) },
  }));
}

function steps(list: readonly { readonly step: number }[]): number[] {
  return list.map(({ step }) => step);
}

test("the first, the newest and the parents of forks stay", () => {
  expect(steps(surplus(checkpoints(10, [2, 4]), 3))).toEqual([1, 3, 5, 6]);
});

test("nothing goes while there are no more than the newest and the first", () => {
  expect(surplus(checkpoints(NEWEST_KEPT + 1))).toEqual([]);
  expect(steps(surplus(checkpoints(NEWEST_KEPT + 2)))).toEqual([1]);
});

test("damaged ones push no whole one out, and do not pile up", () => {
  expect(steps(surplus(checkpoints(10, [], [5, 6, 7, 8, 9]), 3))).toEqual([1, 5, 6]);
});
