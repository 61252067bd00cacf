import { expect, test } from "vitest";
import { freeName } from "../../src/format/free-name";

test("a name that nobody has stays; one that is taken gets the first number that is free", () => {
  expect(freeName("Spirals", [])).toBe("Spirals");
  expect(freeName("Spirals", ["Text", "Spirals (2)"])).toBe("Spirals");
  expect(freeName("Spirals", ["Spirals"])).toBe("Spirals (2)");
  expect(freeName("Spirals", ["Spirals", "Spirals (2)", "Spirals (4)"])).toBe("Spirals (3)");
});
