/**
 * Giving space back, a whole pack at a time: rows go first, in a committed transaction, then the packs that nothing
 * refers to are emptied. A crash in between leaves packs without rows, which the next opening finds.
 */
import type { PackStore } from "../store/pack-store";
import type { Catalog } from "../store/tables";

/** Empties those packs that no row names and nobody holds open; returns those that somebody holds. */
export async function reclaim(
  packs: PackStore,
  catalog: Catalog,
  names: readonly string[],
): Promise<readonly string[]> {
  const held: string[] = [];
  for (const name of names) {
    const isFree = async () => (await catalog.read((tx) => tx.get("packs", name))) === undefined;
    if (!(await packs.recycle(name, isFree)) && (await isFree())) held.push(name);
  }
  return held;
}

/** The same for packs that this tab itself may still be filling: it asks again with the next ones. */
export class Reclaimer {
  readonly #packs: PackStore;
  readonly #catalog: Catalog;
  #held: readonly string[] = [];

  constructor(packs: PackStore, catalog: Catalog) {
    this.#packs = packs;
    this.#catalog = catalog;
  }

  async reclaim(names: readonly string[]): Promise<void> {
    const all = [...new Set([...this.#held, ...names])];
    this.#held = [];
    const held = await reclaim(this.#packs, this.#catalog, all);
    this.#held = [...this.#held, ...held];
  }
}
