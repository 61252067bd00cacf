import fc from "fast-check";
import { expect, suite, test } from "vitest";
import { hasCode } from "../../src/errors";
import { csvTable } from "../../src/tasks/csv";

const MIB = 1024 * 1024;
const LINE_ENDS = ["\n", "\r\n", "\r"] as const;
const SEPARATORS = [",", ";", "\t"] as const;

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

function read(text: string): ReturnType<typeof csvTable> {
  return csvTable(bytesOf(text), MIB);
}

/** Rows as they were before they were taken apart into columns. */
function rowsOf({ columns, rows }: ReturnType<typeof csvTable>): string[][] {
  return Array.from({ length: rows }, (_, row) => columns.map(({ cells }) => cells[row] ?? "?"));
}

/** As RFC 4180 says; `quotes` where they are not needed. */
function written(
  rows: readonly (readonly string[])[],
  { separator, lineEnd, quotes }: { separator: string; lineEnd: string; quotes: boolean },
): string {
  const cell = (value: string): string =>
    quotes || /[",;\t\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
  return rows.map((row) => row.map(cell).join(separator)).join(lineEnd);
}

const value = fc
  .string({
    unit: fc.constantFrom("a", "ß", "木", "😀", "7", '"', ",", ";", "\t", "\n", "\r", " "),
    maxLength: 6,
  })
  .map((text) => text.trim());

/** Names that hold none of the separators, so that only one of them can be the one. */
const given = fc
  .record({
    separator: fc.constantFrom(...SEPARATORS),
    lineEnd: fc.constantFrom(...LINE_ENDS),
    quotes: fc.boolean(),
    ends: fc.boolean(),
    mark: fc.boolean(),
    width: fc.integer({ min: 2, max: 6 }),
  })
  .chain((form) =>
    fc.record({
      form: fc.constant(form),
      rows: fc.array(fc.array(value, { minLength: form.width, maxLength: form.width }), {
        minLength: 1,
        maxLength: 12,
      }),
    }),
  );

suite("a table that is written is read again", () => {
  test("whatever its cells hold, its separator, its line ends, and however much is quoted", () => {
    fc.assert(
      fc.property(given, ({ form, rows }) => {
        const names = Array.from({ length: form.width }, (_, i) => `name ${i}`);
        const body = written([names, ...rows], form);
        const text = `${form.mark ? "\uFEFF" : ""}${body}${form.ends ? form.lineEnd : ""}`;
        const table = read(text);
        expect(table.separator).toBe(form.separator);
        expect(table.columns.map(({ name }) => name)).toEqual(names);
        expect(rowsOf(table)).toEqual(rows);
        expect(table.notes).toEqual([]);
      }),
      { numRuns: 400 },
    );
  });

  test("control: a writer that forgets to double quotes is noticed", () => {
    const rows = rowsOf(read('a,b\n1,"say ""hi"""\n'));
    expect(rows).toEqual([["1", 'say "hi"']]);
    expect(read('a,b\n1,2\n1,"say "hi""\n').notes).toEqual([
      "Left out as malformed: line 3 goes on after a quote has ended.",
    ]);
  });

  test("any bytes are a table or a reason", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          expect(csvTable(Uint8Array.from(bytes), MIB).rows).toBeGreaterThan(0);
        } catch (error) {
          expect(hasCode(error, "invalid")).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });

  test("any text of quotes, separators and line ends is a table or a reason", () => {
    const unit = fc.constantFrom('"', '""', ",", "\n", "\r\n", "a");
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 60 }), (text) => {
        try {
          const table = read(`a,b\n${text}`);
          for (const { cells } of table.columns) expect(cells).toHaveLength(table.rows);
        } catch (error) {
          expect(hasCode(error, "invalid")).toBe(true);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

suite("the separator", () => {
  test.each([
    ["a;b\n1,5;2,5\n3,5;4\n", ";"],
    ["a\tb, c\n1\t2\n", "\t"],
    ["a,b;c,d\n1,2;3,4\n", ","],
    ['"a;b",c\n1,2\n', ","],
  ])("of %j is %j", (text, separator) => {
    expect(read(text).separator).toBe(separator);
  });
});

suite("lines that went wrong", () => {
  const good = Array.from({ length: 20 }, (_, i) => `${i},x`).join("\n");

  test("are left out and named, and the others stay", () => {
    const table = read(`a,b\n1,2,3\n4\n\n5,6\n"7"8,9\n${good}\n`);
    expect(table.rows).toBe(21);
    expect(rowsOf(table)[0]).toEqual(["5", "6"]);
    expect(table.notes).toEqual([
      "Left out as malformed: line 2 has 3 of 2 cells; line 3 has 1 of 2 cells; line 6 goes on after a quote has ended.",
    ]);
  });

  test("a quote that never ends takes its own line and no other", () => {
    const table = read(`a,b\n1,"2\n${good}\n3,"4 ""5"""`);
    expect(table.rows).toBe(21);
    expect(table.notes).toEqual(["Left out as malformed: line 2 goes on after a quote has ended."]);
    const lone = read(`a,b\n${good}\n1,"2\n3,4\n5,"6""7\n8,9\n`);
    expect(lone.rows).toBe(22);
    expect(lone.notes).toEqual([
      "Left out as malformed: line 22 goes on after a quote has ended; line 24 has a quote that never ends.",
    ]);
  });

  test("however many quotes are wrong, it is read in one go", () => {
    // Each would be looked for up to the end again, if that were not known: 10^12 characters.
    const table = read(`a,b\n${"1,2\n".repeat(100_000)}${'"x\n""y\n'.repeat(50_000)}`);
    expect(table.rows).toBe(100_000);
  });

  test("are counted as lines of the file, also behind a cell of several lines", () => {
    expect(read(`a,b\r\n"1\r\n1\r\n1",2\r\n3\r\n${good}`).notes).toEqual([
      "Left out as malformed: line 5 has 1 of 2 cells.",
    ]);
  });

  test("only the first few are named", () => {
    const [note] = read(`a,b\n${"1\n".repeat(9)}${good}`).notes;
    expect(note).toMatch(/line 2 .*line 6 has 1 of 2 cells; and more\.$/);
    expect(note).not.toContain("line 7");
  });

  test("quotes inside of a bare cell are its own", () => {
    expect(rowsOf(read('a,b\n5" nail,2\n'))).toEqual([['5" nail', "2"]]);
  });
});

test("names that are empty or there twice are made, and that is said", () => {
  const table = read(",x,x, x (2) \n1,2,3,4\n");
  expect(table.columns.map(({ name }) => name)).toEqual(["column 1", "x", "x (3)", "x (2)"]);
  expect(table.notes).toEqual(["Column 1 is called “column 1” here.", "Column 3 is called “x (3)” here."]);
  expect(read("1,2\n3,4\n").notes[0]).toMatch(/first line is taken for names, but is all numbers/);
});

suite("what is no table is refused with the reason", () => {
  test.each<[string, Uint8Array<ArrayBuffer>, RegExp]>([
    ["empty", bytesOf(""), /is empty/],
    ["only spaces", bytesOf(" \n \n"), /is empty/],
    ["only a byte order mark", bytesOf("\uFEFF"), /is empty/],
    ["only names", bytesOf("a,b\n"), /names of columns and no rows/],
    ["one column", bytesOf("a\n1\n2\n"), /no comma, semicolon or tab/],
    ["binary", Uint8Array.of(0x50, 0x4b, 0, 1), /byte 2 is zero/],
    ["UTF-16", Uint8Array.of(0xff, 0xfe, 0x61, 0), /not in UTF-16/],
    ["another encoding", Uint8Array.of(0x61, 0x2c, 0xe4, 0x0a), /no CSV file in UTF-8/],
    ["mostly malformed", bytesOf("a,b,c\n1,2,3\n1,2\n1,2\n"), /2 of 3: line 3 has 2 of 3 cells; line 4/],
    [
      "a header cut off",
      bytesOf('a,"b\n1,2\n3,4\n'),
      /Line 1, the names of the columns, has a quote that never ends/,
    ],
    ["too large", new Uint8Array(MIB + 1).fill(0x61), /is 1\.0 MiB; at most 1 MiB/],
    ["too wide", bytesOf(`${"a,".repeat(1000)}b\n1\n`), /has 1001 columns; at most 1000/],
  ])("%s", (_, bytes, message) => {
    const attempt = (): unknown => csvTable(bytes, MIB);
    expect(attempt).toThrow(message);
    expect(attempt).toThrow(expect.toSatisfy((error) => hasCode(error, "invalid")));
  });

  test("more than a million rows", () => {
    const rows = 1_000_001;
    const bytes = bytesOf(`a,b\n${"1,\n".repeat(rows)}`);
    expect(() => csvTable(bytes, 16 * MIB)).toThrow(/more than 1000000 rows/);
  });
});
