/** How saving goes, run by run: what every kept checkpoint cost, and what it is worth. */
import type { RunHealth } from "../format/stored";
import { tierOf } from "../policy/tier";
import type { Catalog, CheckpointRow, RunRow } from "../store/tables";
import { keptBy } from "./keep";

export async function healthOf(catalog: Catalog, now: number): Promise<readonly RunHealth[]> {
  const found = await catalog.read(async (tx) => {
    const runs: { readonly row: RunRow; readonly rows: readonly CheckpointRow[] }[] = [];
    for (const row of await tx.all("runs"))
      if (row.removed === null) runs.push({ row, rows: await tx.of("checkpoints", row.id) });
    return runs;
  });
  return found.map(({ row, rows }) => {
    const why = keptBy(rows, row, now);
    const checkpoints = rows.map(({ step, info }) => ({
      ...info,
      tier: tierOf(why.get(step) ?? [], info.metrics),
    }));
    return { run: row.id, name: row.record.name, status: row.status, step: row.step, checkpoints };
  });
}
