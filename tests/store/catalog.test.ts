import "fake-indexeddb/auto";
import { openDB } from "idb";
import { expect, suite, test } from "vitest";
import { hasCode } from "../../src/errors";
import { openCatalog } from "../../src/store/catalog";
import { MemoryCatalog } from "../../src/store/memory-catalog";
import { catalogConforms } from "../support/catalog-conforms";

let databases = 0;
const freshName = () => `test-${databases++}`;

catalogConforms("memory", () => Promise.resolve(new MemoryCatalog()));
catalogConforms("IndexedDB", () => openCatalog(freshName()));

suite("the catalogue in IndexedDB", () => {
  test("rows outlive the connection", async () => {
    const name = freshName();
    const first = await openCatalog(name);
    await first.write("strict", (tx) => tx.put("owners", { run: "r1", epoch: 1 }));
    first.close();
    const second = await openCatalog(name);
    expect((await second.read((tx) => tx.get("owners", "r1")))?.epoch).toBe(1);
    second.close();
  });

  test("a closed connection is opened again", async () => {
    const catalog = await openCatalog(freshName());
    catalog.close();
    await catalog.write("strict", (tx) => tx.put("owners", { run: "r1", epoch: 1 }));
    expect(await catalog.read((tx) => tx.all("owners"))).toHaveLength(1);
    catalog.close();
  });

  test("a database of a newer version is refused, in words", async () => {
    const name = freshName();
    const newer = await openDB(name, 99);
    newer.close();
    const error: unknown = await openCatalog(name).catch((reason: unknown) => reason);
    expect(hasCode(error, "refused")).toBe(true);
  });

  test("one of the unreleased version 1 is begun anew", async () => {
    const name = freshName();
    const old = await openDB(name, 1, {
      upgrade: (db) => {
        void db.createObjectStore("data", { keyPath: "hash" }).put({ hash: "h", frames: [] });
        db.createObjectStore("other");
      },
    });
    old.close();
    const catalog = await openCatalog(name);
    expect(await catalog.read((tx) => tx.all("data"))).toEqual([]);
    await catalog.write("strict", (tx) => tx.put("owners", { run: "r1", epoch: 1 }));
    catalog.close();
  });

  test("what version 7 had is kept, and what it lacked is added", async () => {
    const name = freshName();
    const old = await openDB(name, 7, {
      upgrade: (db) => {
        void db.createObjectStore("owners", { keyPath: "run" }).put({ run: "r1", epoch: 5 });
      },
    });
    old.close();
    const catalog = await openCatalog(name);
    expect((await catalog.read((tx) => tx.get("owners", "r1")))?.epoch).toBe(5);
    expect(await catalog.read((tx) => tx.all("mirrors"))).toEqual([]);
    catalog.close();
  });

  test("a newer version is not kept waiting", async () => {
    const name = freshName();
    const catalog = await openCatalog(name);
    const newer = await openDB(name, 99);
    newer.close();
    const error: unknown = await catalog.read((tx) => tx.all("runs")).catch((reason: unknown) => reason);
    expect(hasCode(error, "refused")).toBe(true);
  });

  test("a transaction that the disk refuses at its end is quota, and nothing of it is there", async () => {
    const catalog = await openCatalog(freshName());
    const full = new DOMException("full", "QuotaExceededError");
    const work = catalog.write("strict", async (tx) => {
      await tx.put("owners", { run: "r1", epoch: 1 });
      throw full;
    });
    const error: unknown = await work.catch((reason: unknown) => reason);
    expect(hasCode(error, "quota")).toBe(true);
    expect(await catalog.read((tx) => tx.all("owners"))).toEqual([]);
    catalog.close();
  });
});
