/** Deleting a run: hidden at once, brought back on demand, freed when the trash is emptied. */
import { HoldfastError } from "../errors";
import { eraseRun } from "../store/commit";
import { findRun, type Owners } from "../store/owner";
import type { PackStore } from "../store/pack-store";
import type { Catalog } from "../store/tables";
import { dropUnusedData } from "./data";
import { reclaim } from "./reclaim";

export class Trash {
  readonly #packs: PackStore;
  readonly #catalog: Catalog;
  readonly #owners: Owners;
  readonly #now: () => number;

  constructor(parts: {
    readonly packs: PackStore;
    readonly catalog: Catalog;
    readonly owners: Owners;
    readonly now: () => number;
  }) {
    this.#packs = parts.packs;
    this.#catalog = parts.catalog;
    this.#owners = parts.owners;
    this.#now = parts.now;
  }

  /** Hides the run. `busy` while any tab has it open; `missing` where there is none. */
  async remove(run: string): Promise<void> {
    await this.#owners.exclusively(run, () =>
      this.#catalog.write("strict", async (tx) => {
        await tx.put("runs", { ...(await findRun(tx, run)), removed: this.#now() });
      }),
    );
  }

  /** Brings a hidden run back. `missing` once the trash was emptied; a run that is not hidden stays as it is. */
  async undo(run: string): Promise<void> {
    await this.#catalog.write("strict", async (tx) => {
      const row = await tx.get("runs", run);
      if (row === undefined) throw new HoldfastError("missing", `The run ${run} was deleted for good.`);
      await tx.put("runs", { ...row, removed: null });
    });
  }

  /** Deletes runs that have been hidden for `ageMs` for good, and gives their space back. */
  async empty(ageMs: number): Promise<void> {
    const freed = await this.#catalog.write("strict", async (tx) => {
      const packs: string[] = [];
      const before = this.#now() - ageMs;
      for (const row of await tx.all("runs"))
        if (row.removed !== null && row.removed <= before) packs.push(...(await eraseRun(tx, row.id)));
      packs.push(...(await dropUnusedData(tx, this.#now())));
      return packs;
    });
    await reclaim(this.#packs, this.#catalog, freed);
  }
}
