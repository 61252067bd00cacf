import { expect, test } from "vitest";
import { excerpt } from "../src/excerpt";

test("a text is told whole where it fits, and else as far as it does", () => {
  expect(excerpt("abc", 3)).toBe("abc");
  expect(excerpt("abcd", 3)).toBe("abc…");
});

test("a character of two halves is not cut in two", () => {
  expect(excerpt("ab\u{1F427}\u{1F427}", 3)).toBe("ab\u{1F427}…");
});
