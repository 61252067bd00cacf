/** What every catalogue does. Each implementation's test calls this once. */
import { expect, suite, test } from "vitest";
import { HoldfastError } from "../../src/errors";
import type { Catalog, JournalBlock } from "../../src/store/tables";

function block(run: string, from: number, bits: readonly number[] = [1]): JournalBlock {
  const column = () => new Float32Array(Uint32Array.from(bits).buffer);
  return { run, from, loss: column(), rate: column(), ms: column() };
}

/** `open` gives an empty catalogue. */
export function catalogConforms(name: string, open: () => Promise<Catalog>): void {
  suite(`${name} is a catalogue`, () => {
    test("rows come back by key, and absent ones are undefined", async () => {
      const catalog = await open();
      await catalog.write("strict", async (tx) => {
        await tx.put("owners", { run: "r1", epoch: 3 });
        await tx.put("packs", { name: "p-1", run: null, size: 4096, created: 1 });
      });
      await catalog.read(async (tx) => {
        expect(await tx.get("owners", "r1")).toEqual({ run: "r1", epoch: 3 });
        expect(await tx.get("owners", "r2")).toBeUndefined();
        expect(await tx.all("packs")).toEqual([{ name: "p-1", run: null, size: 4096, created: 1 }]);
        expect(await tx.at("journal", "r1", 1)).toBeUndefined();
        expect(await tx.last("journal", "r1")).toBeUndefined();
      });
      catalog.close();
    });

    test("rows of a run come in the order of their numbers, and only its own", async () => {
      const catalog = await open();
      await catalog.write("relaxed", async (tx) => {
        for (const from of [100, 9, 1, 1_000_000]) await tx.put("journal", block("r2", from));
        await tx.put("journal", block("r1", 5));
        await tx.put("journal", block("r20", 7));
      });
      await catalog.read(async (tx) => {
        const numbers = async (span?: { from?: number; to?: number }) =>
          (await tx.of("journal", "r2", span)).map(({ from }) => from);
        expect(await numbers()).toEqual([1, 9, 100, 1_000_000]);
        expect(await numbers({ from: 9, to: 100 })).toEqual([9, 100]);
        expect(await numbers({ from: 10 })).toEqual([100, 1_000_000]);
        expect(await numbers({ from: 50, to: 20 })).toEqual([]);
        expect((await tx.last("journal", "r2"))?.from).toBe(1_000_000);
        expect((await tx.last("journal", "r2", 99))?.from).toBe(9);
        expect(await tx.last("journal", "r2", 0)).toBeUndefined();
      });
      await catalog.write("relaxed", async (tx) => {
        await tx.removeAt("journal", "r2", 9);
        await tx.removeOf("journal", "r1");
      });
      await catalog.read(async (tx) => {
        expect((await tx.of("journal", "r2")).map(({ from }) => from)).toEqual([1, 100, 1_000_000]);
        expect(await tx.of("journal", "r1")).toEqual([]);
        expect(await tx.of("journal", "r20")).toHaveLength(1);
      });
      catalog.close();
    });

    test("bits survive, those of a NaN too", async () => {
      const catalog = await open();
      const bits = [0x7fc00001, 0xffa12345, 0x80000000, 0x00000001];
      await catalog.write("relaxed", (tx) => tx.put("journal", block("r1", 1, bits)));
      const row = await catalog.read((tx) => tx.at("journal", "r1", 1));
      expect([...new Uint32Array(row?.loss.buffer ?? new ArrayBuffer(0))]).toEqual(bits);
      catalog.close();
    });

    test("what work throws undoes all of it, and comes out unchanged", async () => {
      const catalog = await open();
      await catalog.write("strict", (tx) => tx.put("owners", { run: "r1", epoch: 1 }));
      const thrown = new HoldfastError("fenced", "no");
      const work = catalog.write("strict", async (tx) => {
        await tx.put("owners", { run: "r1", epoch: 2 });
        await tx.put("owners", { run: "r2", epoch: 1 });
        await tx.removeOf("journal", "r1");
        throw thrown;
      });
      await expect(work).rejects.toBe(thrown);
      expect(await catalog.read((tx) => tx.all("owners"))).toEqual([{ run: "r1", epoch: 1 }]);
      catalog.close();
    });

    test("writes see each other one after the other", async () => {
      const catalog = await open();
      await catalog.write("strict", (tx) => tx.put("owners", { run: "r1", epoch: 0 }));
      const raise = () =>
        catalog.write("relaxed", async (tx) => {
          const row = await tx.get("owners", "r1");
          await tx.put("owners", { run: "r1", epoch: (row?.epoch ?? 0) + 1 });
        });
      await Promise.all(Array.from({ length: 20 }, raise));
      expect((await catalog.read((tx) => tx.get("owners", "r1")))?.epoch).toBe(20);
      catalog.close();
    });

    test("a row is the catalogue's own copy", async () => {
      const catalog = await open();
      const row = block("r1", 1, [7]);
      await catalog.write("relaxed", (tx) => tx.put("journal", row));
      row.loss.fill(9);
      const first = await catalog.read((tx) => tx.at("journal", "r1", 1));
      first?.loss.fill(9);
      const second = await catalog.read((tx) => tx.at("journal", "r1", 1));
      expect(new Uint32Array(second?.loss.buffer ?? new ArrayBuffer(0))[0]).toBe(7);
      catalog.close();
    });
  });
}
