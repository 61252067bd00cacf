import fc from "fast-check";
import { expect, suite, test } from "vitest";
import { hasCode } from "../../src/errors";
import { COLUMN_KINDS, correctionsOf, correctionsText, usualTarget } from "../../src/tasks/column-settings";
import { chosenColumns, columnsOf, numberIn } from "../../src/tasks/columns";
import type { Column } from "../../src/tasks/columns";
import { csvTable } from "../../src/tasks/csv";
import { present } from "./trial";

/** The columns of a table with these cells in its first one, and a second that is told by nothing. */
function columnsWith(cells: readonly string[], { name = "x", separator = "," } = {}): readonly Column[] {
  const lines = [`${name}${separator}y`, ...cells.map((cell, i) => `${cell}${separator}${i % 4}`)];
  return columnsOf(csvTable(new TextEncoder().encode(lines.join("\n")), 2 ** 20));
}

function first(cells: readonly string[], options?: Parameters<typeof columnsWith>[1]): Column {
  return present(columnsWith(cells, options)[0]);
}

suite("the kind of a column", () => {
  test.each<[string, readonly string[], string, string | undefined]>([
    ["numbers", ["1.5", "-2", "3e2", ".5", "7."], "number", undefined],
    ["numbers with gaps", ["1.5", "", "NA", "2", "?", "7", "n/a", "null", "NaN"], "number", undefined],
    ["two numbers", ["0", "1", "1", "0", ""], "category", undefined],
    ["words that repeat", ["a", "b", "a", "b", "c", "c"], "category", undefined],
    ["texts", ["one", "two", "three", "four"], "ignored", "texts that hardly repeat"],
    ["numbers and words", ["1", "2", "few", "1", "2", "few"], "category", undefined],
    ["one value", ["7", "7", "7", ""], "ignored", "always the same"],
    ["no value", ["", "NA", "?"], "ignored", "no value"],
    ["a count of rows", ["5", "6", "7", "8"], "ignored", "counts the rows"],
    ["numbers that are not finite", ["1e999", "-1e999", "2", "3"], "ignored", "texts that hardly repeat"],
    ["hexadecimal", ["0x10", "0x20", "0x10", "0x20"], "category", undefined],
  ])("%s", (_, cells, kind, why) => {
    expect(first(cells)).toMatchObject({ kind, ...(why === undefined ? {} : { why }) });
  });

  test("an id by its name is ignored where no value repeats, and only there", () => {
    expect(first(["31", "7", "19"], { name: "customer_id" })).toMatchObject({
      kind: "ignored",
      why: "an id",
    });
    expect(first(["31", "7", "31", "9"], { name: "customer_id" }).kind).toBe("number");
    expect(first(["31", "7", "19"], { name: "liquid" }).kind).toBe("number");
  });

  test("a comma is a decimal point where it does not separate", () => {
    expect([...first(["1,5", "2,25", "3"], { separator: ";" }).numbers()]).toEqual([1.5, 2.25, 3]);
    expect(first(['"1,5"', '"2,5"', '"3,5"']).kind).toBe("ignored");
    expect(numberIn("1,234,5", true)).toBeNaN();
    expect(numberIn("1.234,5", true)).toBeNaN();
  });

  test("its facts are counted over all rows", () => {
    expect(first(["a", "NA", "b", "a", "", "c", "d", "c"])).toMatchObject({
      missing: 2,
      distinct: 4,
      examples: ["a", "b", "c"],
    });
  });
});

suite("what a person corrects", () => {
  test("is read again as it was written, whatever the names hold", () => {
    const name = fc.string({
      unit: fc.constantFrom("a", " ", ",", "=", '"', "木", "\t"),
      minLength: 1,
      maxLength: 8,
    });
    const entries = fc.uniqueArray(fc.tuple(name, fc.constantFrom(...COLUMN_KINDS)), {
      selector: ([key]) => key,
    });
    fc.assert(
      fc.property(entries, (list) => {
        const kinds = new Map(list);
        expect(correctionsOf(correctionsText(kinds))).toEqual({ ok: true, kinds });
      }),
    );
  });

  test("may be written with spaces and by hand", () => {
    const kinds = new Map([
      ["year built", "category"],
      ["a,b", "ignored"],
    ]);
    expect(correctionsOf(' year built = category ,"a,b"=ignored')).toEqual({ ok: true, kinds });
    expect(correctionsOf("  ")).toEqual({ ok: true, kinds: new Map() });
  });

  test.each([
    ["year", "“year” is not NAME=KIND"],
    ["=number", "“=number” is not NAME=KIND"],
    ["x=number, year", "“year” is not NAME=KIND"],
    ["x=text", "“x=text”: a column is one of number, category, ignored"],
    ["x=", "“x=”: a column is one of"],
    ["x=number=2", "“x=number=2” is not NAME=KIND"],
    ["x=number, x=category", "The column “x” stands there twice"],
    ['"x=number', "is not NAME=KIND"],
  ])("%j is refused: %s", (text, message) => {
    const read = correctionsOf(text);
    expect(read.ok ? "" : read.problem).toContain(message);
  });
});

suite("which columns are used", () => {
  const columns = columnsWith(["1", "4", "2", "8", "5", "7", "1", "9"]);

  test("the target is the last that can be used, and a correction moves it", () => {
    expect(chosenColumns(columns, "", "").target.name).toBe("y");
    expect(chosenColumns(columns, "", "x").target.name).toBe("x");
    expect(
      usualTarget(columns.map(({ name, kind }) => ({ name, kind: name === "y" ? "ignored" : kind }))),
    ).toBe("x");
    expect(chosenColumns(columns, "y=category", "").target.kind).toBe("category");
  });

  test.each([
    ["z=number", "", "“columns” names “z”, which is no column of the table; its columns are x, y"],
    ["", "z", "“target” names “z”"],
    ["y", "", "The setting “columns”: “y” is not NAME=KIND"],
    ["x=ignored", "x", "The target “x” is ignored"],
    ["x=ignored", "", "Only “y” can be used, and there is nothing to tell it from: x"],
    ["x=ignored, y=ignored", "", "No column can be used"],
  ])("columns %j and target %j are refused", (corrections, target, message) => {
    const attempt = (): unknown => chosenColumns(columns, corrections, target);
    expect(attempt).toThrow(message);
    expect(attempt).toThrow(expect.toSatisfy((error) => hasCode(error, "invalid")));
  });

  test("words are no numbers, whatever is asked", () => {
    const words = columnsWith(["a", "b", "a", "b"]);
    expect(() => chosenColumns(words, "x=number", "")).toThrow("“x” holds no number at all");
  });
});
