import { expect, suite, test } from "vitest";
import { familyOf, type Relative } from "../../src/ui/lineage";
import type { RunInfo } from "../../src/worker/protocol";

function info(id: string, parent: RunInfo["parent"] = null): RunInfo {
  return { id, name: id, created: 0, parent } as RunInfo;
}

function words({ id, run, from, forks }: Relative): string {
  const begin = `${from === null ? "" : `${from}:`}${run === null ? "(gone) " : ""}${id}`;
  return forks.length === 0 ? begin : `${begin} [${forks.map(words).join(", ")}]`;
}

function family(runs: readonly RunInfo[], id: string): string | null {
  const found = familyOf(runs, id);
  return found === null ? null : words(found);
}

suite("the family of a run", () => {
  const runs = [
    info("a"),
    info("c", { run: "a", step: 9 }),
    info("b", { run: "a", step: 4 }),
    info("d", { run: "c", step: 12 }),
    info("alone"),
  ];

  test.each(["a", "b", "c", "d"])("is the same tree from each of them: %s", (id) => {
    expect(family(runs, id)).toBe("a [4:b, 9:c [12:d]]");
  });

  test("is none for a run by itself", () => {
    expect(family(runs, "alone")).toBeNull();
  });

  test("holds a place for a parent that was deleted", () => {
    expect(family(runs.slice(1), "d")).toBe("(gone) a [4:b, 9:c [12:d]]");
  });

  test("ends where runs are said to be each other's parents", () => {
    const circle = [info("x", { run: "y", step: 1 }), info("y", { run: "x", step: 2 })];
    expect(family(circle, "x")).not.toBeNull();
  });
});
