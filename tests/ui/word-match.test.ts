import { expect, suite, test } from "vitest";
import { mismatch } from "../../src/ui/word-match";

suite("mismatch", () => {
  test.each([
    ["", "Pause"],
    ["pau", "Pause"],
    ["LEARN ra", "Learning rate"],
    ["rate learn", "Learning rate"],
    ["1240", "Show step 1,240"],
    ["1,240", "Show step 1,240"],
    ["etudes", "Études"],
    ["rning", "Learning rate"],
  ])("%j finds %j", (typed, name) => expect(mismatch(typed, name)).not.toBeNull());

  test.each([
    ["pauses", "Pause"],
    ["pause resume", "Pause"],
    ["ps", "Pause"],
    ["240", "Show step 1,24"],
  ])("%j does not find %j", (typed, name) => expect(mismatch(typed, name)).toBeNull());

  test("a word beside the name finds it too, after those whose name has it, and before those that only contain it", () => {
    const byName = mismatch("save", "Save");
    const later = mismatch("save", "Never save");
    const beside = mismatch("save", "Pin", "keep save now");
    const inside = mismatch("save", "Autosave");
    expect([byName, later, beside, inside]).toEqual(
      [inside, beside, later, byName].toSorted((a, b) => Number(a) - Number(b)),
    );
    expect(new Set([byName, later, beside, inside]).size).toBe(4);
  });
});
