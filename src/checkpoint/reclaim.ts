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
