import fc from "fast-check";
import { expect, suite, test } from "vitest";
import { bytesOf, concat } from "../../src/format/bytes";
import { journalCsv, JournalTable } from "../../src/format/journal-csv";
import type { JournalRows } from "../../src/format/run";
import { failure } from "./support";

const written = (rows: JournalRows | null) => concat([...journalCsv(rows)]);
/** In pieces of three bytes. */
function parsed(bytes: Uint8Array): JournalRows | null {
  const table = new JournalTable("journal.csv");
  for (let at = 0; at < bytes.length; at += 3) table.add(bytes.subarray(at, at + 3));
  return table.finish();
}
const ascii = (text: string) => new TextEncoder().encode(text);

suite("the journal as a table", () => {
  test("gives every float back, bit for bit", () => {
    const float = fc.integer({ min: 0, max: 2 ** 32 - 1 }).map((bits) => {
      const value = new Float32Array(Uint32Array.of(bits).buffer)[0]!;
      return Number.isNaN(value) ? Number.NaN : value;
    });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2 ** 40 }),
        fc.array(fc.tuple(float, float, float), { maxLength: 20 }),
        (from, values) => {
          if (values.length === 0) return;
          const column = (at: 0 | 1 | 2) => Float32Array.from(values, (row) => row[at]);
          const rows = { from, loss: column(0), rate: column(1), ms: column(2) };
          const back = parsed(written(rows))!;
          expect(back.from).toBe(from);
          for (const name of ["loss", "rate", "ms"] as const)
            expect(bytesOf(back[name])).toEqual(bytesOf(rows[name]));
        },
      ),
      { numRuns: 300 },
    );
  });

  test("reads as a person would write it", () => {
    const rows = {
      from: 7,
      loss: Float32Array.of(0.1, Number.NaN),
      rate: Float32Array.of(1e-3, -0),
      ms: Float32Array.of(12.5, Infinity),
    };
    expect(new TextDecoder().decode(written(rows))).toBe(
      "step,loss,rate,ms\n7,0.1,0.001,12.5\n8,nan,-0,inf\n".replace("0.1,0.001", "0.100000001,0.00100000005"),
    );
    expect(parsed(written(null))).toBeNull();
  });

  test.each([
    ["", "ends within a line"],
    ["step,loss,rate\n", "is no table"],
    ["step,loss,rate,ms", "ends within a line"],
    ["step,loss,rate,ms\n0,1,1,1\n", "not as it was written"],
    ["step,loss,rate,ms\nx,1,1,1\n", "not as it was written"],
    ["step,loss,rate,ms\n1,1,1,1\n3,1,1,1\n", "not as it was written"],
    ["step,loss,rate,ms\n1,1,1\n", "not as it was written"],
    ["step,loss,rate,ms\n1,1,1,1,1\n", "not as it was written"],
    ["step,loss,rate,ms\n1,1.0,1,1\n", "not as it was written"],
    ["step,loss,rate,ms\n1, 1,1,1\n", "not as it was written"],
    ["step,loss,rate,ms\n1,0x1,1,1\n", "not as it was written"],
    ["step,loss,rate,ms\r\n", "is no table"],
    ["step,loss,rate,ms\n1,1,1,1", "ends within a line"],
    [`step,loss,rate,ms\n${"1".repeat(200)}`, "a line that is too long"],
  ])("refuses %j", (text, words) => {
    const error = failure(() => parsed(ascii(text)));
    expect(error).toMatchObject({ code: "corrupt" });
    expect(error.message).toContain(words);
  });
});
