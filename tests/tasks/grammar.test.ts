import { expect, test } from "vitest";
import { sentences } from "../../src/tasks/grammar";

function textOf(characters: number, seed: number): string {
  return new TextDecoder().decode(sentences(characters, seed));
}

test("the same seed gives the same text, another seed another one, seed 0 included", () => {
  expect(textOf(3000, 5)).toBe(textOf(3000, 5));
  expect(textOf(3000, 6)).not.toBe(textOf(3000, 5));
  expect(textOf(3000, 0)).not.toBe(textOf(3000, 1));
});

test("a longer text begins as the shorter one", () => {
  expect(textOf(6000, 5).startsWith(textOf(3000, 5))).toBe(true);
});

test("the text is as long as asked for, by less than a paragraph, and leaves no pattern unfilled", () => {
  const text = textOf(80000, 1);
  expect(text.length).toBeGreaterThanOrEqual(80000);
  expect(text.length).toBeLessThan(81500);
  expect(text).not.toMatch(/[{}]|undefined| {2}/);
  for (const paragraph of text.trimEnd().split("\n")) expect(paragraph).toMatch(/^[“A-Z].*\.$/);
});

test("the first sentences of seed 1 stay what they are: another text would be other data", () => {
  expect(textOf(100, 1).slice(0, 72)).toBe(
    "After the storm, Edmund and Fiona wandered behind the market and hid eve",
  );
});
