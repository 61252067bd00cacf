import { expect, test } from "vitest";
import { fitted, keyPlaces } from "../../src/ui/chart-image";

test("a key goes on in another line where there is no more room", () => {
  expect(keyPlaces([40, 40, 40, 200], 100, 10)).toEqual([
    { x: 0, line: 0 },
    { x: 50, line: 0 },
    { x: 0, line: 1 },
    // Alone in its line, however long it is.
    { x: 0, line: 2 },
  ]);
  expect(keyPlaces([40, 50], 100, 10).map(({ line }) => line)).toEqual([0, 0]);
  expect(keyPlaces([40, 51], 100, 10).map(({ line }) => line)).toEqual([0, 1]);
});

test("a name that is too long ends where the room does", () => {
  const measure = (text: string) => 10 * Array.from(text).length;
  expect(fitted("abcdef", 60, measure)).toBe("abcdef");
  expect(fitted("abcdef", 59, measure)).toBe("abcd…");
  expect(fitted("ab 😀def", 50, measure)).toBe("ab 😀…");
  expect(fitted("abcdef", 0, measure)).toBe("…");
});
