import { expect, test } from "vitest";
import { readArguments } from "../../scripts/lib/options.mjs";

test.each([
  [["stall", "--json", "out.json"], "stall", { json: "out.json" }],
  [["--json=out.json", "stall"], "stall", { json: "out.json" }],
  [["exactness", "--all", "--seed", "3"], "exactness", { all: "true", seed: "3" }],
  [[], undefined, {}],
])("%j", (words, name, options) => {
  const read = readArguments(words);
  expect(read.name).toBe(name);
  expect(Object.fromEntries(read.options)).toEqual(options);
});

test("two names are refused", () => {
  expect(() => readArguments(["stall", "exact"])).toThrow("One name at a time");
});
