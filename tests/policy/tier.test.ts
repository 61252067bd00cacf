import { expect, test } from "vitest";
import { tierOf } from "../../src/policy/tier";

test.each([
  [[{ kind: "pinned" }], {}, "archive"],
  [[{ kind: "newest" }, { kind: "best", metric: "val_loss", mode: "min", count: 1 }], {}, "archive"],
  [[{ kind: "newest" }], { loss: 1, val_loss: 1 }, "milestone"],
  [[{ kind: "spaced", density: 4 }], { loss: 1 }, "recent"],
  [[], {}, "recent"],
] as const)("%j with metrics %j is %s", (why, metrics, tier) => {
  expect(tierOf(why, metrics)).toBe(tier);
});
