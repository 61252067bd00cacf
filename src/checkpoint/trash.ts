/** Deleting a run: hidden at once, brought back on demand, freed when the trash is emptied. */
import { notedAsDeleted } from "../store/audit";
import { cutBehind, eraseRun } from "../store/commit";
import { findRun, neededBy, type Owners } from "../store/owner";
import type { PackStore } from "../store/pack-store";
import type { Catalog } from "../store/tables";
import { dropUnusedData } from "./data";
import type { RunLog } from "./log";
import { reclaim } from "./reclaim";

export class Trash {
  readonly #packs: PackStore;
  readonly #catalog: Catalog;
  readonly #owners: Owners;
  readonly #log: RunLog;
  readonly #now: () => number;

  constructor(parts: {
    readonly packs: PackStore;
    readonly catalog: Catalog;
    readonly owners: Owners;
    readonly log: RunLog;
    readonly now: () => number;
  }) {
    this.#packs = parts.packs;
    this.#catalog = parts.catalog;
    this.#owners = parts.owners;
    this.#log = parts.log;
    this.#now = parts.now;
  }

  /** Hides the run. `busy` while any tab has it open; `missing` where there is none. */
  async remove(run: string): Promise<void> {
    await this.#owners.exclusively(run, async () => {
      await this.#catalog.read((tx) => findRun(tx, run));
      await this.#log.edit(run, { kind: "removed", time: this.#now() });
    });
  }

  /** Brings a hidden run back. `missing` once the trash was emptied; a run that is not hidden stays as it is. */
  async undo(run: string): Promise<void> {
    await this.#log.edit(run, { kind: "restored" });
  }

  /**
   * Deletes runs that have been hidden for `ageMs` for good, but for some, and gives their space back. One that others are
   * forked from keeps what they need: its history and its states up to where the last of them began.
   */
  async empty(ageMs: number, but: ReadonlyMap<string, unknown> = new Map()): Promise<void> {
    const freed = await this.#catalog.write("strict", async (tx) => {
      const packs: string[] = [];
      const before = this.#now() - ageMs;
      const rows = await tx.all("runs");
      const needed = neededBy(rows);
      for (const row of rows) {
        if (row.removed === null || row.removed > before || but.has(row.id)) continue;
        const last = needed.get(row.id);
        packs.push(...(await (last === undefined ? eraseRun(tx, row.id) : cutBehind(tx, row, last))));
        if (last === undefined) await notedAsDeleted(tx, row.id, row.record.name, this.#now());
      }
      packs.push(...(await dropUnusedData(tx, this.#now())));
      return packs;
    });
    await reclaim(this.#packs, this.#catalog, freed);
  }
}
