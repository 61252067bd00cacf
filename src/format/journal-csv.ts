/**
 * The journal as a table that a spreadsheet or pandas reads: step, loss, learning rate, milliseconds. Each number is
 * the shortest text of at most nine digits that is that very float32 again, bit for bit.
 */
import { HoldfastError } from "../errors";
import type { Bytes } from "./bytes";
import type { JournalRows } from "./run";
import { fail } from "./parse";

const HEAD = "step,loss,rate,ms";
const ROWS_TO_A_PIECE = 16_384;

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

/** The rows in the table, null for none. `corrupt` for any other text than `journalCsv` writes. */
export function parseJournalCsv(bytes: Bytes, what: string): JournalRows | null {
  const text = textIn(bytes, what);
  const lines = text.split("\n");
  const count = lines.length - 2;
  if (count < 0 || lines[0] !== HEAD || lines.at(-1) !== "") return fail(what, `is no table of ${HEAD}`);
  if (count === 0) return null;
  const from = Number(lines[1]?.split(",", 1)[0]);
  if (!Number.isSafeInteger(from) || from < 1) return fail(what, "does not begin with a step");
  const rows = {
    from,
    loss: new Float32Array(count),
    rate: new Float32Array(count),
    ms: new Float32Array(count),
  };
  for (let row = 0; row < count; row += 1) {
    const cells = lines[row + 1]?.split(",", 5) ?? [];
    const [step, ...values] = cells;
    const [loss = Number.NaN, rate = Number.NaN, ms = Number.NaN] = values.map(numberOf);
    rows.loss[row] = loss;
    rows.rate[row] = rate;
    rows.ms[row] = ms;
    const again = [from + row, textOf(loss), textOf(rate), textOf(ms)].join(",");
    if (again !== lines[row + 1])
      return fail(what, `has a line for step ${step?.slice(0, 20)} that is not as it was written`);
  }
  return rows;
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

function textIn(bytes: Bytes, what: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new HoldfastError("corrupt", `${what} is not text in UTF-8.`, { cause: error });
  }
}
