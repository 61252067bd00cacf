/** A row that a person asks by is read as the rows of the table are, or refused by the name of its column. */
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, expect, suite, test } from "vitest";
import type { Answers } from "../../src/format/answers";
import type { Panel } from "../../src/format/picture";
import type { Config } from "../../src/format/run";
import { csvTable } from "../../src/tasks/csv";
import { settingsOf } from "../../src/tasks/settings";
import { table } from "../../src/tasks/table";
import { inputsOfCells } from "../../src/tasks/table-question";
import { tableRows } from "../../src/tasks/table-rows";
import type { TableRows } from "../../src/tasks/table-rows";
import { configOf, initialParams, openCpu, present } from "./trial";

const ROWS = 300;
const encoder = new TextEncoder();

beforeAll(openCpu);

/** Of each kind of column, with gaps, words among numbers, decimal commas and 70 places of which 64 are told apart. */
function mixed(): Uint8Array<ArrayBuffer> {
  const lines = Array.from({ length: ROWS }, (_, row) =>
    [
      row % 20 === 7 ? "NA" : row % 20 === 8 ? "much" : `${(row * 37) % 101},5`,
      row % 9,
      row % 30 === 4 ? "?" : ["clay", "loam", "sand"][row % 3],
      `p${row % 100 < 65 ? row % 5 : row % 100}`,
      ((row * 7) % 23) / 2,
    ].join(";"),
  );
  return encoder.encode(["size;legs;soil;place;stem", ...lines].join("\n"));
}

const CONFIG = configOf(table, "tiny", { columns: "size=number", target: "stem", problem: "regression" });

function rowsOf(config: Config = CONFIG): TableRows {
  return tableRows(csvTable(mixed(), 2 ** 20), settingsOf(table.info, config));
}

/** Cells of the row at place `index` of those held out, some given otherwise. */
function cellsOf(index: number, changes: Readonly<Record<string, string>> = {}, config: Config = CONFIG) {
  return { ...present(table.example)(mixed(), config, index).cells, ...changes };
}

suite("a held-out row", () => {
  test("comes with what a form needs, and the next one after it, round and round", () => {
    const { heldOut } = rowsOf();
    const example = (index: number) => present(table.example)(mixed(), CONFIG, index);
    const [first, second] = [example(0), example(1)];
    expect(first).toMatchObject({ row: present(heldOut[0]) + 1, of: heldOut.length, target: "stem" });
    expect(Number(first.cells["legs"])).toBe(present(heldOut[0]) % 9);
    expect(second.row).toBe(present(heldOut[1]) + 1);
    expect(example(heldOut.length)).toEqual(first);
    expect(first.fields.map(({ values, ...field }) => ({ ...field, values: values.length }))).toEqual([
      { name: "size", kind: "number", canBeMissing: true, values: 0, rare: null },
      { name: "legs", kind: "number", canBeMissing: false, values: 0, rare: null },
      { name: "soil", kind: "category", canBeMissing: true, values: 3, rare: null },
      { name: "place", kind: "category", canBeMissing: false, values: 40, rare: null },
    ]);
  });

  test.each<[string, Config]>([
    ["amounts", CONFIG],
    ["classes", { ...CONFIG, target: "soil", problem: "classification" }],
  ])("of %s, asked by its cells, is what the prediction says of it", async (_, config) => {
    const model = table.build(config, mixed(), 1);
    const params = initialParams(model);
    const answers = present(await model.answers?.(params));
    const said = async (index: number) => {
      const panels = await model.respond?.(params, { kind: "row", cells: cellsOf(index, {}, config) });
      return answerIn(present(present(panels)[0]), answers);
    };
    for (let index = 0; index < answers.examples.length; index++)
      expect(await said(index)).toBeCloseTo(present(answers.given[index]), 5);
    tf.dispose(params);
    model.dispose();
  });
});

/** The amount, or the place of the likeliest class. */
function answerIn(panel: Panel, answers: Answers): number {
  if (panel.kind === "amount") return panel.value;
  if (panel.kind !== "bars" || answers.kind !== "classes") throw new Error(`Not to be ${panel.kind}.`);
  expect(panel.bars.reduce((sum, { value }) => sum + value, 0)).toBeCloseTo(1, 6);
  return answers.classes.indexOf(present(panel.bars[0]).name);
}

test("the inputs of each row's cells are those that it is trained by, bit for bit", () => {
  const rows = rowsOf();
  const cells = rows.columns.map(({ name, cellOf }) => ({ name, cellOf }));
  for (let row = 0; row < ROWS; row++) {
    const expected = new Float32Array(rows.inputs);
    let offset = 0;
    for (const column of rows.columns) {
      column.write(row, expected, offset);
      offset += column.inputs;
    }
    const given = Object.fromEntries(cells.map(({ name, cellOf }) => [name, cellOf(row)]));
    expect(inputsOfCells(rows, given)).toEqual(expected);
  }
});

suite("a cell", () => {
  const inputs = (changes: Readonly<Record<string, string>>) =>
    Array.from(inputsOfCells(rowsOf(), cellsOf(0, changes)));

  test("is missing however that is written, and that is another input than a value", () => {
    expect(inputs({ size: " n/a " })).toEqual(inputs({ size: "" }));
    expect(inputs({ size: "" }).slice(0, 2)).toEqual([0, 1]);
    expect(inputs({ size: "3,5" })[1]).toBe(0);
    expect(inputs({ soil: "" }).slice(3, 7)).toEqual([0, 0, 0, 1]);
    // Control: a cell that says something else gives other inputs.
    expect(inputs({ size: "4" })).not.toEqual(inputs({ size: "5" }));
    expect(inputs({ soil: "clay" })).not.toEqual(inputs({ soil: "loam" }));
  });

  test("of a column that is not read is left alone", () => {
    expect(inputs({ stem: "no number", elsewhere: "x" })).toEqual(inputs({}));
  });

  test.each([
    ["a word for a number", { size: "4o" }, "“size” is a number, and “4o” is none"],
    ["a number with thousands grouped", { legs: "1 000" }, "“legs” is a number"],
    ["a value that the category never has", { soil: "peat" }, "“soil” is never “peat” in the table"],
    ["nothing where nothing is missing", { legs: "" }, "“legs” is given no value"],
    ["nothing for a category that is never without", { place: "NA" }, "“place” is given no value"],
  ])("that is %s is refused by its name", (_, changes, message) => {
    expect(() => inputs(changes)).toThrow(expect.objectContaining({ code: "invalid" }));
    expect(() => inputs(changes)).toThrow(message);
  });

  test.each(["legs", "constructor"])("that is not given at all is refused by its name", (name) => {
    const rows = rowsOf();
    const columns = rows.columns.map((column) => ({ ...column, name }));
    expect(() => inputsOfCells({ ...rows, columns }, {})).toThrow(`The model reads “${name}”`);
  });
});

test("of rare values one stands for all: they are one input, and one that was never seen is none of them", () => {
  const lines = Array.from({ length: 400 }, (_, row) => `p${row % 80},${row % 2 === 0 ? "a" : "b"}`);
  const bytes = encoder.encode(["place,kind", ...lines].join("\n"));
  const rows = tableRows(csvTable(bytes, 2 ** 20), settingsOf(table.info, configOf(table, "tiny")));
  const { rare } = present(rows.columns[0]);
  const [one, other] = ["p79", present(rare)].map((place) => [...inputsOfCells(rows, { place })]);
  expect(present(one)[64]).toBe(1);
  expect(other).toEqual(one);
  expect(() => inputsOfCells(rows, { place: "p80" })).toThrow(/“place” is never “p80”.* and 56 more/);
});

test("a question of another kind is refused", async () => {
  const model = table.build(CONFIG, mixed(), 1);
  const image = { kind: "image", width: 1, height: 1, pixels: Uint8Array.of(1) } as const;
  await expect(model.respond?.({}, image)).rejects.toMatchObject({ code: "invalid" });
  model.dispose();
});

test("a row without cells is refused as such", () => {
  for (const cells of [undefined, null]) {
    const text = () => inputsOfCells({ columns: [], inputs: 0 }, cells);
    expect(text).toThrow("The row has no cells; give each as text by the name of its column.");
  }
});
