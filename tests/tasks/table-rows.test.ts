import { expect, suite, test } from "vitest";
import { hasCode } from "../../src/errors";
import type { Config } from "../../src/format/run";
import { csvTable } from "../../src/tasks/csv";
import { settingsOf } from "../../src/tasks/settings";
import { table } from "../../src/tasks/table";
import { shuffled, tableRows } from "../../src/tasks/table-rows";
import type { TableRows } from "../../src/tasks/table-rows";
import { configOf, meanOf, present } from "./trial";

const ROWS = 100;

/** Cells by column name, a function of the row. */
type Cells = Readonly<Record<string, (row: number) => string | number>>;

function rowsOf(cells: Cells, config: Config = {}, rows = ROWS): TableRows {
  const names = Object.keys(cells);
  const lines = Array.from({ length: rows }, (_, row) =>
    names.map((name) => present(cells[name])(row)).join(","),
  );
  const bytes = new TextEncoder().encode([names.join(","), ...lines].join("\n"));
  return tableRows(csvTable(bytes, 2 ** 24), settingsOf(table.info, configOf(table, "tiny", config)));
}

/** The inputs that one column makes of a row. */
function inputsOf({ columns }: TableRows, name: string, row: number): number[] {
  const column = present(columns.find((one) => one.name === name));
  const inputs = new Float32Array(column.inputs);
  column.write(row, inputs, 0);
  return [...inputs];
}

const KIND = (row: number): string => ["a", "b", "c"][row % 3] ?? "";

suite("the split", () => {
  const cells: Cells = { x: (row) => (row * 37) % 101, kind: KIND };

  test("holds out the share that is asked for, and each row is on one side", () => {
    for (const [heldOut, count] of [
      [20, 20],
      [1, 1],
      [90, 90],
      [33, 33],
    ] as const) {
      const rows = rowsOf(cells, { heldOut });
      expect(rows.heldOut).toHaveLength(count);
      expect([...rows.training, ...rows.heldOut].sort((a, b) => a - b)).toEqual([...Array(ROWS).keys()]);
    }
  });

  test("is another one by another number, and the same by the same", () => {
    expect(rowsOf(cells, { split: 3 })).toEqual(
      expect.objectContaining({ heldOut: rowsOf(cells, { split: 3 }).heldOut }),
    );
    expect(rowsOf(cells, { split: 4 }).heldOut).not.toEqual(rowsOf(cells, { split: 3 }).heldOut);
    expect(rowsOf(cells).heldOut).not.toEqual(rowsOf(cells).heldOut.toSorted());
  });

  test("leaves rows without a target out, and counts them", () => {
    const rows = rowsOf({ ...cells, kind: (row) => (row % 10 === 0 ? "NA" : KIND(row)) });
    expect(rows.withoutTarget).toBe(10);
    expect([...rows.training, ...rows.heldOut].some((row) => row % 10 === 0)).toBe(false);
    expect(rows.training.length + rows.heldOut.length).toBe(90);
  });
});

suite("numbers as inputs", () => {
  test("are centred and scaled by the training rows", () => {
    const rows = rowsOf({ x: (row) => ((row * 37) % 101) + 0.5, kind: KIND });
    const values = Array.from(rows.training, (row) => present(inputsOf(rows, "x", row)[0]));
    expect(meanOf(values)).toBeCloseTo(0, 5);
    expect(meanOf(values.map((value) => value ** 2))).toBeCloseTo(1, 5);
  });

  test("that are missing are the mean, and say so; where none is, nothing is said", () => {
    const rows = rowsOf({ x: (row) => (row === 7 ? "" : (row * 37) % 101), kind: KIND });
    expect(inputsOf(rows, "x", 7)).toEqual([0, 1]);
    expect(inputsOf(rows, "x", 8)[1]).toBe(0);
    expect(rowsOf({ x: (row) => (row * 37) % 101, kind: KIND }).inputs).toBe(1);
  });

  test("far out are finite", () => {
    const [held = 0] = rowsOf({ x: (row) => (row * 37) % 101, kind: KIND }).heldOut;
    const rows = rowsOf({ x: (row) => (row === held ? "-1e99" : (row * 37) % 101), kind: KIND });
    expect(inputsOf(rows, "x", held)).toEqual([-1000]);
  });

  test("that a held-out row changes move no input of a training row", () => {
    const plain: Cells = { x: (row) => (row * 37) % 101, site: (row) => (row % 5 ? "s" : "t"), kind: KIND };
    const before = rowsOf(plain);
    const held = new Set(before.heldOut);
    const after = rowsOf({ ...plain, x: (row) => (held.has(row) ? 1e6 + row : (row * 37) % 101) });
    const all = (rows: TableRows) => Array.from(rows.training, (row) => inputsOf(rows, "x", row));
    expect(after.training).toEqual(before.training);
    expect(all(after)).toEqual(all(before));
    // Control: that a training row changes moves them all.
    const moved = rowsOf({ ...plain, x: (row) => (row === before.training[0] ? 1e6 : (row * 37) % 101) });
    expect(all(moved).filter((inputs, i) => inputs[0] !== all(before)[i]?.[0])).toHaveLength(
      before.training.length,
    );
  });
});

suite("categories as inputs", () => {
  test("are one input each, in order, and one for what is missing", () => {
    const site = (row: number): string => (row % 10 === 5 ? "NA" : (["10", "9", "2"][row % 3] ?? ""));
    const rows = rowsOf({ site, kind: KIND }, { columns: "site=category" });
    expect(present(rows.columns[0]).inputs).toBe(4);
    // Numbers by their size: 2, 9, 10, missing.
    expect([0, 1, 2, 5].map((row) => inputsOf(rows, "site", row).indexOf(1))).toEqual([2, 1, 0, 3]);
  });

  test("beyond 64 are together, the rarest", () => {
    const site = (row: number): string => `s${row % 200 < 100 ? row % 50 : 100 + (row % 200)}`;
    const rows = rowsOf({ site, kind: KIND }, {}, 1000);
    expect(present(rows.columns[0]).inputs).toBe(65);
    const slots = Array.from({ length: 1000 }, (_, row) => inputsOf(rows, "site", row).indexOf(1));
    expect(new Set(slots.filter((_, row) => row % 200 < 100)).size).toBe(50);
    expect(slots.filter((slot) => slot === 64).length).toBeGreaterThan(100);
  });

  test("that no training row has say nothing", () => {
    const plain: Cells = { site: (row) => (row % 2 ? "s" : "t"), kind: KIND };
    const [held = 0] = rowsOf(plain).heldOut;
    const rows = rowsOf({ ...plain, site: (row) => (row === held ? "new" : row % 2 ? "s" : "t") });
    expect(inputsOf(rows, "site", held)).toEqual([0, 0, 0]);
  });
});

suite("the target", () => {
  test.each<[string, "class" | "amount", (row: number) => string | number]>([
    ["words", "class", KIND],
    ["yes and no", "class", (row) => row % 2],
    ["up to ten whole numbers, often", "class", (row) => row % 7],
    ["more whole numbers", "amount", (row) => row % 11],
    ["a few fractions", "amount", (row) => (row % 4) + 0.5],
  ])("of %s is a %s", (_, kind, y) => {
    expect(rowsOf({ x: (row) => (row * 37) % 101, y }).target.kind).toBe(kind);
  });

  test("is what the person says", () => {
    const cells: Cells = { x: (row) => (row * 37) % 101, y: (row) => row % 7 };
    expect(rowsOf(cells, { problem: "regression" }).target.kind).toBe("amount");
    expect(rowsOf(cells, { columns: "y=category" }).target.kind).toBe("class");
    expect(rowsOf(cells, { target: "x" }).target).toMatchObject({ name: "x", kind: "amount" });
    const classes = rowsOf(cells, { target: "x", problem: "classification" }).target;
    // 100 values: the 64 that come first, and the others.
    expect(classes.kind === "class" && classes.classes).toHaveLength(65);
  });

  test.each<[string, Cells, Config, RegExp]>([
    [
      "words as amounts",
      { x: (row) => row % 9, y: KIND },
      { problem: "regression" },
      /“y” holds no numbers; a regression needs numbers that differ/,
    ],
    [
      "one number among words as amounts",
      { x: (row) => row % 9, y: (row) => (row % 2 === 0 ? 3 : "much") },
      { problem: "regression", columns: "y=category" },
      /“y” holds one number again and again; a regression needs numbers that differ/,
    ],
    [
      "one value",
      { x: (row) => row % 9, y: () => 3 },
      { target: "y", columns: "y=number" },
      /same value in every row/,
    ],
    [
      "mostly missing",
      { x: (row) => row % 9, y: (row) => (row < 9 ? row : "") },
      { columns: "y=number" },
      /9 rows have a value of “y”; 10/,
    ],
  ])("of %s is refused", (_, cells, config, message) => {
    const attempt = (): unknown => rowsOf(cells, config);
    expect(attempt).toThrow(message);
    expect(attempt).toThrow(expect.toSatisfy((error) => hasCode(error, "invalid")));
  });
});

test("a shuffle is a permutation by seed and stream", () => {
  const rows = Uint32Array.from({ length: 1000 }, (_, i) => 3 * i);
  const first = shuffled(rows, 1, "a");
  expect([...first].sort((a, b) => a - b)).toEqual([...rows]);
  expect(shuffled(rows, 1, "a")).toEqual(first);
  expect(shuffled(rows, 2, "a")).not.toEqual(first);
  expect(shuffled(rows, 1, "b")).not.toEqual(first);
  // One row in a thousand keeps its place by chance.
  expect(first.filter((row, i) => row === rows[i]).length).toBeLessThan(10);
});
