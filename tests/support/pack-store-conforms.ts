/** What every pack store does. Each implementation's test calls this once. */
import { expect, suite, test } from "vitest";
import { hasCode } from "../../src/errors";
import { equalBytes } from "../../src/format/bytes";
import { isPackName, type PackStore } from "../../src/store/pack-store";

const always = () => Promise.resolve(true);

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    for (const code of ["missing", "corrupt", "quota", "busy", "refused"] as const)
      if (hasCode(error, code)) return code;
    return `another error: ${String(error)}`;
  }
  return "no error";
}

/** `open` gives a store that may hold packs of earlier tests. */
export function packStoreConforms(name: string, open: () => Promise<PackStore>): void {
  suite(`${name} is a pack store`, () => {
    test("bytes come back from where they were put", async () => {
      const store = await open();
      const pack = await store.create();
      expect(isPackName(pack.name)).toBe(true);
      expect(pack.size).toBe(0);
      expect(await pack.append(Uint8Array.of(1, 2, 3))).toBe(0);
      expect(await pack.append(Uint8Array.of(4, 5))).toBe(3);
      await pack.flush();
      expect(pack.size).toBe(5);
      expect(await store.sizeOf(pack.name)).toBe(5);
      expect(await store.read(pack.name, 2, 3)).toEqual(Uint8Array.of(3, 4, 5));
      await pack.close();
      expect(await store.read(pack.name, 0, 5)).toEqual(Uint8Array.of(1, 2, 3, 4, 5));
    });

    test("it stores the view, not its whole buffer", async () => {
      const store = await open();
      const pack = await store.create();
      await pack.append(Uint8Array.of(9, 9, 1, 2, 9, 9).subarray(2, 4));
      await pack.flush();
      expect(await store.sizeOf(pack.name)).toBe(2);
      expect(await store.read(pack.name, 0, 2)).toEqual(Uint8Array.of(1, 2));
      await pack.close();
    });

    test("what was read is the reader's own", async () => {
      const store = await open();
      const pack = await store.create();
      await pack.append(Uint8Array.of(1, 2));
      await pack.flush();
      (await store.read(pack.name, 0, 2)).fill(7);
      expect(await store.read(pack.name, 0, 2)).toEqual(Uint8Array.of(1, 2));
      await pack.close();
    });

    test("a large pack grows whole", async () => {
      const store = await open();
      const pack = await store.create();
      const bytes = new Uint8Array(3_000_001).map((_, index) => index % 251);
      await pack.append(bytes);
      await pack.append(bytes);
      await pack.flush();
      expect(equalBytes(await store.read(pack.name, bytes.length, bytes.length), bytes)).toBe(true);
      await pack.close();
    });

    test("reading past the end is damage, not fewer bytes", async () => {
      const store = await open();
      const pack = await store.create();
      await pack.append(new Uint8Array(10));
      await pack.flush();
      expect(await codeOf(store.read(pack.name, 5, 6))).toBe("corrupt");
      expect(await codeOf(store.read("p-0000000000000000", 0, 1))).toBe("missing");
      expect(await store.sizeOf("p-0000000000000000")).toBeNull();
      await pack.close();
    });

    test("a pack that was let go of is opened again, and written behind what it has", async () => {
      const store = await open();
      const pack = await store.create();
      await pack.append(Uint8Array.of(1, 2));
      expect(await store.open(pack.name)).toBeNull();
      await pack.close();
      const again = await store.open(pack.name);
      expect(again?.size).toBe(2);
      expect(await again?.append(Uint8Array.of(3))).toBe(2);
      await again?.flush();
      expect(await store.read(pack.name, 0, 3)).toEqual(Uint8Array.of(1, 2, 3));
      await again?.close();
      expect(await store.open("p-0000000000000000")).toBeNull();
    });

    test("bytes that are cut are gone, and their place is used again", async () => {
      const store = await open();
      const pack = await store.create();
      await pack.append(Uint8Array.of(1, 2, 3, 4));
      await pack.cut(2);
      expect(pack.size).toBe(2);
      expect(await pack.append(Uint8Array.of(8))).toBe(2);
      await pack.flush();
      expect(await store.read(pack.name, 0, 3)).toEqual(Uint8Array.of(1, 2, 8));
      expect(await store.sizeOf(pack.name)).toBe(3);
      await pack.close();
    });

    test("two open packs are never the same", async () => {
      const store = await open();
      const packs = await Promise.all([store.create(), store.create(), store.create()]);
      expect(new Set(packs.map((pack) => pack.name)).size).toBe(3);
      for (const pack of packs) await pack.close();
    });

    test("packs are listed by name, with their sizes", async () => {
      const store = await open();
      const pack = await store.create();
      await pack.append(new Uint8Array(17));
      await pack.flush();
      const files = await store.list();
      expect(files).toContainEqual({ name: pack.name, size: 17 });
      expect(files.map((file) => file.name)).toEqual(files.map((file) => file.name).toSorted());
      await pack.close();
    });

    test("an open pack cannot be recycled", async () => {
      const store = await open();
      const pack = await store.create();
      await pack.append(Uint8Array.of(1));
      await pack.flush();
      expect(await store.recycle(pack.name, always)).toBe(false);
      expect(await store.read(pack.name, 0, 1)).toEqual(Uint8Array.of(1));
      await pack.close();
      await pack.close();
    });

    test("a pack is recycled only if it is still free once it is held", async () => {
      const store = await open();
      const pack = await store.create();
      await pack.append(Uint8Array.of(1));
      await pack.flush();
      await pack.close();
      expect(await store.recycle(pack.name, () => Promise.resolve(false))).toBe(false);
      expect(await store.sizeOf(pack.name)).toBe(1);
      expect(await store.recycle(pack.name, always)).toBe(true);
      expect((await store.sizeOf(pack.name)) ?? 0).toBe(0);
      expect(await store.recycle("p-0000000000000000", always)).toBe(true);
    });

    test("a recycled pack starts empty", async () => {
      const store = await open();
      const used = await store.create();
      await used.append(new Uint8Array(100));
      await used.flush();
      await used.close();
      await store.recycle(used.name, always);
      const pack = await store.create();
      expect(pack.size).toBe(0);
      expect(await pack.append(Uint8Array.of(5))).toBe(0);
      await pack.flush();
      expect(await store.sizeOf(pack.name)).toBe(1);
      await pack.close();
    });
  });
}
