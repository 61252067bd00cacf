import { expect, test } from "vitest";
import type { RunInfo } from "../../src/worker/protocol";
import { filtered } from "../../src/ui/run-filter";

function run(name: string, more: Partial<RunInfo> = {}): RunInfo {
  const counts = { step: 0, steps: 1, loss: null, sparkline: [], bytes: 0, created: 0, saved: null };
  return {
    id: name,
    name,
    task: "spirals",
    status: "paused",
    checkpoints: 0,
    parent: null,
    tags: [],
    stepTags: [],
    ...counts,
    ...more,
  };
}

const RUNS = [
  run("Rings", { tags: ["paper", "keep"] }),
  run("Sonnets", { task: "text", status: "running" }),
  run("Rings again", { status: "finished", stepTags: ["plateau"] }),
];

test.each([
  ["", ["Rings", "Sonnets", "Rings again"]],
  ["rings", ["Rings", "Rings again"]],
  ["RINGS finished", ["Rings again"]],
  ["training", ["Sonnets"]],
  ["text", ["Sonnets"]],
  ["paper", ["Rings"]],
  ["paper text", []],
  ["plateau", ["Rings again"]],
] as const)("%o finds %o", (wanted, names) => {
  expect(filtered(RUNS, wanted).map(({ name }) => name)).toEqual(names);
});
