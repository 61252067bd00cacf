/**
 * Packs that were emptied and filled again since this catalogue knew them. A pack is emptied only once nothing refers to
 * it, so whatever an older catalogue says is in there was let go of by its run, and is no loss.
 */
import { notedAsDeleted } from "../store/audit";
import { countsOf, eraseRun } from "../store/commit";
import type { Catalog, CatalogWriter, PackRow, RunRow } from "../store/tables";

/** Takes out of the catalogue what it says of these packs; returns the runs that lost something. */
export async function letGoOf(catalog: Catalog, refilled: readonly PackRow[]): Promise<readonly string[]> {
  if (refilled.length === 0) return [];
  return catalog.write("strict", async (tx) => {
    const names = new Set<string>();
    // Another tab may have emptied and filled it just now: then its row is new as well.
    for (const { name, created } of refilled)
      if ((await tx.get("packs", name))?.created === created) names.add(name);
    const touched: string[] = [];
    for (const run of await tx.all("runs")) if (await letGoOfRun(tx, run, names)) touched.push(run.id);
    for (const row of await tx.all("data")) {
      const copies = row.copies.filter((frames) => !frames.some(({ pack }) => names.has(pack)));
      if (copies.length < row.copies.length) await tx.put("data", { ...row, copies });
    }
    for (const name of names) await tx.remove("packs", name);
    return touched;
  });
}

async function letGoOfRun(tx: CatalogWriter, run: RunRow, names: ReadonlySet<string>): Promise<boolean> {
  const rows = await tx.of("checkpoints", run.id);
  const gone = rows.filter(({ packs }) => packs.some((name) => names.has(name)));
  const hasLog = run.log === null || !names.has(run.log);
  if (gone.length === 0 && hasLog) return false;
  for (const { step } of gone) await tx.removeAt("checkpoints", run.id, step);
  const kept = rows.filter((row) => !gone.includes(row));
  await tx.put("runs", {
    ...run,
    ...(hasLog ? {} : { log: null, logged: run.record.firstStep }),
    ...countsOf(kept),
  });
  return true;
}

/** Of these runs, deletes those that nothing is left of: they were deleted for good. Their packs are free from then on. */
export async function dropEmpty(catalog: Catalog, runs: readonly string[], now: () => number): Promise<void> {
  if (runs.length === 0) return;
  await catalog.write("strict", async (tx) => {
    for (const run of runs) {
      const row = await tx.get("runs", run);
      if (row?.checkpoints !== 0) continue;
      await eraseRun(tx, run);
      await notedAsDeleted(tx, run, row.record.name, now());
    }
  });
}
