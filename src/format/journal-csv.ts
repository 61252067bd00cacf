/**
 * The journal as a table that a spreadsheet or pandas reads: step, loss, learning rate, milliseconds. Each number has at
 * most nine digits, which give that very float32 again; of what is no number only that is kept.
 */
import type { Bytes } from "./bytes";
import type { JournalRows } from "./run";
import { fail } from "./parse";

const HEAD = "step,loss,rate,ms";
const COLUMNS = 4;
const ROWS_TO_A_PIECE = 16_384;
/** Longer than any that is written. */
const MAX_LINE = 120;
const ASCII = new TextDecoder("latin1");

/** In pieces of so many rows; the head alone where there is no row. Losses that are no numbers are nan, inf and -inf. */
export function* journalCsv(rows: JournalRows | null): Generator<Bytes> {
  const encoder = new TextEncoder();
  let lines = `${HEAD}\n`;
  for (let row = 0; row < (rows?.loss.length ?? 0) && rows !== null; row += 1) {
    const { from, loss, rate, ms } = rows;
    lines += `${from + row},${textOf(loss[row])},${textOf(rate[row])},${textOf(ms[row])}\n`;
    if ((row + 1) % ROWS_TO_A_PIECE !== 0) continue;
    yield encoder.encode(lines);
    lines = "";
  }
  if (lines !== "") yield encoder.encode(lines);
}

/** The rows in a table that comes in pieces. `corrupt` for any other text than `journalCsv` writes. */
export class JournalTable {
  readonly #what: string;
  #rest = "";
  #begun = false;
  #from = 0;
  #length = 0;
  #columns = [new Float32Array(64), new Float32Array(64), new Float32Array(64)] as const;

  /** `what`: the name of the table, for errors. */
  constructor(what: string) {
    this.#what = what;
  }

  add(piece: Uint8Array): void {
    // Every line is ASCII; what is not is another character here, and no line that was written.
    const text = this.#rest + ASCII.decode(piece);
    let at = 0;
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", at)) {
      this.#line(text.slice(at, end));
      at = end + 1;
    }
    this.#rest = text.slice(at);
    if (this.#rest.length > MAX_LINE) fail(this.#what, "has a line that is too long");
  }

  /** Null where there is no row. */
  finish(): JournalRows | null {
    if (!this.#begun || this.#rest !== "") return fail(this.#what, "ends within a line");
    if (this.#length === 0) return null;
    const [loss, rate, ms] = this.#columns;
    const length = this.#length;
    return {
      from: this.#from,
      loss: loss.slice(0, length),
      rate: rate.slice(0, length),
      ms: ms.slice(0, length),
    };
  }

  #line(line: string): void {
    if (!this.#begun) {
      if (line !== HEAD) fail(this.#what, `is no table of ${HEAD}`);
      this.#begun = true;
      return;
    }
    const cells = line.slice(0, MAX_LINE).split(",", COLUMNS + 1);
    const step = Number(cells[0]);
    if (this.#length === 0) this.#from = step;
    const values = cells.slice(1).map(numberOf);
    const written = [this.#from + this.#length, ...values.map(textOf)].join(",");
    if (!Number.isSafeInteger(step) || step < 1 || values.length !== COLUMNS - 1 || written !== line)
      fail(this.#what, `has a line for step ${this.#from + this.#length} that is not as it was written`);
    this.#reserve();
    for (const [at, value] of values.entries()) this.#columns[at as 0 | 1 | 2].set([value], this.#length);
    this.#length += 1;
  }

  #reserve(): void {
    const [loss, rate, ms] = this.#columns;
    if (this.#length < loss.length) return;
    const larger = (column: Float32Array<ArrayBuffer>) => {
      const grown = new Float32Array(2 * column.length);
      grown.set(column);
      return grown;
    };
    this.#columns = [larger(loss), larger(rate), larger(ms)];
  }
}

/** Nine digits tell any two float32 apart (IEEE 754-2019, 5.12.2). */
function textOf(value = Number.NaN): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value < 0 ? "-inf" : "inf";
  if (Object.is(value, -0)) return "-0";
  return String(Number(Math.fround(value).toPrecision(9)));
}

function numberOf(text: string): number {
  if (text === "inf") return Infinity;
  if (text === "-inf") return -Infinity;
  return Math.fround(Number(text));
}
