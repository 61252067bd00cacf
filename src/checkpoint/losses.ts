/**
 * Packs that are gone, or shorter than what was committed of them. What needs them is marked and named; what can be
 * had again (a copy of data, a log) is taken out of the catalogue, so that it is written anew when next it can be.
 */
import type { CatalogReader, CheckpointRow, PackRow, RunRow } from "../store/tables";
import { checkCheckpoint, type CheckParts } from "./check";

/** What is lost with these packs, in words. */
export async function nameLosses(parts: CheckParts, packs: readonly PackRow[]): Promise<readonly string[]> {
  if (packs.length === 0) return [];
  const names = await parts.catalog.read((tx) => stillShort(tx, packs));
  const runs = new Set(packs.flatMap(({ run }) => (run === null ? [] : [run])));
  const lost = [...(await copiesOfData(parts, packs))];
  for (const id of runs) {
    const { run, rows } = await parts.catalog.read(async (tx) => ({
      run: await tx.get("runs", id),
      rows: await tx.of("checkpoints", id),
    }));
    if (run === undefined) continue;
    for (const row of rows)
      if (row.packs.some((name) => names.has(name))) lost.push(...(await checkpoint(parts, run, row)));
    lost.push(...(await log(parts, run, packs)));
  }
  return lost;
}

/** Of these packs, those whose rows are as they were: another tab may have emptied and filled one meanwhile. */
async function stillShort(tx: CatalogReader, packs: readonly PackRow[]): Promise<ReadonlySet<string>> {
  const names = new Set<string>();
  for (const row of packs) if (isSame(await tx.get("packs", row.name), row)) names.add(row.name);
  return names;
}

function isSame(now: PackRow | undefined, row: PackRow): boolean {
  return now?.created === row.created && now.size === row.size && now.run === row.run;
}

async function checkpoint(parts: CheckParts, run: RunRow, row: CheckpointRow): Promise<readonly string[]> {
  if (row.info.check === "damaged") return [];
  const damage = await checkCheckpoint(parts, row);
  return damage === null ? [] : [`"${run.record.name}", step ${row.step}: ${damage}`];
}

async function copiesOfData({ catalog }: CheckParts, packs: readonly PackRow[]): Promise<readonly string[]> {
  return catalog.write("strict", async (tx) => {
    const names = await stillShort(tx, packs);
    const lost: string[] = [];
    for (const row of await tx.all("data")) {
      const copies = row.copies.filter((frames) => !frames.some(({ pack }) => names.has(pack)));
      if (copies.length === row.copies.length) continue;
      lost.push(`A copy of the data ${row.hash.slice(0, 12)}… is gone; ${copies.length} left.`);
      await tx.put("data", { ...row, copies });
    }
    for (const name of names) if ((await tx.get("packs", name))?.run === null) await tx.remove("packs", name);
    return lost;
  });
}

/** The catalogue has all of it: the next save begins a new log, with the whole journal. */
async function log(
  { catalog }: CheckParts,
  run: RunRow,
  packs: readonly PackRow[],
): Promise<readonly string[]> {
  const gone = run.log;
  if (gone === null || !packs.some(({ name }) => name === gone)) return [];
  const isLost = await catalog.write("strict", async (tx) => {
    const now = await tx.get("runs", run.id);
    if (now?.log !== gone || !(await stillShort(tx, packs)).has(gone)) return false;
    if ((await tx.get("packs", gone))?.run === run.id) await tx.remove("packs", gone);
    await tx.put("runs", { ...now, log: null, logged: now.record.firstStep });
    return true;
  });
  if (!isLost) return [];
  return [`"${run.record.name}": its log was damaged, and is begun anew with the next checkpoint.`];
}
