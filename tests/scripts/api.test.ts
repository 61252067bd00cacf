import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, suite, test } from "vitest";
import { ROOT } from "../../scripts/lib/process.mjs";
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

  test("has every type that another one names", () => {
    const names = new Set(exports.map(({ name }) => name));
    const named = new Set(exports.flatMap((one) => one.named));
    expect(named.size).toBeGreaterThan(40);
    expect([...named].filter((name) => !names.has(name))).toEqual([]);
  });

  test("has an example of a trainer that a page's compiler takes", () => {
    const consumer = readFileSync(join(ROOT, "tests", "library", "consumer.ts"), "utf8");
    const [example = "none"] = exports.find(({ name }) => name === "Trainer")?.examples ?? [];
    const squeezed = (code: string) => code.replaceAll(/\s+/g, " ");
    expect(squeezed(consumer)).toContain(squeezed(example.slice(example.indexOf("{"))));
  });

  test("has an example for everything that is called", () => {
    const values = exports.filter(({ isValue }) => isValue);
    expect(values.filter(({ examples }) => examples.length === 0).map(({ name }) => name)).toEqual([]);
  });
});
