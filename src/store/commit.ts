/**
 * The transactions that make things exist. Each is all or nothing, and each write of a run first compares its lease
 * with the run's epoch, in the same transaction: checked before it, the answer could be old when it is acted on.
 */
import { HoldfastError } from "../errors";
import type { JournalRows, RunEvent, RunEventBody, RunRecord, RunStatus } from "../format/run";
import type { Lease } from "../format/stored";
import { appendRows } from "./journal";
import { checkOwner, findRun, putFirstOwner } from "./owner";
import { EMPTY_SPARKLINE } from "./sparkline";
import type { CatalogWriter, CheckpointRow, RunRow } from "./tables";

/** Which checkpoints of a run are no longer kept, given all of them in the order of their steps. */
export type Surplus = (checkpoints: readonly CheckpointRow[]) => readonly CheckpointRow[];

export interface CheckpointCommit {
  readonly row: CheckpointRow;
  /** Journal rows that are committed with it. */
  readonly rows: JournalRows | null;
  /** Number of the frame after its last one. */
  readonly nextFrame: number;
  /** Packs that it needs and did not write: they must still be kept. */
  readonly leansOn: readonly string[];
}

/**
 * Makes a checkpoint exist, with its journal rows, and lets go of those that are no longer kept.
 * Returns the packs that nothing refers to any more. `fenced`, `missing`, `orphaned` where a pack that it leans on is
 * not kept any more, or `invalid` where the journal would end before the checkpoint: a state must not be ahead of the
 * record of how it came about.
 */
export async function commitCheckpoint(
  tx: CatalogWriter,
  lease: Lease,
  { row, rows, nextFrame, leansOn }: CheckpointCommit,
  surplus: Surplus,
): Promise<readonly string[]> {
  await checkOwner(tx, lease);
  const found = await findRun(tx, lease.run);
  const run = rows === null ? found : await appendRows(tx, found, rows);
  if (row.step > run.step) {
    throw new HoldfastError(
      "invalid",
      `The checkpoint of step ${row.step} is ahead of its journal, which ends at ${run.step}. Send the rows with it.`,
    );
  }
  for (const name of leansOn) {
    if ((await tx.get("packs", name))?.run === run.id) continue;
    throw new HoldfastError(
      "orphaned",
      `The checkpoint of step ${row.step} leans on pack ${name}, which is not kept any more. The next one stands alone.`,
    );
  }
  const before = await tx.of("checkpoints", run.id);
  const replaced = before.find((other) => other.step === row.step);
  const others = before.filter((other) => other.step !== row.step);
  const all = [...others, { ...row, forked: replaced?.forked ?? row.forked }].sort((a, b) => a.step - b.step);
  const gone = new Set(surplus(all));
  const kept = all.filter((checkpoint) => !gone.has(checkpoint));
  for (const checkpoint of gone) await tx.removeAt("checkpoints", run.id, checkpoint.step);
  for (const checkpoint of kept) if (checkpoint.step === row.step) await tx.put("checkpoints", checkpoint);
  for (const name of row.packs) await tx.put("packs", { name, run: run.id });
  await tx.put("runs", {
    ...run,
    nextFrame,
    checkpoints: kept.length,
    bytes: kept.reduce((sum, { info }) => sum + info.storedBytes, 0),
    saved: Math.max(run.saved ?? 0, row.info.time),
    lastCommit: row.manifestHash,
  });
  return dropPacks(tx, [...before, row], kept);
}

/** Makes a run exist, owned by its creator; its first checkpoint follows in the same transaction. */
export async function beginRun(tx: CatalogWriter, record: RunRecord, status: RunStatus): Promise<void> {
  if ((await tx.get("runs", record.id)) !== undefined) {
    throw new HoldfastError("invalid", `There is a run ${record.id} already.`);
  }
  if ((await tx.get("data", record.data.hash)) === undefined) {
    throw new HoldfastError(
      "missing",
      `The data of "${record.name}" is not in the store. Store it before the run.`,
    );
  }
  await tx.put("runs", {
    id: record.id,
    record,
    status,
    removed: null,
    step: record.firstStep,
    steps: record.steps,
    loss: null,
    sparkline: EMPTY_SPARKLINE,
    nextEvent: 0,
    nextFrame: 0,
    checkpoints: 0,
    bytes: 0,
    saved: null,
    lastCommit: null,
  });
  await putFirstOwner(tx, record.id);
  if (record.parent === null) return;
  const parent = await tx.at("checkpoints", record.parent.run, record.parent.step);
  if (parent !== undefined) await tx.put("checkpoints", { ...parent, forked: true });
}

/** Appends journal rows. */
export async function commitRows(tx: CatalogWriter, lease: Lease, rows: JournalRows): Promise<void> {
  await checkOwner(tx, lease);
  await tx.put("runs", await appendRows(tx, await findRun(tx, lease.run), rows));
}

/** Appends an event, and sets the run's status with it. */
export async function commitEvent(
  tx: CatalogWriter,
  lease: Lease,
  about: { readonly step: number; readonly time: number },
  body: RunEventBody,
  status: RunStatus | undefined,
): Promise<RunEvent> {
  await checkOwner(tx, lease);
  const run = await findRun(tx, lease.run);
  const event: RunEvent = { seq: run.nextEvent, ...about, ...body };
  await putEvent(tx, { ...run, status: status ?? run.status }, event);
  return event;
}

/** Puts an event that has its number already, and the run's row with it. */
export async function putEvent(tx: CatalogWriter, run: RunRow, event: RunEvent): Promise<void> {
  await tx.put("events", { run: run.id, seq: event.seq, event });
  const steps = event.kind === "extended" ? event.steps : run.steps;
  await tx.put("runs", { ...run, steps, nextEvent: event.seq + 1 });
}

/** Takes a run and all that is only its own out of the catalogue. Returns the packs that it leaves behind. */
export async function eraseRun(tx: CatalogWriter, run: string): Promise<readonly string[]> {
  const freed = await dropPacks(tx, await tx.of("checkpoints", run), []);
  for (const table of ["checkpoints", "journal", "events"] as const) await tx.removeOf(table, run);
  await tx.remove("runs", run);
  await tx.remove("owners", run);
  return freed;
}

/** Drops the rows of packs that only `before` referred to. Packs belong to one run, so its checkpoints are enough. */
async function dropPacks(
  tx: CatalogWriter,
  before: readonly CheckpointRow[],
  kept: readonly CheckpointRow[],
): Promise<readonly string[]> {
  const live = new Set(kept.flatMap((checkpoint) => checkpoint.packs));
  const freed = [...new Set(before.flatMap((checkpoint) => checkpoint.packs))].filter(
    (name) => !live.has(name),
  );
  for (const name of freed) await tx.remove("packs", name);
  return freed;
}
