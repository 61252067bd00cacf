import { expect, test } from "vitest";
import { flipsOf } from "../../src/ui/flips";
import type { Answers } from "../../src/worker/protocol";

const classes = ["cat", "dog", "owl"];
const examples = ["first", "second", "third", "fourth"];

function answers(given: readonly number[], right: readonly number[] = [0, 1, 2, 0]): Answers {
  return { classes, examples, right: Int32Array.from(right), given: Int32Array.from(given) };
}

test("only what changed is listed, with what became of it", () => {
  const flips = flipsOf(answers([0, 0, 2, 1]), answers([0, 1, 0, 2]));
  expect(flips).toEqual([
    { example: "second", right: "dog", from: "cat", to: "dog", became: "better" },
    { example: "third", right: "owl", from: "owl", to: "cat", became: "worse" },
    { example: "fourth", right: "cat", from: "dog", to: "owl", became: "other" },
  ]);
});

test("nothing is told of states that were asked about other examples", () => {
  expect(flipsOf(answers([0, 0, 0, 0]), answers([0, 0, 0, 0], [0, 1, 2, 1]))).toBeNull();
  expect(flipsOf(answers([0]), { ...answers([0]), examples: ["first"] })).toBeNull();
  expect(flipsOf(answers([0, 0, 0, 0]), answers([0, 0, 0, 0]))).toEqual([]);
});
