import { expect, test } from "vitest";
import type { RowExample } from "../../src/worker/protocol";
import { RowQuestion } from "../../src/ui/row-question.svelte";
import { ROW } from "../support/fake-data";
import { FakeHoldfast } from "../support/fake-holdfast";

/** Examples by run; those of a run wait until they are let go. */
function rig(examples: Readonly<Record<string, RowExample>>) {
  const api = new FakeHoldfast("empty", { ticking: false });
  const places: number[] = [];
  const waiting: (() => void)[] = [];
  api.example = (run, place) => {
    places.push(place);
    return new Promise((resolve, reject) => {
      const example = examples[run];
      waiting.push(() => {
        if (example === undefined) reject(new Error(`There is no ${run}.`));
        else resolve({ ...example, row: example.row + place });
      });
    });
  };
  return { row: new RowQuestion(api, Object.keys(examples)), places, waiting };
}

test("of two runs, what either reads is asked by, filled in from the first one's row", async () => {
  const other: RowExample = {
    ...ROW,
    row: 30,
    cells: { ...ROW.cells, site: "beach", age: "3" },
    target: "site",
    fields: [{ name: "age", kind: "number", canBeMissing: false, values: [], rare: null }],
  };
  const { row, waiting } = rig({ a: { ...ROW, fields: ROW.fields.slice(1) }, b: other });
  const done = row.next();
  for (const letGo of waiting) letGo();
  expect(await done).toBe(true);
  expect(row.question()).toEqual({ kind: "row", cells: { bill_mm: "", wing_mm: "128", age: "3" } });
  expect(row.origin).toBe(
    "Filled in from row 17, held out of the first one’s training: its species is dunlin, its site is estuary.",
  );
});

test("a row that is asked for again while one is on its way is the one that is filled in", async () => {
  const { row, places, waiting } = rig({ a: ROW });
  const [first, second] = [row.next(), row.next()];
  waiting[1]?.();
  expect(await second).toBe(true);
  waiting[0]?.();
  expect(await first).toBe(false);
  expect(places).toEqual([0, 1]);
  expect(row.origin).toMatch(/^Filled in from row 18/);
});

test("of a late failure nothing is said", async () => {
  const api = new FakeHoldfast("empty", { ticking: false });
  let fail: (error: Error) => void = () => undefined;
  const late = new Promise<RowExample>((_resolve, reject) => (fail = reject));
  let calls = 0;
  api.example = () => (calls++ === 0 ? late : Promise.resolve(ROW));
  const row = new RowQuestion(api, ["a"]);
  const [first, second] = [row.next(), row.next()];
  expect(await second).toBe(true);
  fail(new Error("It ended."));
  expect(await first).toBe(false);
  expect(row.failed).toBeNull();
});

test("who reads a column says what a cell of it is, and not who leaves it alone", async () => {
  const leaves: RowExample = { ...ROW, fields: ROW.fields.slice(1), cells: { ...ROW.cells, site: "much" } };
  const reads: RowExample = { ...ROW, cells: { ...ROW.cells, site: "" } };
  const { row, waiting } = rig({ a: leaves, b: reads });
  const done = row.next();
  for (const letGo of waiting) letGo();
  await done;
  expect(row.question()).toMatchObject({ cells: { site: "" } });
});

test("a rare value that is filled in stands for all rare ones, and else one of them does", async () => {
  const [site] = ROW.fields;
  if (site === undefined) throw new Error("There is no such field.");
  for (const [cell, rare] of [
    ["jetty", "jetty"],
    ["estuary", "pier"],
    ["", "pier"],
  ] as const) {
    const { row, waiting } = rig({ a: { ...ROW, cells: { ...ROW.cells, site: cell } } });
    const done = row.next();
    waiting[0]?.();
    await done;
    expect(row.optionsOf(site).map(({ value }) => value)).toEqual(["beach", "estuary", rare, ""]);
  }
});
