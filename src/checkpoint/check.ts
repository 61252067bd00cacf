/** Reading a checkpoint back, and writing down in its row what came of it. */
import { messageOf } from "../errors";
import type { CheckpointInfo } from "../format/stored";
import { noted } from "../store/audit";
import type { PackStore } from "../store/pack-store";
import type { Catalog, CatalogReader, CatalogWriter, CheckpointRow } from "../store/tables";
import { codeOfDamage, verifyCheckpoint } from "./read";

export interface CheckParts {
  readonly packs: PackStore;
  readonly catalog: Catalog;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/**
 * Reads every bit of it. Returns what is damaged, in words; null where it is whole, or not there any more. `between` is
 * awaited after each chunk. Throws where the disk cannot be read now, which says nothing about what is on it.
 */
export async function checkCheckpoint(
  { packs, catalog, now }: CheckParts,
  row: CheckpointRow,
  between?: () => Promise<void>,
): Promise<string | null> {
  const damage = await damageIn(async () => {
    await verifyCheckpoint(packs, row, between);
    return null;
  });
  if (damage !== null && (await catalog.read((tx) => unmoved(tx, row))) === undefined) return null;
  const check = damage === null ? "verified" : "damaged";
  if (row.info.check !== check)
    await catalog.write("relaxed", async (tx) => {
      await markCheckpoint(tx, row, { check });
      if (damage === null) return;
      const { run, step } = row;
      await noted(tx, { run, step, time: now(), what: "damaged", why: damage, ms: null });
    });
  return damage;
}

/** The row as it is now; undefined where its checkpoint was let go of, moved or saved anew since. */
export async function unmoved(
  tx: CatalogReader,
  { run, step, manifestHash }: CheckpointRow,
): Promise<CheckpointRow | undefined> {
  const now = await tx.at("checkpoints", run, step);
  return now?.manifestHash === manifestHash ? now : undefined;
}

/** What `look` finds, in words, or what it fails with where that is damage. Throws as above. */
export async function damageIn(look: () => Promise<string | null>): Promise<string | null> {
  try {
    return await look();
  } catch (error) {
    const code = codeOfDamage(error);
    if (code === null || code === "refused") throw error;
    return messageOf(error);
  }
}

/** What is known of a checkpoint only after its commit; nothing where another one has taken its place. */
export async function markCheckpoint(
  tx: CatalogWriter,
  known: CheckpointRow,
  later: Partial<CheckpointInfo>,
): Promise<void> {
  const row = await unmoved(tx, known);
  if (row !== undefined) await tx.put("checkpoints", { ...row, info: { ...row.info, ...later } });
}

/** Somebody restored, compared or exported it. `now`: milliseconds since 1970. */
export async function markUsed(
  tx: CatalogWriter,
  { run, step, info }: CheckpointRow,
  now: number,
): Promise<void> {
  const row = await tx.at("checkpoints", run, step);
  // It may have been moved meanwhile.
  if (row?.info.digest === info.digest) await tx.put("checkpoints", { ...row, used: now });
}
