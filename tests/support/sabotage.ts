/** Parts of a store with one thing broken, for controls: a test that finds nothing wrong with these proves nothing. */
import type { StoreParts } from "../../src/checkpoint/manager";
import type { PackStore } from "../../src/store/pack-store";
import type { Catalog, CatalogReader, CatalogWriter } from "../../src/store/tables";

/** The same packs, but for the methods in `broken`. */
export function brokenPacks(parts: StoreParts, broken: Partial<PackStore>): StoreParts {
  const { packs } = parts;
  const whole: PackStore = {
    mode: packs.mode,
    packBytes: packs.packBytes,
    create: () => packs.create(),
    open: (name) => packs.open(name),
    sizeOf: (name) => packs.sizeOf(name),
    read: (name, offset, length) => packs.read(name, offset, length),
    list: () => packs.list(),
    recycle: (name, isFree) => packs.recycle(name, isFree),
  };
  return { ...parts, packs: { ...whole, ...broken } };
}

export interface BrokenCatalog {
  readonly get?: CatalogReader["get"];
  readonly put?: (tx: CatalogWriter) => CatalogWriter["put"];
}

/** The same catalogue, but for what `broken` says. */
export function brokenCatalog(parts: StoreParts, broken: (tx: CatalogReader) => BrokenCatalog): StoreParts {
  const { catalog } = parts;
  const reader = (tx: CatalogReader): CatalogReader => ({
    get: broken(tx).get ?? ((table, key) => tx.get(table, key)),
    at: (table, run, number) => tx.at(table, run, number),
    all: (table) => tx.all(table),
    of: (table, run, span) => tx.of(table, run, span),
    last: (table, run, to) => tx.last(table, run, to),
  });
  const writer = (tx: CatalogWriter): CatalogWriter => ({
    ...reader(tx),
    put: broken(tx).put?.(tx) ?? ((table, row) => tx.put(table, row)),
    remove: (table, key) => tx.remove(table, key),
    removeAt: (table, run, number) => tx.removeAt(table, run, number),
    removeOf: (table, run) => tx.removeOf(table, run),
  });
  const wrapped: Catalog = {
    mode: catalog.mode,
    read: (work) => catalog.read((tx) => work(reader(tx))),
    write: (durability, work) => catalog.write(durability, (tx) => work(writer(tx))),
    close: () => catalog.close(),
  };
  return { ...parts, catalog: wrapped };
}
