import { expect, suite, test } from "vitest";
import { EMPTY_SPARKLINE, extendSparkline } from "../../src/store/sparkline";
import type { JournalRows } from "../../src/format/run";
import { codeOf, sampleRows } from "../support/run-samples";
import { begun, RUN } from "../support/store-parts";

function bits(values: Float32Array<ArrayBuffer>): number[] {
  return [...new Uint32Array(values.buffer, values.byteOffset, values.length)];
}

suite("the journal", () => {
  test("rows that are there already are skipped, and a gap is refused", async () => {
    const { manager, lease } = await begun();
    await manager.appendJournal(lease, sampleRows(1, 10));
    await manager.appendJournal(lease, sampleRows(1, 10));
    await manager.appendJournal(lease, sampleRows(5, 15));
    expect(await codeOf(manager.appendJournal(lease, sampleRows(17, 20)))).toBe("invalid");
    expect(bits((await manager.journal(RUN)).loss)).toEqual(bits(sampleRows(1, 15).loss));
  });

  test("what is there is not overwritten by what is sent again", async () => {
    const { manager, lease } = await begun();
    await manager.appendJournal(lease, sampleRows(1, 3));
    const other = sampleRows(1, 4);
    other.loss.fill(9);
    await manager.appendJournal(lease, other);
    expect(bits((await manager.journal(RUN, 1, 3)).loss)).toEqual(bits(sampleRows(1, 3).loss));
  });

  test("bits survive: NaN payloads, negative zero, denormals", async () => {
    const { manager, lease } = await begun();
    const odd = Uint32Array.of(0x7fc00001, 0xffc12345, 0x7f800001, 0x80000000, 0x00000001, 0xff800000);
    const rows: JournalRows = {
      from: 1,
      loss: new Float32Array(odd.buffer),
      rate: new Float32Array(6),
      ms: new Float32Array(6),
    };
    await manager.appendJournal(lease, rows);
    await manager.appendJournal(lease, sampleRows(7, 8));
    expect(bits((await manager.journal(RUN)).loss).slice(0, 6)).toEqual([...odd]);
  });

  test("any stretch can be read, over any number of flushes and blocks", async () => {
    const { manager, lease } = await begun();
    for (let from = 1; from <= 3000; from += 37)
      await manager.appendJournal(lease, sampleRows(from, from + 36));
    for (const [from, to] of [
      [1, 1],
      [1, 3034],
      [1000, 1100],
      [2999, 9999],
      [38, 74],
    ] as const) {
      const rows = await manager.journal(RUN, from, to);
      expect(rows.from).toBe(from);
      expect(bits(rows.loss)).toEqual(bits(sampleRows(from, Math.min(to, 3034)).loss));
    }
    expect((await manager.journal(RUN, 4000, 5000)).loss).toHaveLength(0);
  });

  test("rows are few in the table, and own their buffers", async () => {
    const { manager, lease, disk } = await begun();
    const large = sampleRows(1, 4000);
    for (let from = 1; from <= 2000; from += 10) {
      const view = (column: Float32Array<ArrayBuffer>) => column.subarray(from - 1, from + 9);
      await manager.appendJournal(lease, {
        from,
        loss: view(large.loss),
        rate: view(large.rate),
        ms: view(large.ms),
      });
    }
    const blocks = await disk.catalog.read((tx) => tx.of("journal", RUN));
    expect(blocks.length).toBeLessThanOrEqual(2);
    for (const block of blocks) expect(block.loss.buffer.byteLength).toBe(block.loss.length * 4);
  });

  test("columns of different lengths are refused", async () => {
    const { manager, lease } = await begun();
    expect(await codeOf(manager.appendJournal(lease, { ...sampleRows(1, 3), ms: new Float32Array(2) }))).toBe(
      "invalid",
    );
    expect(await codeOf(manager.appendJournal(lease, { ...sampleRows(1, 3), from: 0 }))).toBe("invalid");
  });
});

suite("the sparkline", () => {
  test("it is the same however the losses arrive, and never more than 60 points", () => {
    const losses = Float32Array.from({ length: 5000 }, (_, at) => at);
    const once = extendSparkline(EMPTY_SPARKLINE, 0, losses);
    let pieces = EMPTY_SPARKLINE;
    for (let at = 0; at < 5000; at += 7) pieces = extendSparkline(pieces, at, losses.subarray(at, at + 7));
    expect(pieces).toEqual(once);
    expect(once.values.length).toBeLessThanOrEqual(60);
    expect(once.values).toEqual(once.values.map((_, at) => at * once.every));
  });
});
