/**
 * Comma-separated values (RFC 4180), as people have them: with a byte order mark, any line ends, `,`, `;` or a tab between
 * cells, and a few lines that went wrong.
 *
 * Written here and not taken from a package, because what it reads is part of a run: a newer version that reads one
 * line otherwise would change the numbers of every run on that file.
 */
import { HoldfastError } from "../errors";

const MIB = 1024 * 1024;
const MAX_COLUMNS = 1000;
const MAX_ROWS = 1_000_000;
/** Lines that are read to find out what stands between cells. */
const GUESS_RECORDS = 20;
/** Of the lines that are left out, so many are named. */
const NAMED_LINES = 5;
const LINE_END = /\r\n|\n|\r/g;
const SEPARATORS = [",", ";", "\t"] as const;

export type Separator = (typeof SEPARATORS)[number];

/** A table, column by column; each column has a cell for each row. */
export interface CsvTable {
  readonly separator: Separator;
  readonly columns: readonly { readonly name: string; readonly cells: readonly string[] }[];
  readonly rows: number;
  /** What was left out or given a name, in sentences. */
  readonly notes: readonly string[];
}

interface Line {
  /** Counted from 1, where it begins. */
  readonly number: number;
  readonly cells: readonly string[];
  /** Why it cannot be used. */
  readonly problem: string | null;
}

/**
 * Reads a table of at most `maxBytes` with a line of names. Cells lose the spaces around them, empty lines are passed over. Throws `invalid` where it is no text, no
 * table, larger than can be trained on, or where most lines are malformed.
 */
export function csvTable(bytes: Uint8Array<ArrayBuffer>, maxBytes: number): CsvTable {
  const text = textOf(bytes, maxBytes);
  const separator = separatorOf(text);
  const lines = linesOf(text, separator);
  const header = lines.next();
  if (header.done === true)
    throw invalid("The table is empty. Choose a CSV file with a line of names and rows below it.");
  if (header.value.problem !== null)
    throw invalid(
      `Line ${header.value.number}, the names of the columns, ${header.value.problem}. Mend it, and choose the file again.`,
    );
  const { names, notes } = namesOf(header.value.cells);
  if (names.length > MAX_COLUMNS)
    throw invalid(
      `The table has ${names.length} columns; at most ${MAX_COLUMNS} can be used. Leave some out.`,
    );
  const cells: string[][] = names.map(() => []);
  const malformed: string[] = [];
  let rows = 0;
  let leftOut = 0;
  for (const { number, cells: found, problem } of lines) {
    const wrong =
      problem ?? (found.length === names.length ? null : `has ${found.length} of ${names.length} cells`);
    if (wrong !== null) {
      leftOut += 1;
      if (malformed.length < NAMED_LINES) malformed.push(`line ${number} ${wrong}`);
      continue;
    }
    rows += 1;
    if (rows > MAX_ROWS)
      throw invalid(`The table has more than ${MAX_ROWS} rows, which is the limit. Choose a part of it.`);
    for (const [i, cell] of found.entries()) cells[i]?.push(cell.trim());
  }
  const named = `${malformed.join("; ")}${leftOut > malformed.length ? "; and more" : ""}`;
  if (leftOut > rows)
    throw invalid(
      `Most lines are malformed, ${leftOut} of ${leftOut + rows}: ${named}. Save the table as CSV again, with one line of names.`,
    );
  if (rows === 0)
    throw invalid(
      "The table has names of columns and no rows. Choose a file with rows below its first line.",
    );
  return {
    separator,
    columns: names.map((name, i) => ({ name, cells: cells[i] ?? [] })),
    rows,
    notes: leftOut === 0 ? notes : [...notes, `Left out as malformed: ${named}.`],
  };
}

function textOf(bytes: Uint8Array<ArrayBuffer>, maxBytes: number): string {
  if (bytes.length > maxBytes)
    throw invalid(
      `The table is ${(bytes.length / MIB).toFixed(1)} MiB; at most ${maxBytes / MIB} MiB can be used. Choose a part of it.`,
    );
  const nul = bytes.indexOf(0);
  if (nul >= 0)
    throw invalid(
      `This is no CSV file: byte ${nul} is zero. Save the table as CSV in UTF-8, not as a workbook and not in UTF-16.`,
    );
  try {
    // Takes a byte order mark away.
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw invalid("This is no CSV file in UTF-8. Save the table as “CSV UTF-8”.", cause);
  }
}

/** The one with which the first lines have as many cells as the names, and most of them. */
function separatorOf(text: string): Separator {
  let best: { readonly separator: Separator; readonly score: number } | null = null;
  for (const separator of SEPARATORS) {
    let width = 0;
    let score = 0;
    let seen = 0;
    for (const { cells, problem } of linesOf(text, separator)) {
      if (seen === 0) width = cells.length + (problem === null ? 0 : 1);
      // More cells count only between separators that fit equally many lines.
      if (problem === null && cells.length === width && width > 1)
        score += 1 + width / (GUESS_RECORDS * MAX_COLUMNS);
      seen += 1;
      if (seen === GUESS_RECORDS) break;
    }
    if (score > (best?.score ?? 0)) best = { separator, score };
  }
  if (best !== null) return best.separator;
  if (text.trim() === "")
    throw invalid("The table is empty. Choose a CSV file with a line of names and rows below it.");
  throw invalid(
    "The first line has no comma, semicolon or tab: a table needs two columns at least, with a name each.",
  );
}

/** Every name once, and none empty. */
function namesOf(header: readonly string[]): {
  readonly names: readonly string[];
  readonly notes: readonly string[];
} {
  const notes: string[] = [];
  const taken = new Set(header.map((name) => name.trim()).filter((name) => name !== ""));
  const used = new Set<string>();
  const names = header.map((cell, i) => {
    const wanted = cell.trim() === "" ? `column ${i + 1}` : cell.trim();
    let name = wanted;
    for (let again = 2; used.has(name) || (name !== cell.trim() && taken.has(name)); again++)
      name = `${wanted} (${again})`;
    used.add(name);
    if (name !== cell.trim()) notes.push(`Column ${i + 1} is called “${name}” here.`);
    return name;
  });
  if (names.every((name) => Number.isFinite(Number(name))))
    notes.push(
      "The first line is taken for names, but is all numbers: if it is a row, put a line of names above it.",
    );
  return { names, notes };
}

/** Every line that is not empty; one with a line end inside of quotes is one. */
function* linesOf(text: string, separator: Separator): Generator<Line, void> {
  let at = 0;
  let number = 1;
  while (at < text.length) {
    const line = lineAt(text, at, number, separator);
    if (line.cells.length > 1 || line.cells[0]?.trim() !== "" || line.problem !== null) yield line;
    at = line.end;
    number = line.next;
  }
}

/** The line that begins at `begin`, where it ends, and the number of the one after it. */
function lineAt(
  text: string,
  begin: number,
  number: number,
  separator: Separator,
): Line & { readonly end: number; readonly next: number } {
  const cells: string[] = [];
  let at = begin;
  let next = number + 1;
  // One quote too many takes all up to the next one with it, which is some line that is whole: only the line where it begins is
  // given up. A text is read twice at most: what a quote reaches over holds none that would open another.
  const broken = (problem: string): ReturnType<typeof lineAt> => {
    const end = afterLine(text, cellEnd(text, begin, null));
    return { number, cells, problem, end, next: number + 1 };
  };
  for (;;) {
    if (text[at] === '"') {
      const close = closingQuote(text, at + 1);
      if (close < 0) return broken("has a quote that never ends");
      const cell = text.slice(at + 1, close);
      next += cell.match(LINE_END)?.length ?? 0;
      cells.push(cell.replaceAll('""', '"'));
      at = close + 1;
      if (at !== cellEnd(text, at, separator)) return broken("goes on after a quote has ended");
    } else {
      const end = cellEnd(text, at, separator);
      cells.push(text.slice(at, end));
      at = end;
    }
    if (text[at] !== separator) return { number, cells, problem: null, end: afterLine(text, at), next };
    at += 1;
  }
}

function afterLine(text: string, end: number): number {
  return end + (text.startsWith("\r\n", end) ? 2 : 1);
}

/** Where the quote that opened before `at` is closed; -1 where it never is. */
function closingQuote(text: string, at: number): number {
  let quote = text.indexOf('"', at);
  while (quote >= 0 && text[quote + 1] === '"') quote = text.indexOf('"', quote + 2);
  return quote;
}

/** The next separator or line end, or the end of the text. */
function cellEnd(text: string, from: number, separator: Separator | null): number {
  for (let at = from; at < text.length; at++) {
    const character = text[at];
    if (character === "\n" || character === "\r" || character === separator) return at;
  }
  return text.length;
}

function invalid(message: string, cause?: unknown): HoldfastError {
  return new HoldfastError("invalid", message, { cause });
}
