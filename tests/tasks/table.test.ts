import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, expect, suite, test } from "vitest";
import { samplesAt } from "../../src/engine/batches";
import { uniforms } from "../../src/engine/random";
import type { Model } from "../../src/engine/task";
import { hasCode } from "../../src/errors";
import type { Config } from "../../src/format/run";
import { csvTable } from "../../src/tasks/csv";
import { NO_DROPOUT } from "../../src/tasks/layers";
import { settingsOf } from "../../src/tasks/settings";
import { table } from "../../src/tasks/table";
import { tableRows } from "../../src/tasks/table-rows";
import {
  configOf,
  initialParams,
  meanOf,
  modelOf,
  openCpu,
  panelOf,
  present,
  train,
  withParams,
} from "./trial";

const TINY = configOf(table, "tiny");
const AMOUNT = { ...TINY, target: "weight_g" };
const BATCH = 32;
const PENGUINS = fileURLToPath(new URL("../../../shared/data/penguins.csv", import.meta.url));
const CASES: readonly [string, Config][] = [
  ["classes", TINY],
  ["amounts", AMOUNT],
];

beforeAll(openCpu);

/** Trains on these bytes and evaluates. */
async function learned(bytes: Uint8Array<ArrayBuffer>, config: Config, steps: number) {
  const model = table.build(config, bytes, 1);
  const { tensors } = await train(model, { steps, batchSize: BATCH });
  const metrics = await withParams(tensors, (params) => model.evaluate(params));
  const picture = await withParams(tensors, (params) => model.picture(params, steps));
  model.dispose();
  return { metrics, picture };
}

/** Two columns that hold the answer between them, and one that is drawn at random. */
function toyTable(rows: number): Uint8Array<ArrayBuffer> {
  const draws = uniforms(5, "test/toy", 0, 3 * rows);
  const lines = Array.from({ length: rows }, (_, row) => {
    const [a = 0, b = 0, noise = 0] = draws.subarray(3 * row, 3 * row + 3);
    return [
      a.toFixed(3),
      noise.toFixed(3),
      b > 0.5 ? "yes" : "no",
      (3 * a + (b > 0.5 ? 1 : 0)).toFixed(3),
    ].join(",");
  });
  return new TextEncoder().encode(["a,noise,b,y", ...lines].join("\n"));
}

suite("the made-up table", () => {
  test("is a function of its seed, and a table with gaps like any other", () => {
    const bytes = table.generate(TINY, 4);
    expect(table.generate(TINY, 4)).toEqual(bytes);
    expect(table.generate(TINY, 5)).not.toEqual(bytes);
    expect(table.inspect(bytes, TINY)).toMatchObject({
      kind: "table",
      rows: 300,
      trainRows: 240,
      heldOutRows: 60,
      rowsWithoutTarget: 0,
      target: "species",
      problem: "classification",
      classes: "dunlin, sanderling, turnstone",
      columns: "site, bill_mm, wing_mm, weight_g, legs",
      ignored: "ring (texts that hardly repeat)",
    });
    expect(table.inspect(bytes, AMOUNT)).toMatchObject({ problem: "regression", target: "weight_g" });
  });

  test("is learned by the tiny preset as it is, as classes and as amounts", async () => {
    const { metrics } = await learned(table.generate(TINY, 1), TINY, 200);
    expect(metrics["val_accuracy"]).toBeGreaterThan(0.85);
    const { metrics: amounts } = await learned(table.generate(TINY, 1), AMOUNT, 200);
    expect(amounts["val_r2"]).toBeGreaterThan(0.8);
    expect(amounts["val_rmse"]).toBeLessThan(14);
  });
});

suite.each(CASES)("the model of %s", (_, config) => {
  test("an epoch draws each training row once and no held-out one", () => {
    const model = modelOf(table, config);
    const rowsOf = (drawn: Model): string[] => {
      const [inputs, targets] = drawn.batch(samplesAt(0, drawn.samplesPerEpoch, drawn.samplesPerEpoch, 1));
      const values = [present(inputs), present(targets)].map((tensor) => tensor.arraySync() as number[][]);
      tf.dispose([inputs, targets].flatMap((tensor) => tensor ?? []));
      return values[0]?.map((row, i) => [...row, ...(values[1]?.[i] ?? [])].join()) ?? [];
    };
    const drawn = rowsOf(model);
    expect(new Set(drawn).size).toBe(model.samplesPerEpoch);
    expect(rowsOf(model)).toEqual(drawn);
    // The rows that this split holds out are trained on by none of its batches, and by those of another.
    const other = modelOf(table, { ...config, split: 9 });
    expect(new Set([...drawn, ...rowsOf(other)]).size).toBeGreaterThan(260);
    model.dispose();
    other.dispose();
  });
});

test.each([
  ["classes", "a", "b", "auto"],
  ["amounts", "1.5", "2.25", "regression"],
])("the held-out loss of %s is the loss that is trained on", async (_, one, other, problem) => {
  // Two kinds of rows, so the loss of each is known from the training rows.
  const lines = Array.from({ length: 60 }, (_, row) => (row % 3 === 0 ? `x,${one}` : `z,${other}`));
  const bytes = new TextEncoder().encode(["input,y", ...lines].join("\n"));
  const config = { ...TINY, problem };
  const model = table.build(config, bytes, 1);
  const params = initialParams(model);
  const { training, heldOut } = tableRows(csvTable(bytes, 2 ** 20), settingsOf(table.info, config));
  const lossOfKind = (isFirst: boolean): number => {
    const index = training.findIndex((row) => (row % 3 === 0) === isFirst);
    const batch = model.batch([{ epoch: 0, index }]);
    return model.loss(params, batch, NO_DROPOUT).dataSync()[0] ?? Number.NaN;
  };
  const firsts = heldOut.filter((row) => row % 3 === 0).length;
  const expected = firsts * lossOfKind(true) + (heldOut.length - firsts) * lossOfKind(false);
  const { val_loss } = await model.evaluate(params);
  expect(firsts).toBeGreaterThan(0);
  expect(present(val_loss) * heldOut.length).toBeCloseTo(expected, 4);
});

suite("what is drawn", () => {
  test("a confusion matrix counts every held-out row, and its diagonal is the accuracy", async () => {
    const { metrics, picture } = await learned(table.generate(TINY, 1), TINY, 60);
    const { classes, counts } = panelOf(picture, "confusion");
    expect(classes).toEqual(["dunlin", "sanderling", "turnstone"]);
    expect(counts.reduce((sum, one) => sum + one, 0)).toBe(60);
    const right = [0, 4, 8].reduce((sum, i) => sum + present(counts[i]), 0);
    expect(right / 60).toBeCloseTo(present(metrics["val_accuracy"]), 10);
  });

  test("amounts are points in their own unit, as far from the line as the error says", async () => {
    const { metrics, picture } = await learned(table.generate(TINY, 1), AMOUNT, 60);
    const { points } = panelOf(picture, "scatter");
    let squares = 0;
    for (let i = 0; i < points.length; i += 2) squares += (present(points[i]) - present(points[i + 1])) ** 2;
    expect(Math.sqrt(squares / (points.length / 2))).toBeCloseTo(present(metrics["val_rmse"]), 2);
    expect(Math.max(...points.filter((_, i) => i % 2 === 0))).toBeGreaterThan(90);
  });

  test("importance finds the columns that matter; control: of one that is noise it is near 0", async () => {
    const config = configOf(table, "tiny", { dropout: 0 });
    const { metrics, picture } = await learned(toyTable(400), config, 300);
    expect(metrics["val_r2"]).toBeGreaterThan(0.95);
    const { bars } = panelOf(picture, "bars");
    expect(bars.map(({ name }) => name)).toEqual(["a", "b", "noise"]);
    const [a, b, noise] = bars.map(({ value }) => value);
    expect(present(a)).toBeGreaterThan(present(b));
    expect(present(b)).toBeGreaterThan(0.3);
    expect(Math.abs(present(noise))).toBeLessThan(0.03);
  });
});

suite("what it says of the held-out rows", () => {
  const answersOf = async (config: Config) => {
    const model = table.build(config, table.generate(TINY, 1), 1);
    const params = initialParams(model);
    const answers = present(await model.answers?.(params));
    const metrics = await model.evaluate(params);
    tf.dispose(params);
    model.dispose();
    return { answers, metrics };
  };

  test("are as many right classes as the accuracy says, of rows that can be found again", async () => {
    const { answers, metrics } = await answersOf(TINY);
    if (answers.kind !== "classes") throw new Error("Expected classes.");
    const { given, right, examples } = answers;
    expect(given.filter((one, i) => one === right[i]).length / given.length).toBe(metrics["val_accuracy"]);
    const [names = [], ...rows] = new TextDecoder()
      .decode(table.generate(TINY, 1))
      .trimEnd()
      .split("\n")
      .map((line) => line.split(","));
    expect(examples).toHaveLength(60);
    for (const [i, example] of examples.entries()) {
      const [, number, cells = ""] = /^row (\d+): (.*)$/.exec(example) ?? [];
      const row = present(rows[Number(number) - 1]);
      // The first ones of the table, used or not: `ring` is not.
      expect(cells).toBe([0, 1, 2].map((at) => `${names[at]} ${row[at] || "–"}`).join(", "));
      expect(answers.classes[present(right[i])]).toBe(row.at(-1));
    }
  });

  test("are of the same rows whatever columns the network is given", async () => {
    const { answers } = await answersOf(TINY);
    const fewer = await answersOf({ ...TINY, columns: "site=ignored" });
    expect(fewer.answers.examples).toEqual(answers.examples);
  });

  test("are as far off as the error says, in the unit of the column", async () => {
    const { answers, metrics } = await answersOf(AMOUNT);
    if (answers.kind !== "amounts") throw new Error("Expected amounts.");
    const { of, given, right } = answers;
    const squares = given.map((one, i) => (one - present(right[i])) ** 2);
    expect(of).toBe("weight_g");
    expect(Math.sqrt(meanOf(squares))).toBeCloseTo(present(metrics["val_rmse"]), 8);
    expect(Math.max(...right)).toBeGreaterThan(90);
  });
});

suite("a table of one's own", () => {
  test("is shown with the kinds of its columns, whatever the settings say", () => {
    const preview = present(table.preview)(table.generate(TINY, 1), TINY);
    expect(preview.notes).toEqual(["300 rows and 7 columns, separated by commas."]);
    expect(preview.columns?.map(({ name, kind }) => `${name} ${kind}`)).toEqual([
      "ring ignored",
      "site category",
      "bill_mm number",
      "wing_mm number",
      "weight_g number",
      "legs category",
      "species category",
    ]);
    expect(Object.keys(present(preview.columns?.[1])).sort()).toEqual([
      "distinct",
      "examples",
      "kind",
      "missing",
      "name",
    ]);
  });

  /** What is said beside its columns, by name. */
  function notesOf(columns: Readonly<Record<string, (row: number) => unknown>>, config: Config = {}) {
    const names = Object.keys(columns);
    const lines = Array.from({ length: 200 }, (_, row) => names.map((name) => columns[name]?.(row)).join());
    const bytes = new TextEncoder().encode([names.join(), ...lines].join("\n"));
    const found = present(table.preview)(bytes, { ...TINY, ...config }).columns ?? [];
    return Object.fromEntries(
      found.flatMap(({ name, notes }) => (notes === undefined ? [] : [[name, notes]])),
    );
  }
  const KIND = (row: number): string => ["a", "b"][row % 2] ?? "";

  test("says where the rarest values are taken together, as classes and as inputs", () => {
    const place = (row: number): string => `p${row % 70}`;
    const together = { x: (row: number) => row % 9, place, kind: KIND };
    expect(notesOf(together)).toEqual({ place: ["The rarest 6 values are one input together."] });
    expect(notesOf(together, { target: "place" })).toEqual({
      place: ["70 different values: the rarest 6 are taken together as “(others)”."],
    });
    // Control: as many as are told apart.
    expect(notesOf({ ...together, place: (row) => `p${row % 64}` }, { target: "place" })).toEqual({});
  });

  test("says that decimal numbers are none to be told apart as classes, and takes them so all the same", () => {
    const amount = (row: number): number => (row % 12) + 0.5;
    const asked = { target: "amount", problem: "classification" };
    expect(notesOf({ amount, kind: KIND }, asked)).toEqual({
      amount: ["Its values are decimal numbers: regression suits them better."],
    });
    // Controls: as amounts, whole numbers, few, and a word among them.
    expect(notesOf({ amount, kind: KIND }, { target: "amount" })).toEqual({});
    for (const other of [
      (row: number) => row % 12,
      (row: number) => (row % 3) + 0.5,
      (row: number) => (row % 13 === 12 ? "many" : (row % 13) + 0.5),
    ])
      expect(notesOf({ amount: other, kind: KIND }, asked)).toEqual({});
  });

  test("says what becomes of missing values, as the rows are made", () => {
    const size = (row: number): unknown => (row % 50 === 7 ? "NA" : row % 50 === 8 ? "much" : row % 9);
    const site = (row: number): string => (row === 5 ? "" : `s${row % 3}`);
    const kind = (row: number): string => (row % 20 === 3 ? "?" : KIND(row));
    const columns = { size, site, kind };
    const sizes = { columns: "size=number" };
    expect(notesOf(columns, sizes)).toEqual({
      size: ["8 rows without a number: the mean stands in for it, and an input of its own says so."],
      site: ["1 row without a value: an input of its own says so."],
      kind: ["10 rows without a value of it are left out."],
    });
    expect(notesOf(columns, { ...sizes, target: "size", problem: "regression" })).toMatchObject({
      size: ["8 rows without a number of it are left out."],
      kind: ["10 rows without a value: an input of its own says so."],
    });
    expect(notesOf(columns, { ...sizes, target: "site" })["site"]).toEqual([
      "1 row without a value of it is left out.",
    ]);
    // Controls: a column that is ignored, and one without gaps.
    expect(notesOf(columns, { columns: "size=ignored" })["size"]).toBeUndefined();
    expect(notesOf({ ...columns, site: (row) => `s${row % 3}` }, sizes)["site"]).toBeUndefined();
  });

  test("says nothing of its columns where it cannot be learned as it is set", () => {
    const place = (row: number): string => `p${row % 70}`;
    expect(notesOf({ place, kind: KIND }, { problem: "regression" })).toEqual({});
  });

  test("that cannot be learned is refused by inspect and build alike", () => {
    const bytes = new TextEncoder().encode("a,b\n1,2\n");
    for (const attempt of [() => table.inspect(bytes, TINY), () => table.build(TINY, bytes, 1)])
      expect(attempt).toThrow(expect.toSatisfy((error) => hasCode(error, "invalid")));
  });

  test("has facts that a run's record can hold, however many columns there are", () => {
    const names = Array.from({ length: 900 }, (_, i) => `${"😀".repeat(20)} ${i}`);
    const row = (r: number): string => names.map((_, i) => (r * (i + 7)) % 23).join(",");
    const bytes = new TextEncoder().encode(
      [names.join(","), ...Array.from({ length: 30 }, (_, r) => row(r))].join("\n"),
    );
    const facts = table.inspect(bytes, TINY);
    for (const value of Object.values(facts)) expect(String(value).length).toBeLessThan(4096);
    expect(String(facts["columns"])).not.toMatch(/\p{Surrogate}/u);
  });
});

suite.skipIf(!existsSync(PENGUINS))(`Palmer penguins, where there is ${PENGUINS}`, () => {
  const bytes = existsSync(PENGUINS) ? new Uint8Array(readFileSync(PENGUINS)) : new Uint8Array();

  test("their species is learned", async () => {
    const { metrics } = await learned(bytes, configOf(table, "tiny", { target: "species" }), 200);
    expect(metrics["val_accuracy"]).toBeGreaterThanOrEqual(0.9);
  });

  test("and how heavy they are", async () => {
    const { metrics, picture } = await learned(
      bytes,
      configOf(table, "tiny", { target: "body_mass_g" }),
      200,
    );
    expect(metrics["val_r2"]).toBeGreaterThan(0.6);
    expect(metrics["val_rmse"]).toBeLessThan(500);
    expect(panelOf(picture, "scatter").points.length).toBeGreaterThan(2 * 60);
  });
});
