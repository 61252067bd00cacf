import { afterAll, expect, suite, test } from "vitest";
import { hasCode } from "../../src/errors";
import { opfsInWorker } from "../support/opfs-in-worker";
import { packStoreConforms } from "../support/pack-store-conforms";

const one = opfsInWorker();
const other = opfsInWorker();

afterAll(() => {
  one.end();
  other.end();
});

packStoreConforms("OPFS", () => Promise.resolve(one.packs));

const always = () => Promise.resolve(true);

suite("packs of two tabs", () => {
  test("one tab reads what the other has written, while it is open", async () => {
    const pack = await one.packs.create();
    await pack.append(Uint8Array.of(1, 2, 3));
    await pack.flush();
    expect(await other.packs.read(pack.name, 1, 2)).toEqual(Uint8Array.of(2, 3));
    await pack.append(Uint8Array.of(4));
    await pack.flush();
    expect(await other.packs.sizeOf(pack.name)).toBe(4);
    expect(await other.packs.read(pack.name, 3, 1)).toEqual(Uint8Array.of(4));
    await pack.close();
  });

  test("one reads what is there while the other appends", async () => {
    const pack = await one.packs.create();
    await pack.append(Uint8Array.from({ length: 500_000 }, (_, at) => at % 251));
    const progress = { done: false };
    const writing = (async () => {
      for (let append = 0; append < 300; append++) await pack.append(new Uint8Array(20_000));
      progress.done = true;
    })();
    let reads = 0;
    for (; !progress.done || reads < 50; reads++) {
      const bytes = await other.packs.read(pack.name, reads, 400_000);
      expect(bytes[7]).toBe((reads + 7) % 251);
    }
    await writing;
    await pack.close();
  });

  test("one tab cannot recycle what the other holds open", async () => {
    const pack = await one.packs.create();
    await pack.append(Uint8Array.of(1));
    await pack.flush();
    expect(await other.packs.recycle(pack.name, always)).toBe(false);
    await pack.close();
    expect(await other.packs.recycle(pack.name, always)).toBe(true);
    expect(await one.packs.sizeOf(pack.name)).toBe(0);
  });

  test("they never take the same empty pack", async () => {
    const packs = await Promise.all([one, other, one, other].map(({ packs: store }) => store.create()));
    expect(new Set(packs.map(({ name }) => name)).size).toBe(4);
    for (const pack of packs) await pack.close();
  });

  test("a recycled name is used again", async () => {
    const pack = await one.packs.create();
    const before = (await one.packs.list()).length;
    await pack.append(new Uint8Array(10));
    await pack.close();
    await one.packs.recycle(pack.name, always);
    const again = await one.packs.create();
    expect((await one.packs.list()).length).toBe(before);
    await again.close();
  });

  test("a pack whose file was removed is told by its name, and not by its handle", async () => {
    const pack = await one.packs.create();
    await pack.append(new Uint8Array(10));
    await pack.flush();
    expect(await one.packs.sizeOf(pack.name)).toBe(10);
    await pack.close();
    const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle("packs");
    await folder.removeEntry(pack.name);
    expect(await one.packs.sizeOf(pack.name)).toBeNull();
    const error: unknown = await one.packs.read(pack.name, 0, 1).catch((reason: unknown) => reason);
    expect(hasCode(error, "missing")).toBe(true);
  });
});
