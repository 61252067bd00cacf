/** Deleting a run: hidden at once, brought back on demand, freed when the trash is emptied. */
import { notedAsDeleted } from "../store/audit";
import { cutBehind, eraseRun } from "../store/commit";
import { findRun, neededBy, type Owners } from "../store/owner";
import type { PackStore } from "../store/pack-store";
import type { Catalog } from "../store/tables";
import type { TrashedRun } from "../format/stored";
import { runInfo } from "./list";
import { dropUnusedData } from "./data";
import type { RunLog } from "./log";
import { reclaim } from "./reclaim";

/** How long a deleted run can be brought back. */
const KEPT_MS = 7 * 24 * 60 * 60_000;
/** So long also where space is short: somebody may be about to press "Undo". */
const UNDO_MS = 5 * 60_000;

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

  /** What can be brought back, last deleted first. */
  async list(): Promise<readonly TrashedRun[]> {
    const rows = await this.#catalog.read((tx) => tx.all("runs"));
    const needed = neededBy(rows);
    const trashed: TrashedRun[] = [];
    for (const row of rows) {
      const { removed } = row;
      if (removed === null) continue;
      trashed.push({
        ...runInfo(row, null),
        removed,
        until: removed + KEPT_MS,
        needed: needed.get(row.id) ?? null,
      });
    }
    return trashed.sort((a, b) => b.removed - a.removed);
  }

  /** Deletes for good what has been here for long; where space is short, for a little while. Did that give room back? */
  emptyOld(isShort: boolean): Promise<boolean> {
    return this.empty((_, removed) => removed <= this.#now() - (isShort ? UNDO_MS : KEPT_MS));
  }

  /**
   * Deletes hidden runs that `goes` names for good, and gives their space back. One that others are forked from keeps what
   * they need: its history and its states up to where the last of them began. Was there any space to give back?
   */
  async empty(goes: (run: string, removed: number) => boolean): Promise<boolean> {
    const freed = await this.#catalog.write("strict", async (tx) => {
      const packs: string[] = [];
      const rows = await tx.all("runs");
      const needed = neededBy(rows);
      for (const row of rows) {
        if (row.removed === null || !goes(row.id, row.removed)) continue;
        const last = needed.get(row.id);
        packs.push(...(await (last === undefined ? eraseRun(tx, row.id) : cutBehind(tx, row, last))));
        if (last === undefined) await notedAsDeleted(tx, row.id, row.record.name, this.#now());
      }
      packs.push(...(await dropUnusedData(tx, this.#now())));
      return packs;
    });
    await reclaim(this.#packs, this.#catalog, freed);
    return freed.length > 0;
  }
}
