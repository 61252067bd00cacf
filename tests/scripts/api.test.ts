import { readFileSync } from "node:fs";
import { expect, suite, test } from "vitest";
import { API, apiText, readApi } from "../../scripts/lib/api.mjs";

suite("docs/api.md", () => {
  const api = readApi();
  const exports = [...api].flatMap(([entry, list]) => list.map((one) => ({ ...one, entry })));

  test("is what the sources say; `npm run api` writes it anew", async () => {
    expect(readFileSync(API, "utf8")).toBe(await apiText(api));
  });

  test("has every export with what it is", () => {
    expect(exports.length).toBeGreaterThan(40);
    expect(exports.filter(({ text }) => text === "").map(({ name }) => name)).toEqual([]);
  });

  test("has an example for everything that is called", () => {
    const values = exports.filter(({ isValue }) => isValue);
    expect(values.filter(({ examples }) => examples.length === 0).map(({ name }) => name)).toEqual([]);
  });
});
