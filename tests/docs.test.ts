/** What the documents point to is there. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, suite, test } from "vitest";
import { ROOT } from "../scripts/lib/process.mjs";

const DOCS = [
  "README.md",
  "CONTRIBUTING.md",
  ...readdirSync(join(ROOT, "docs")).map((name) => `docs/${name}`),
];

/** Names in examples. */
const EXAMPLES = new Set([
  "src/tasks/line.ts",
  "src/tasks/infos/line.ts",
  "tests/drills/NAME.ts",
  "bench/NAME.ts",
]);

function missing(paths: readonly string[]): readonly string[] {
  return paths.filter((path) => !EXAMPLES.has(path) && !existsSync(join(ROOT, path)));
}

test("docs/library.md has every code of an error", () => {
  const read = (path: string) => readFileSync(join(ROOT, path), "utf8");
  const [codes = ""] = read("src/errors.ts").split("/**\n * What went wrong");
  const known = [...codes.matchAll(/\| "([a-z-]+)"/g)].map(([, code]) => code);
  const listed = [...read("docs/library.md").matchAll(/^\| `([a-z-]+)` /gm)].map(([, code]) => code);
  expect(known).toHaveLength(16);
  expect(listed.sort()).toEqual(known.sort());
});

suite.each(DOCS.filter((name) => name.endsWith(".md")))("%s", (name) => {
  const text = readFileSync(join(ROOT, name), "utf8");

  test("names files that exist", () => {
    const named = [...text.matchAll(/`((?:src|tests|docs|scripts|bench)\/[\w./-]+\.\w+)`/g)];
    expect(missing(named.map(([, path = ""]) => path))).toEqual([]);
  });

  test("names drills and benches that exist", () => {
    const drills = [...text.matchAll(/(?:npm run drill -- |[Dd]rill `)([a-z-]+)/g)];
    const benches = [...text.matchAll(/npm run bench -- ([a-z-]+)/g)];
    const paths = [
      ...drills.map(([, drill = ""]) => `tests/drills/${drill}.ts`),
      ...benches.map(([, bench = ""]) => `bench/${bench}.ts`),
    ];
    expect(missing(paths)).toEqual([]);
  });
});
