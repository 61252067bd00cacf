/**
 * One writer per run.
 *
 * The lock says who should write, the epoch who may. Each `acquire` raises the epoch of the run in a strict
 * transaction, and every later write of the run compares its lease with it in its own transaction. So a writer that
 * was frozen, replaced or robbed of its lock gets `fenced` and changes nothing, whenever it wakes up.
 */
import { HoldfastError } from "../errors";
import type { Lease } from "../format/stored";
import type { Held, Locks } from "./locks";
import type { Catalog, CatalogReader, RunRow } from "./tables";

/** Name of the lock of a run. */
export function lockName(run: string): string {
  return `holdfast/run/${run}`;
}

export class Owners {
  readonly #catalog: Catalog;
  readonly #locks: Locks;
  readonly #mine = new Map<string, { readonly held: Held; readonly epoch: number }>();

  constructor(catalog: Catalog, locks: Locks) {
    this.#catalog = catalog;
    this.#locks = locks;
  }

  /**
   * Takes the run. `busy` where another tab has it, unless `takeOver`. Asked again in the tab that has it, it gives
   * a new lease and fences the old one: that is how a restarted trainer shuts out the one it replaces.
   */
  async acquire(run: string, takeOver: boolean): Promise<Lease> {
    const mine = this.#mine.get(run);
    if (mine !== undefined && !mine.held.lost && (await this.#isCurrent(run, mine.epoch)))
      return this.#fence(run, mine.held);
    this.#forget(run);
    const held = takeOver ? await this.#locks.steal(lockName(run)) : await this.#locks.take(lockName(run));
    if (held === null) {
      throw new HoldfastError("busy", "Another tab has this run open. Go on there, or take it over.");
    }
    return this.#fence(run, held);
  }

  /** The lease that this tab has; null where it has none. */
  mine(run: string): Lease | null {
    const mine = this.#mine.get(run);
    return mine === undefined || mine.held.lost ? null : { run, epoch: mine.epoch };
  }

  /** Takes the lock of a run that `createRun` is about to make, which will have this epoch. */
  async claim(run: string, epoch: number): Promise<Lease> {
    const held = await this.#locks.take(lockName(run));
    if (held === null) throw new HoldfastError("invalid", `There is a run ${run} already.`);
    this.#mine.set(run, { held, epoch });
    return { run, epoch };
  }

  /** Lets go of the lock. A lease that is not the newest lets go of nothing. */
  release(lease: Lease): void {
    if (this.#mine.get(lease.run)?.epoch === lease.epoch) this.#forget(lease.run);
  }

  /** Lets go of the lock, whoever of this tab asked for it: its trainer is gone and can no longer do so. */
  letGo(run: string): void {
    this.#forget(run);
  }

  /** Lets go of all locks of this tab. */
  letGoOfAll(): void {
    for (const run of [...this.#mine.keys()]) this.#forget(run);
  }

  /** Does `work` while nobody, here or elsewhere, can take the run. `busy` where somebody has it. */
  async exclusively<R>(run: string, work: () => Promise<R>): Promise<R> {
    const held = await this.#locks.take(lockName(run));
    if (held === null) throw new HoldfastError("busy", "The run is open in a tab. Close it there first.");
    try {
      return await work();
    } finally {
      held.release();
    }
  }

  /** Who has which run: those that are not listed are free. */
  async holders(): Promise<(run: string) => "here" | "elsewhere" | null> {
    const held = await this.#locks.held();
    return (run) => {
      if (!held.has(lockName(run))) return null;
      return this.#mine.get(run)?.held.lost === false ? "here" : "elsewhere";
    };
  }

  async #fence(run: string, held: Held): Promise<Lease> {
    try {
      const epoch = await this.#catalog.write("strict", async (tx) => {
        const row = await tx.get("runs", run);
        if (row === undefined || row.removed !== null) throw missingRun(run);
        const next = ((await tx.get("owners", run))?.epoch ?? 0) + 1;
        await tx.put("owners", { run, epoch: next });
        return next;
      });
      this.#mine.set(run, { held, epoch });
      return { run, epoch };
    } catch (error) {
      // A lock that is kept after a failed opening would keep everybody out until this tab closes.
      this.#mine.delete(run);
      held.release();
      throw error;
    }
  }

  async #isCurrent(run: string, epoch: number): Promise<boolean> {
    return (await this.#catalog.read((tx) => tx.get("owners", run)))?.epoch === epoch;
  }

  #forget(run: string): void {
    this.#mine.get(run)?.held.release();
    this.#mine.delete(run);
  }
}

/**
 * An epoch that no writer of a run has had, in a catalogue that does not know: the time, or one above `known`. Nobody
 * takes runs once a millisecond, so a stale writer's count is below it, also after the catalogue was lost.
 */
export function freshEpoch(now: number, known = 0): number {
  return Math.max(Math.floor(now), known + 1);
}

/** `fenced` unless the lease is the newest of its run. */
export async function checkOwner(tx: CatalogReader, lease: Lease): Promise<void> {
  const owner = await tx.get("owners", lease.run);
  if (owner?.epoch === lease.epoch) return;
  throw new HoldfastError(
    "fenced",
    "Another tab took this run over; what this one did since is not stored. Open the run again to go on.",
  );
}

/** The run's row; `missing` where there is none, or where it is in the trash. */
export async function findRun(tx: CatalogReader, run: string): Promise<RunRow> {
  const row = await tx.get("runs", run);
  if (row === undefined || row.removed !== null) throw missingRun(run);
  return row;
}

/** The run's row to read from: one in the trash too, while another run is forked from it. */
export async function findReadable(tx: CatalogReader, run: string): Promise<RunRow> {
  const row = await tx.get("runs", run);
  if (row === undefined) throw missingRun(run);
  if (row.removed === null || neededBy(await tx.all("runs")).has(run)) return row;
  throw missingRun(run);
}

/** Runs that living ones are forked from, and up to which of their steps those need them. */
export function neededBy(rows: readonly RunRow[]): ReadonlyMap<string, number> {
  const byId = new Map(rows.map((row) => [row.id, row]));
  const needed = new Map<string, number>();
  for (const row of rows) {
    if (row.removed !== null) continue;
    // A run cannot be its own ancestor, but what is stored may say so.
    const seen = new Set<string>();
    for (let parent = row.record.parent; parent !== null && !seen.has(parent.run);) {
      seen.add(parent.run);
      needed.set(parent.run, Math.max(needed.get(parent.run) ?? 0, parent.step));
      parent = byId.get(parent.run)?.record.parent ?? null;
    }
  }
  return needed;
}

function missingRun(run: string): HoldfastError {
  return new HoldfastError("missing", `There is no run ${run}. It may have been deleted in another tab.`);
}
