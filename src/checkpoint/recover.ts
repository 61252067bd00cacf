/**
 * Packs alone are enough.
 *
 * The catalogue says of each pack when it was begun and how much of it is committed. Whatever lies beyond is either what a crash left of an
 * unfinished write, or what the catalogue has lost: emptied by the browser, or restored from an older copy. Both are
 * handled alike. Frames that are whole and newer than what the catalogue knows are played again, in the order of their
 * numbers, through the transactions that a living writer uses; every checkpoint is read back first, bit for bit. A
 * write that was finished but for its transaction comes back that way too, and does no harm: it is a state of its run.
 *
 * What must not come back does not: frames of a writer that another one had fenced (an older epoch, at or behind the
 * numbers of a newer one), and runs that were deleted for good (their epoch is still there, and their row is not).
 *
 * Where nothing is unknown this costs one look at the size and the header of each pack.
 */
import { hasCode, HoldfastError, messageOf } from "../errors";
import type { Recovery } from "../format/stored";
import type { Surplus } from "../store/commit";
import type { Locks } from "../store/locks";
import { lockName, type Owners } from "../store/owner";
import type { PackFile, PackStore } from "../store/pack-store";
import type { Catalog, PackRow } from "../store/tables";
import { LOGGED, recoverData, recoverRun, type RunFrames } from "./bring-back";
import { firstFrame, readCreated, scanPack, type FoundFrame, type ScannedPack } from "./found";
import { dropEmpty, letGoOf } from "./refilled";
import { nameLosses } from "./losses";
import { reclaim } from "./reclaim";

const LOCK = "holdfast/recovery";
/** Looks at packs that are held, in all. */
const PATIENCE = 10;
const WAIT_MS = 100;
/** A tab that was frozen while it looked keeps its turn until it wakes up. */
const TURN_MS = 30_000;
const NOT_OUR_TURN =
  "Another tab looks through the packs and does not come to an end. Close it, and reload this one.";

export interface RecoveryParts {
  readonly locks: Locks;
  readonly packs: PackStore;
  readonly catalog: Catalog;
  readonly owners: Owners;
  readonly keep: Surplus;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Goes on without packs that cannot be read. They are kept, and what is in them is not found any more. */
  readonly withoutUnread: boolean;
  /** Was the catalogue blank, before this tab put anything into it? Then damage in packs is told, and pieces are kept. */
  readonly wasBlank: boolean;
}

/** What an opening brought back, and what it could not. */
export interface Recovered extends Recovery {
  /** Was everything seen? If not, looking again may find more. */
  readonly complete: boolean;
  /** Is a pack in the hands of somebody who may not write to its run: a worker that is on its way out, say? */
  readonly held: boolean;
  /** Is there a pack that cannot be read? */
  readonly unread: boolean;
  /** Runs that could not be brought up to date, and why. Who went on with one would shut out what was not found. */
  readonly failed: ReadonlyMap<string, unknown>;
}

/** Of an opening that could not look. */
export const NOTHING_SEEN: Recovered = {
  runs: [],
  lost: [],
  complete: false,
  held: false,
  unread: false,
  failed: new Map(),
};

/** Brings the catalogue up to what is in the packs, then empties packs that nothing needs. */
export async function recover(parts: RecoveryParts): Promise<Recovered> {
  // Tabs that open together would each see a part of the packs, held by the other, and take it for the whole.
  const held = await parts.locks.wait(LOCK, TURN_MS);
  if (held === null) return { ...NOTHING_SEEN, lost: [NOT_OUR_TURN], held: true };
  try {
    return await recoverAlone(parts);
  } finally {
    held.release();
  }
}

/** Does the catalogue know no pack? It is new, or it was lost. */
export async function isBlank(catalog: Catalog): Promise<boolean> {
  return (await catalog.read((tx) => tx.all("packs"))).length === 0;
}

async function recoverAlone(parts: RecoveryParts): Promise<Recovered> {
  const { packs, catalog } = parts;
  // The rows first: a pack that grows in between then has more than is known of it, and is in somebody's hands.
  const known = new Map((await catalog.read((tx) => tx.all("packs"))).map((row) => [row.name, row]));
  const files = await packs.list();
  const { scanned, refilled, doubtful, held, others, unreadable } = await lookedAt(parts, files, known);
  if ((held || others) && known.size === 0)
    throw new HoldfastError("busy", "a pack is still held by another tab. Reload the page.");
  const reasons = unreadable.map(({ why }) => why);
  const unread = unreadable.length > 0;
  // Half of a run would hide the other half from the next look, and nobody knows whose pack it is.
  if (held || (unread && !parts.withoutUnread))
    return { runs: [], lost: reasons, complete: false, held, unread, failed: new Map() };
  await keepUnread(catalog, unreadable);
  // What a crash tore is no news; where the catalogue is gone, nobody can tell it from what was whole.
  const lost = [...reasons, ...(parts.wasBlank ? scanned.flatMap(damageOf) : [])];
  const frames = scanned.flatMap((pack) => pack.frames);
  const seen = new Map(scanned.map((pack) => [pack.name, pack]));
  const emptied = await letGoOf(catalog, refilled);
  await recoverData(parts, frames, seen, lost);
  const there = new Map(files.map(({ name, size }) => [name, size]));
  const short = [...known.values()].filter(({ name, size }) => (there.get(name) ?? 0) < size);
  const found = { all: frames, seen, short: new Set(short.map(({ name }) => name)) };
  const { runs, busy, failed } = await recoverRuns(parts, found, lost);
  const complete = !unread && failed.size === 0;
  // What could not be seen may need what could.
  if (complete && !others) await dropEmpty(catalog, emptied, parts.now);
  if (!others && !unread) await clear(parts, scanned, busy, parts.wasBlank && lost.length > 0);
  lost.push(...(await nameLosses(parts, [...short, ...doubtful])));
  return { runs, lost, complete, held, unread, failed };
}

interface Look {
  readonly scanned: readonly ScannedPack[];
  /** Rows of packs that were emptied and filled again. */
  readonly refilled: readonly PackRow[];
  /** Rows of packs whose header is damaged: whether they are the ones that were known cannot be told from it. */
  readonly doubtful: readonly PackRow[];
  /** Is one of them held by somebody who may not write to its run? */
  readonly held: boolean;
  /** Is one of them at work in another tab? */
  readonly others: boolean;
  readonly unreadable: readonly Unread[];
}

interface Unread extends PackFile {
  readonly why: string;
}

/** They have rows from now on, so that nobody empties them. */
async function keepUnread(catalog: Catalog, unreadable: readonly Unread[]): Promise<void> {
  if (unreadable.length === 0) return;
  await catalog.write("strict", async (tx) => {
    for (const { name, size } of unreadable)
      if ((await tx.get("packs", name)) === undefined)
        await tx.put("packs", { name, run: null, size, created: null });
  });
}

/** Packs with more in them than the catalogue knows, or something else. */
async function lookedAt(
  parts: RecoveryParts,
  files: readonly PackFile[],
  known: ReadonlyMap<string, PackRow>,
): Promise<Look> {
  const { packs } = parts;
  const scanned: ScannedPack[] = [];
  const refilled: PackRow[] = [];
  const doubtful: PackRow[] = [];
  const unreadable: Unread[] = [];
  let held = false;
  let others = false;
  let patience = PATIENCE;
  for (const file of files) {
    const { name, size } = file;
    const row = known.get(name);
    const created = row === undefined ? null : await readCreated(packs, file);
    const isSize = size === (row?.size ?? 0);
    if (typeof created === "object" && created !== null) {
      // As far as can be told nothing is missing of one that has its size.
      if (!isSize) unreadable.push({ ...file, why: created.unreadable });
      continue;
    }
    const isRefilled = row !== undefined && created !== null && created !== row.created;
    if (row !== undefined && created === null && row.created !== null) doubtful.push(row);
    if (!isRefilled && isSize) continue;
    // From its beginning, whatever is known of it: to an older catalogue it may be another pack by now.
    let found = await scanPack(packs, name);
    let atWork = found === "held" && (await isAtWork(parts, file));
    // A handle that a reload left behind is free again soon.
    for (; found === "held" && !atWork && patience > 0; patience--) {
      await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
      found = await scanPack(packs, name);
      atWork = found === "held" && (await isAtWork(parts, file));
    }
    if (found === "held") {
      held ||= !atWork;
      others ||= atWork;
    } else if ("unreadable" in found) unreadable.push({ ...file, why: found.unreadable });
    else {
      if (isRefilled) refilled.push(row);
      scanned.push(found);
    }
  }
  return { scanned, refilled, doubtful, held, others, unreadable };
}

/**
 * Is a pack that somebody holds in the hands of a writer who knows all of it, or of one that may not write any more? By what
 * is in it: its row may be of another life.
 */
async function isAtWork({ packs, catalog, locks }: RecoveryParts, file: PackFile): Promise<boolean> {
  const frame = await firstFrame(packs, file);
  // Nothing whole is in it yet: there is nothing to find.
  if (frame === null) return true;
  if (frame.run === "" || (await locks.held()).has(lockName(frame.run))) return true;
  const owner = await catalog.read((tx) => tx.get("owners", frame.run));
  // Edits have no epoch.
  return frame.type !== "edit" && owner !== undefined && owner.epoch > frame.epoch;
}

/** Packs that any row names. */
async function neededPacks(catalog: Catalog): Promise<ReadonlySet<string>> {
  return catalog.read(async (tx) => {
    const names = new Set((await tx.all("packs")).map(({ name }) => name));
    for (const { copies } of await tx.all("data")) for (const { pack } of copies.flat()) names.add(pack);
    for (const { id } of await tx.all("runs"))
      for (const row of await tx.of("checkpoints", id)) for (const name of row.packs) names.add(name);
    return names;
  });
}

function damageOf({ name, damaged }: ScannedPack): readonly string[] {
  return damaged.map(
    ({ offset, length }) => `Pack ${name}: bytes ${offset} to ${offset + length - 1} are damaged.`,
  );
}

/** Runs whose lock another tab has are left to it; `busy` has their packs. */
async function recoverRuns(
  parts: RecoveryParts,
  found: Omit<RunFrames, "frames">,
  lost: string[],
): Promise<{
  readonly runs: Recovery["runs"];
  readonly busy: ReadonlySet<string>;
  readonly failed: ReadonlyMap<string, unknown>;
}> {
  const byRun = new Map<string, FoundFrame[]>();
  for (const frame of found.all) {
    const { run } = frame.header;
    if (run === "") continue;
    const known = byRun.get(run);
    if (known === undefined) byRun.set(run, [frame]);
    else known.push(frame);
  }
  const runs: Recovery["runs"][number][] = [];
  const busy = new Set<string>();
  const failed = new Map<string, unknown>();
  for (const [run, own] of [...byRun].sort(([a], [b]) => (a < b ? -1 : 1))) {
    try {
      const back = await parts.owners.exclusively(run, () =>
        recoverRun(parts, run, { ...found, frames: own }),
      );
      lost.push(...back.lost);
      if (back.run !== null) runs.push(back.run);
    } catch (error) {
      // Another tab has it, or it cannot be brought back now: either way nothing of it is thrown away.
      for (const { place } of own) busy.add(place.pack);
      // Whoever has it knows it, unless it is not even listed.
      const isListed = (await parts.catalog.read((tx) => tx.get("runs", run))) !== undefined;
      if (hasCode(error, "busy") && isListed) continue;
      failed.set(run, error);
      lost.push(`The run ${run}: ${messageOf(error)}`);
    }
  }
  return { runs, busy, failed };
}

/**
 * Empties what was scanned and is needed by nothing. Where a catalogue was lost and not everything came back, packs
 * with pieces in them are kept: they may be all that there is of what is missing.
 */
async function clear(
  { packs, catalog }: RecoveryParts,
  scanned: readonly ScannedPack[],
  busy: ReadonlySet<string>,
  keepPieces: boolean,
): Promise<void> {
  if (scanned.length === 0) return;
  const rows = await neededPacks(catalog);
  const stray = scanned.filter(({ name }) => !rows.has(name) && !busy.has(name));
  const pieces = keepPieces ? stray.filter(({ frames }) => frames.length > 0) : [];
  if (pieces.length > 0) {
    await catalog.write("strict", async (tx) => {
      for (const { name, size, created, frames } of pieces)
        await tx.put("packs", { name, run: frames[0]?.header.run ?? null, size, created });
    });
  }
  const free = stray.filter((pack) => !pieces.includes(pack));
  // Logs last: what they say of a run (that it is deleted, or unfinished) holds until nothing else is left of it.
  const isLog = ({ frames }: ScannedPack) => frames.some(({ header }) => LOGGED.has(header.type));
  const inOrder = [...free.filter((pack) => !isLog(pack)), ...free.filter(isLog)];
  await reclaim(
    packs,
    catalog,
    inOrder.map(({ name }) => name),
  );
}
