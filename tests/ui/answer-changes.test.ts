import { expect, suite, test } from "vitest";
import { answerChanges } from "../../src/ui/answer-changes";
import type { Answers } from "../../src/worker/protocol";

const examples = ["first", "second", "third", "fourth"];

function classes(given: readonly number[], right: readonly number[] = [0, 1, 2, 0]) {
  const names = ["cat", "dog", "owl"];
  const places = { right: Int32Array.from(right), given: Int32Array.from(given) };
  return { kind: "classes", classes: names, examples, ...places } as const;
}

function amounts(given: readonly number[], right: readonly number[] = [10, 20, 30, 40]) {
  const values = { right: Float64Array.from(right), given: Float64Array.from(given) };
  return { kind: "amounts", of: "grams", examples, ...values } as const;
}

suite("classes", () => {
  test("that changed are listed, with what became of them", () => {
    expect(answerChanges(classes([0, 0, 2, 1]), classes([0, 1, 0, 2]))).toEqual([
      { example: "second", right: "dog", from: "cat", to: "dog", became: "better" },
      { example: "third", right: "owl", from: "owl", to: "cat", became: "worse" },
      { example: "fourth", right: "cat", from: "dog", to: "owl", became: "other" },
    ]);
    expect(answerChanges(classes([0, 0, 0, 0]), classes([0, 0, 0, 0]))).toEqual([]);
  });
});

suite("amounts", () => {
  test("that moved are listed, those first that moved most; closer is better", () => {
    // By 1 away, by 5 closer, not at all, by 4 to the other side, as far off as before.
    expect(answerChanges(amounts([10, 26, 30, 42]), amounts([11, 21, 30, 38]))).toEqual([
      { example: "second", right: 20, from: 26, to: 21, became: "better" },
      { example: "fourth", right: 40, from: 42, to: 38, became: "other" },
      { example: "first", right: 10, from: 10, to: 11, became: "worse" },
    ]);
  });

  test("that are none any more moved most of all, and are worse", () => {
    const changes = answerChanges(amounts([10, 20, 0, 40]), amounts([Number.NaN, 1020, Infinity, 41]));
    expect(changes?.map(({ example, became }) => `${example} ${became}`)).toEqual([
      "first worse",
      "third worse",
      "second worse",
      "fourth worse",
    ]);
    const lost = amounts([Number.NaN, 20, 30, 40]);
    expect(answerChanges(lost, lost)).toEqual([]);
  });
});

suite("nothing is told of states that were asked about something else", () => {
  const known = amounts([1, 2, 3, 4]);
  test.each<[string, Answers, Answers]>([
    ["other right answers", classes([0, 0, 0, 0]), classes([0, 0, 0, 0], [0, 1, 2, 1])],
    ["fewer examples", classes([0]), { ...classes([0]), examples: ["first"] }],
    ["other examples", known, { ...known, examples: examples.toReversed() }],
    ["other classes", classes([0, 0, 0, 0]), { ...classes([0, 0, 0, 0]), classes: ["cat", "dog", "fox"] }],
    ["another column", known, { ...known, of: "pounds" }],
    ["classes and amounts", { ...classes([0, 1, 2, 0], [10, 20, 30, 40]) }, known],
  ])("%s", (_, a, b) => {
    expect(answerChanges(a, b)).toBeNull();
  });
});
