/**
 * Giving space back, a whole pack at a time: rows go first, in a committed transaction, then the packs that nothing
 * refers to are emptied. A crash in between leaves packs without rows, which the next opening finds.
 */
import type { PackStore } from "../store/pack-store";
import type { Catalog } from "../store/tables";

/** Empties those packs that no row names and nobody holds open; returns how many. */
export async function reclaim(packs: PackStore, catalog: Catalog, names: readonly string[]): Promise<number> {
  let emptied = 0;
  for (const name of names) {
    const isFree = async () => (await catalog.read((tx) => tx.get("packs", name))) === undefined;
    if (await packs.recycle(name, isFree)) emptied++;
  }
  return emptied;
}

/** Empties every pack that no row names: what a crash or a failed save left behind. */
export async function reclaimAll(packs: PackStore, catalog: Catalog): Promise<number> {
  const known = new Set((await catalog.read((tx) => tx.all("packs"))).map(({ name }) => name));
  const files = await packs.list();
  const stray = files.filter(({ name, size }) => size > 0 && !known.has(name));
  return reclaim(
    packs,
    catalog,
    stray.map(({ name }) => name),
  );
}
