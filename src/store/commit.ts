/**
 * The transactions that make things exist. Each is all or nothing, and each write of a run first compares its lease
 * with the run's epoch, in the same transaction: checked before it, the answer could be old when it is acted on.
 */
import { HoldfastError } from "../errors";
import type { About, Edit, JournalRows, Mark, RunEvent, RunRecord, RunStatus } from "../format/run";
import type { Lease } from "../format/stored";
import { liveBytes } from "./chains";
import { appendRows } from "./journal";
import { checkOwner, findRun } from "./owner";
import { EMPTY_SPARKLINE } from "./sparkline";
import type { CatalogWriter, CheckpointRow, PackFacts, RunRow } from "./tables";

/** Which checkpoints of a run are no longer kept, given all of them in the order of their steps. */
export type Surplus = (
  checkpoints: readonly CheckpointRow[],
  run: Pick<RunRow, "record" | "marks">,
) => readonly CheckpointRow[];

export interface CheckpointCommit {
  readonly row: CheckpointRow;
  /** Journal rows that are committed with it. */
  readonly rows: JournalRows | null;
  /** Number of the frame after its last one. */
  readonly nextFrame: number;
  /** Packs that it needs and did not write: they must still be kept. */
  readonly leansOn: readonly string[];
  /** Packs that were written to for it. */
  readonly packs: readonly PackFacts[];
  /** The one of them that its log goes on in; null where nothing was added to the log. */
  readonly log: string | null;
  /** Last step whose journal row is in the log now. */
  readonly logged: number;
}

export interface EventCommit {
  readonly event: RunEvent;
  readonly status: RunStatus | null;
  readonly log: string;
  readonly nextFrame: number;
  readonly packs: readonly PackFacts[];
}

export interface EditCommit {
  readonly change: Edit;
  /** One more than the run had. */
  readonly number: number;
  /** The pack that it was written to; null where there was no room, and it is in the catalogue alone. */
  readonly log: string | null;
  readonly packs: readonly PackFacts[];
}

/** What a commit let go of. */
export interface LetGo {
  /** Steps of checkpoints. */
  readonly steps: readonly number[];
  /** Packs that nothing refers to any more. */
  readonly packs: readonly string[];
}

/**
 * Makes a checkpoint exist, with its journal rows, and lets go of those that are no longer kept. `fenced`, `missing`, `orphaned` where a pack that it leans on is
 * not kept any more, or `invalid` where the journal would end before the checkpoint: a state must not be ahead of the
 * record of how it came about.
 */
export async function commitCheckpoint(
  tx: CatalogWriter,
  lease: Lease,
  { row, rows, nextFrame, leansOn, packs, log, logged }: CheckpointCommit,
  surplus: Surplus,
): Promise<LetGo> {
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
  const { forked, used } = replaced ?? row;
  const all = [...others, { ...row, forked, used }].sort((a, b) => a.step - b.step);
  // What was asked for just now stays at least until the next one.
  const gone = new Set(surplus(all, run).filter((other) => other.step !== row.step));
  const kept = all.filter((checkpoint) => !gone.has(checkpoint));
  for (const checkpoint of gone) await tx.removeAt("checkpoints", run.id, checkpoint.step);
  for (const checkpoint of kept) if (checkpoint.step === row.step) await tx.put("checkpoints", checkpoint);
  await putPacks(tx, run.id, packs);
  await tx.put("runs", {
    ...run,
    nextFrame,
    log: log ?? run.log,
    logged,
    ...countsOf(kept),
    saved: Math.max(run.saved ?? 0, row.info.time),
    // One that was moved is not the last for that.
    lastCommit: all.at(-1)?.step === row.step ? row.manifestHash : run.lastCommit,
  });
  return { steps: stepsOf(gone), packs: await dropPacks(tx, run.id, [...before, row], kept) };
}

/**
 * Lets go of a run in the trash as far as no other one needs it: of the states after `step`. Returns the packs that nothing
 * refers to any more.
 */
export async function cutBehind(tx: CatalogWriter, run: RunRow, step: number): Promise<readonly string[]> {
  const before = await tx.of("checkpoints", run.id);
  const kept = before.filter((checkpoint) => checkpoint.step <= step);
  for (const checkpoint of before)
    if (checkpoint.step > step) await tx.removeAt("checkpoints", run.id, checkpoint.step);
  await tx.put("runs", { ...run, ...countsOf(kept) });
  return dropPacks(tx, run.id, before, kept);
}

/** Lets go of the checkpoints of a run that are no longer kept. */
export async function pruned(
  tx: CatalogWriter,
  run: string,
  surplus: Surplus,
  lease: Lease | null,
): Promise<LetGo> {
  if (lease !== null) await checkOwner(tx, lease);
  const row = await findRun(tx, run);
  const before = await tx.of("checkpoints", run);
  const gone = new Set(surplus(before, row));
  const kept = before.filter((checkpoint) => !gone.has(checkpoint));
  for (const { step } of gone) await tx.removeAt("checkpoints", run, step);
  await tx.put("runs", { ...row, ...countsOf(kept) });
  return { steps: stepsOf(gone), packs: await dropPacks(tx, run, before, kept) };
}

function stepsOf(rows: Iterable<CheckpointRow>): number[] {
  return Array.from(rows, ({ step }) => step);
}

/** What a run's row says of its checkpoints. */
export function countsOf(kept: readonly CheckpointRow[]): Pick<RunRow, "checkpoints" | "bytes"> {
  return {
    checkpoints: kept.length,
    bytes: liveBytes(kept),
  };
}

/** Makes a run exist, owned by the writer of `epoch`; its first checkpoint follows in the same transaction. */
export async function beginRun(
  tx: CatalogWriter,
  record: RunRecord,
  status: RunStatus,
  epoch: number,
): Promise<void> {
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
    log: null,
    logged: record.firstStep,
    edits: 0,
    marks: [],
    tags: [],
    note: "",
  });
  await tx.put("owners", { run: record.id, epoch });
  if (record.parent === null) return;
  const parent = await tx.at("checkpoints", record.parent.run, record.parent.step);
  if (parent !== undefined) await tx.put("checkpoints", { ...parent, forked: true });
}

/** A run as it comes from a file. */
export interface WholeRun {
  readonly record: RunRecord;
  readonly status: RunStatus;
  readonly epoch: number;
  readonly events: readonly RunEvent[];
  readonly about: About;
  readonly edits: number;
  readonly rows: JournalRows | null;
  /** Ascending by step, at least one. */
  readonly checkpoints: readonly CheckpointRow[];
  readonly packs: readonly PackFacts[];
  readonly log: string;
  readonly nextFrame: number;
}

/** Makes a run exist with all that it has, each row put once. Throws as `beginRun`, and `invalid` where it ends too early. */
export async function commitWholeRun(tx: CatalogWriter, whole: WholeRun): Promise<void> {
  const { record, events, checkpoints, rows, about, edits, log, nextFrame } = whole;
  await beginRun(tx, record, whole.status, whole.epoch);
  const begun = await findRun(tx, record.id);
  const run = rows === null ? begun : await appendRows(tx, begun, rows);
  const last = checkpoints.at(-1);
  if (last === undefined || last.step > run.step)
    throw new HoldfastError("invalid", `The journal of "${record.name}" ends before its newest checkpoint.`);
  for (const event of events) await tx.put("events", { run: run.id, seq: event.seq, event });
  const parents = (await tx.all("runs")).map((row) => row.record.parent);
  const forkedAt = new Set(parents.flatMap((parent) => (parent?.run === run.id ? [parent.step] : [])));
  for (const row of checkpoints) await tx.put("checkpoints", { ...row, forked: forkedAt.has(row.step) });
  await putPacks(tx, run.id, whole.packs);
  await tx.put("runs", {
    ...run,
    ...about,
    edits,
    log,
    nextFrame,
    logged: run.step,
    steps: events.reduce((steps, event) => (event.kind === "extended" ? event.steps : steps), record.steps),
    nextEvent: (events.at(-1)?.seq ?? -1) + 1,
    ...countsOf(checkpoints),
    saved: checkpoints.reduce((time, { info }) => Math.max(time, info.time), 0),
    lastCommit: last.manifestHash,
  });
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
  { event, status, log, nextFrame, packs }: EventCommit,
): Promise<void> {
  await checkOwner(tx, lease);
  const run = await findRun(tx, lease.run);
  await putPacks(tx, run.id, packs);
  await putEvent(tx, { ...run, status: status ?? run.status, log, nextFrame }, event);
}

/** Changes a run as a whole. False, and nothing done, where another tab was faster. */
export async function commitEdit(
  tx: CatalogWriter,
  run: string,
  { change, number, log, packs }: EditCommit,
): Promise<boolean> {
  const row = await tx.get("runs", run);
  if (row === undefined) throw new HoldfastError("missing", `The run ${run} was deleted for good.`);
  if (row.edits + 1 !== number) return false;
  await putPacks(tx, run, packs);
  // A log that was lost is begun anew by a writer, with all that was in it.
  const goesOn = row.log === null ? null : (log ?? row.log);
  await tx.put("runs", { ...edited(row, change), log: goesOn, edits: number });
  return true;
}

/** The run as the change leaves it. */
export function edited(row: RunRow, change: Edit): RunRow {
  switch (change.kind) {
    case "renamed":
      return { ...row, record: { ...row.record, name: change.name } };
    case "removed":
      return { ...row, removed: change.time };
    case "restored":
      return { ...row, removed: null };
    case "marked":
      return { ...row, marks: withMark(row.marks, change.mark) };
    case "described":
      return { ...row, tags: change.tags, note: change.note };
    case "policy":
      return { ...row, record: { ...row.record, policy: change.policy } };
  }
}

function withMark(marks: readonly Mark[], mark: Mark): readonly Mark[] {
  const others = marks.filter(({ step }) => step !== mark.step);
  const isEmpty = !mark.pinned && mark.tags.length === 0 && mark.note === "";
  return isEmpty ? others : [...others, mark].sort((a, b) => a.step - b.step);
}

async function putPacks(tx: CatalogWriter, run: string, packs: readonly PackFacts[]): Promise<void> {
  for (const pack of packs) await tx.put("packs", { ...pack, run });
}

/** Puts an event that has its number already, and the run's row with it. */
export async function putEvent(tx: CatalogWriter, run: RunRow, event: RunEvent): Promise<void> {
  await tx.put("events", { run: run.id, seq: event.seq, event });
  const steps = event.kind === "extended" ? event.steps : run.steps;
  await tx.put("runs", { ...run, steps, nextEvent: event.seq + 1 });
}

/**
 * Takes a run and all that is only its own out of the catalogue. Returns the packs that it leaves behind. Its epoch
 * stays: whatever is found of the run later is not brought back.
 */
export async function eraseRun(tx: CatalogWriter, run: string): Promise<readonly string[]> {
  const states = new Set((await tx.of("checkpoints", run)).flatMap((row) => row.packs));
  const own = (await tx.all("packs")).filter((pack) => pack.run === run).map(({ name }) => name);
  // The log last: as long as anything is left of the run, it says that the run is deleted.
  const packs = [...own.filter((name) => states.has(name)), ...own.filter((name) => !states.has(name))];
  for (const name of packs) await tx.remove("packs", name);
  for (const table of ["checkpoints", "journal", "events"] as const) await tx.removeOf(table, run);
  await tx.remove("runs", run);
  return packs;
}

/** Drops the rows of packs that only `before` referred to. Packs belong to one run, so its checkpoints are enough. */
async function dropPacks(
  tx: CatalogWriter,
  run: string,
  before: readonly CheckpointRow[],
  kept: readonly CheckpointRow[],
): Promise<readonly string[]> {
  const live = new Set(kept.flatMap((checkpoint) => checkpoint.packs));
  const freed = [...new Set(before.flatMap((checkpoint) => checkpoint.packs))].filter(
    (name) => !live.has(name),
  );
  // A row may name a pack that was lost and is another run's by now.
  const own: string[] = [];
  for (const name of freed) if ((await tx.get("packs", name))?.run === run) own.push(name);
  for (const name of own) await tx.remove("packs", name);
  return own;
}
