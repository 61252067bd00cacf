import { beforeEach, expect, suite, test } from "vitest";
import { ColumnChoice } from "../../src/ui/column-choice";
import { NewRunState } from "../../src/ui/new-run-state.svelte";
import { DEFAULTS } from "../../src/ui/settings";
import { FakeHoldfast } from "../support/fake-holdfast";

const FILES = [{ path: "mine.csv", file: new Blob(["a,b\n"]) }];

let form: NewRunState;
let choice: ColumnChoice;

beforeEach(async () => {
  form = new NewRunState(new FakeHoldfast("empty", { ticking: false }), 1, DEFAULTS);
  form.choose("table");
  await form.takeData(FILES);
  choice = new ColumnChoice(form, form.data.stored?.preview.columns ?? []);
});

function settings(): readonly unknown[] {
  const { task } = form;
  return ["target", "columns"].map((name) => {
    const field = task?.fields.find((one) => one.name === name);
    return field && form.value("config", field);
  });
}

function kindOf(name: string): string | undefined {
  return choice.columns.find((column) => column.name === name)?.kind;
}

suite("what a person chooses of a table's columns", () => {
  test("is what was found, and the last column that can be used, as long as nothing is said", () => {
    expect(choice.columns).toEqual(form.data.stored?.preview.columns);
    expect(choice.target).toBe("sex");
    expect(settings()).toEqual(["", ""]);
    expect(choice.problem).toBeNull();
  });

  test("is said in a sentence, with why where nobody chose it; and the target is the first that is listed", () => {
    const words = () => choice.targetWords?.join("");
    const names = choice.columns.map(({ name }) => name);
    expect(words()).toBe(
      "Predicts sex, the last column, from 4 other columns. Choose another where that is not meant.",
    );
    expect(choice.listed.map(({ name }) => name)).toEqual(["sex", ...names.slice(0, -1)]);
    choice.learn("sex");
    expect(words()).toBe("Predicts sex from 4 other columns.");
    choice.learn("");
    choice.use("sex", "ignored");
    expect(words()).toMatch(/^Predicts year, the last column that can be used, from 3 other columns/);
    for (const name of names) choice.use(name, "ignored");
    expect([choice.targetWords, choice.listed]).toEqual([null, choice.columns]);
  });

  test("leaves out what was said of another use, until it is read anew", () => {
    const found = choice.columns.map((column) => ({ ...column, notes: ["The mean stands in for it."] }));
    const noted = new ColumnChoice(form, found);
    const notes = () => noted.columns.find(({ name }) => name === "year")?.notes;
    expect(notes()).toHaveLength(1);
    noted.use("year", "category");
    expect(notes()).toEqual([]);
  });

  test("is written into the settings, and taken back where it is what was found", () => {
    choice.use("year", "category");
    choice.use("ring", "number");
    expect(settings()).toEqual(["", "year=category, ring=number"]);
    expect([kindOf("year"), kindOf("ring")]).toEqual(["category", "number"]);
    choice.use("year", "number");
    expect(settings()).toEqual(["", "ring=number"]);
    choice.learn("species");
    expect(choice.target).toBe("species");
    expect(settings()).toEqual(["species", "ring=number"]);
  });

  test("moves the target only where it is no longer used", () => {
    choice.use("sex", "ignored");
    expect(choice.target).toBe("year");
    choice.use("sex", "category");
    expect(choice.target).toBe("year");
    expect(settings()).toEqual(["year", ""]);
  });

  test("outlives another preset, and no other table", async () => {
    choice.learn("species");
    choice.use("year", "ignored");
    form.usePreset("tiny");
    expect(settings()).toEqual(["species", "year=ignored"]);
    await form.takeData(FILES);
    expect(settings()).toEqual(["", ""]);
    choice.learn("species");
    form.dropData();
    expect(settings()).toEqual(["", ""]);
  });

  test("is not asked for a second time among the task's settings", () => {
    const names = () => form.modelFields.map(({ name }) => name);
    expect(names()).not.toContain("columns");
    expect(names()).toContain("width");
    form.dropData();
    expect(names()).toContain("columns");
  });
});
