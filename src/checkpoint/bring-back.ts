/** A run, or the bytes that it trains on, out of the frames that were found of it and into the catalogue. */
import { hasCode, HoldfastError, messageOf } from "../errors";
import { parseJournal } from "../format/journal";
import {
  parseDataset,
  parseEdit,
  parseLoggedEvent,
  parseLoggedRecord,
  type LoggedEvent,
} from "../format/log";
import { parseManifest, type Manifest } from "../format/manifest";
import { lastStep } from "../format/rows";
import type { JournalRows, RunRecord } from "../format/run";
import type { Lease, Place, Recovery } from "../format/stored";
import {
  beginRun,
  commitCheckpoint,
  edited,
  eraseRun,
  pruned,
  putEvent,
  type Surplus,
} from "../store/commit";
import { noted } from "../store/audit";
import { appendRows } from "../store/journal";
import { findRun, freshEpoch } from "../store/owner";
import type { PackStore } from "../store/pack-store";
import type { Catalog, CatalogWriter, CheckpointRow, PackFacts, RunRow } from "../store/tables";
import { holdPlaceForData } from "./data";
import { hashOf, rawOf, type FoundFrame } from "./found";
import { codeOfDamage, verifyCheckpoint } from "./read";
import { checkpointRow } from "./write";

/** More than a run in a browser has steps: what asks for more is no run of ours, and there would be no memory for it. */
const MAX_LOST_ROWS = 2 ** 26;
/** As many copies of data as are kept. */
const COPIES = 2;

interface Parts {
  readonly packs: PackStore;
  readonly catalog: Catalog;
  readonly keep: Surplus;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Brings back copies of data whose frames are all there. What they say is believed once they are read. */
export async function recoverData(
  { catalog, now }: Parts,
  frames: readonly FoundFrame[],
  seen: ReadonlyMap<string, PackFacts>,
  lost: string[],
): Promise<void> {
  const places = new Set(
    frames.flatMap(({ header, place }) => (header.type === "data" ? [`${place.pack} ${place.offset}`] : [])),
  );
  for (const found of frames) {
    if (found.header.type !== "dataset") continue;
    const dataset = orLost(() => parseDataset(rawOf(found)), "Data", found, lost);
    if (dataset === null) continue;
    const { hash, bytes, frames: copy } = dataset;
    const names = new Set([found.place.pack, ...copy.map(({ pack }) => pack)]);
    if ([...names].some((name) => !seen.has(name))) continue;
    await catalog.write("strict", async (tx) => {
      // Those of an older catalogue may lie in packs that have become others since.
      const copies = ((await tx.get("data", hash))?.copies ?? []).filter((one) =>
        one.every(({ pack, offset }) => !seen.has(pack) || places.has(`${pack} ${offset}`)),
      );
      if (copies.length >= COPIES || copies.flat().some(({ pack }) => names.has(pack))) return;
      await tx.put("data", { hash, bytes, copies: [...copies, copy], touched: now() });
      for (const name of names) await keepPack(tx, null, name, seen);
    });
  }
}

/** Null where nothing can be made of a frame: it says nothing about any other one. */
function orLost<T>(parse: () => T, what: string, { place }: FoundFrame, lost: string[]): T | null {
  try {
    return parse();
  } catch (error) {
    if (!hasCode(error, "corrupt")) throw error;
    lost.push(`${what}, at byte ${place.offset} of pack ${place.pack}: ${messageOf(error)}`);
    return null;
  }
}

/** Frames of one run, and those of all, with what was seen of the packs that they are in. */
export interface RunFrames {
  readonly frames: readonly FoundFrame[];
  readonly all: readonly FoundFrame[];
  readonly seen: ReadonlyMap<string, PackFacts>;
  /** Packs with less in them than the catalogue knows. */
  readonly short: ReadonlySet<string>;
}

export interface BroughtBack {
  /** Null where nothing of the run was new. */
  readonly run: Recovery["runs"][number] | null;
  readonly lost: readonly string[];
}

const NOTHING: BroughtBack = { run: null, lost: [] };

type Step = { readonly found: FoundFrame } & (
  | { readonly kind: "event"; readonly logged: LoggedEvent }
  | { readonly kind: "journal"; readonly rows: JournalRows }
  | { readonly kind: "checkpoint"; readonly row: CheckpointRow; readonly manifest: Manifest }
);

/** Plays what is new of a run into the catalogue, in one transaction. Nobody may be writing the run. */
export async function recoverRun(parts: Parts, run: string, found: RunFrames): Promise<BroughtBack> {
  const { catalog, packs, keep } = parts;
  const now = await catalog.read(async (tx) => ({
    row: await tx.get("runs", run),
    owner: await tx.get("owners", run),
  }));
  const epoch = now.owner?.epoch ?? 0;
  // Deleted, and imported again under its own id: what an older catalogue knows is of the life before.
  const begun = importOf(found.frames);
  const anew = begun !== null && begun.header.epoch > epoch;
  // Deleted for good.
  if (now.row === undefined && now.owner !== undefined && !anew) return NOTHING;
  const before = anew ? { row: undefined, owner: undefined } : now;
  const from = before.row?.nextFrame ?? 0;
  const edits = found.frames
    .filter(({ header }) => header.type === "edit" && header.sequence > (before.row?.edits ?? 0))
    .filter(({ place }) => begun === null || beginOf(place, found) >= beginOf(begun.place, found))
    .sort((a, b) => a.header.sequence - b.header.sequence);
  const fresh = unfenced(found.frames.filter(({ header }) => header.type !== "edit")).filter(
    ({ header }) => header.epoch > epoch || (header.epoch === epoch && header.sequence >= from),
  );
  const lost: string[] = [];
  const all = await stepsOf(packs, run, fresh, lost);
  const steps = before.row === undefined ? all : withJournal(all, before.row.step);
  const record = before.row?.record ?? recordOf(fresh, steps);
  if (record === null || (before.row === undefined && !isWhole(fresh, steps))) {
    const wasSaved = fresh.some(({ header }) => header.type === "commit") && !isUnfinished(fresh);
    return { ...NOTHING, lost: wasSaved ? [`The run ${run}: no checkpoint of it is whole.`] : [] };
  }
  if (steps.length === 0 && edits.length === 0) return { ...NOTHING, lost };
  const forks = forksOf(run, found.all);
  const highest = found.frames.reduce((most, { header }) => Math.max(most, header.epoch), epoch);
  const name = await catalog.write("strict", async (tx) => {
    const current = await tx.get("runs", run);
    if (
      current?.nextFrame !== now.row?.nextFrame ||
      current?.edits !== now.row?.edits ||
      (await tx.get("owners", run))?.epoch !== now.owner?.epoch
    )
      return null;
    if (anew) await eraseRun(tx, run);
    if (before.row === undefined) {
      await holdPlaceForData(tx, record.data, parts.now());
      await beginRun(tx, record, "paused", freshEpoch(parts.now(), highest));
    }
    const lease = { run, epoch: Math.max(highest, (await tx.get("owners", run))?.epoch ?? 0) };
    // As many writers have had the run as its frames say, whatever this catalogue remembers.
    await tx.put("owners", lease);
    let removed = await takeFromTrash(tx, run);
    for (const step of forks) await markFork(tx, run, step);
    // When what came back was last used nobody knows any more; it is looked at now.
    const used = before.row === undefined ? parts.now() : null;
    for (const step of steps) await play(tx, lease, step, { forks, seen: found.seen, used });
    let row: RunRow = { ...(await findRun(tx, run)), removed };
    for (const edit of edits) row = { ...edited(row, parseEdit(rawOf(edit))), edits: edit.header.sequence };
    ({ removed } = row);
    await tx.put("runs", { ...row, removed: null });
    // An older catalogue has checkpoints that were let go of since, and their packs with them: those are no loss.
    const letGo: Surplus = (rows, now) =>
      keep(rows, now).filter(({ packs }) => packs.some((name) => found.short.has(name)));
    await pruned(tx, run, letGo, null);
    row = { ...(await findRun(tx, run)), removed };
    const log = [...fresh, ...edits].filter(({ header }) => LOGGED.has(header.type));
    for (const { place } of log) await keepPack(tx, run, place.pack, found.seen);
    const last = log.filter(({ header }) => header.type !== "edit").at(-1) ?? log.at(-1);
    await tx.put("runs", {
      ...row,
      log: last?.place.pack ?? row.log,
      nextFrame: fresh.reduce((next, { header }) => Math.max(next, header.sequence + 1), row.nextFrame),
    });
    const why = `${steps.length} frames that the catalogue did not know`;
    await noted(tx, { run, time: parts.now(), what: "brought back", step: null, why, ms: null });
    return row.record.name;
  });
  const checkpoints = steps.filter(({ kind }) => kind === "checkpoint").length;
  // Somebody took the run over while it was read: it is in that tab's hands.
  if (name === null) return { ...NOTHING, lost };
  return { run: { run, name, listed: before.row !== undefined, checkpoints }, lost };
}

/** Where the newest import of the run begins; null where it was never imported, as far as the frames say. */
function importOf(frames: readonly FoundFrame[]): FoundFrame | null {
  const imports = frames.filter(({ header }) => header.type === "import");
  return imports.reduce<FoundFrame | null>(
    (newest, found) => (newest === null || found.header.epoch > newest.header.epoch ? found : newest),
    null,
  );
}

/** When the pack was begun that a frame lies in. Edits have no epoch: that tells those of one life from another's. */
function beginOf({ pack }: Place, { seen }: RunFrames): number {
  return seen.get(pack)?.created ?? 0;
}

/** Frames of a run's log. */
export const LOGGED: ReadonlySet<string> = new Set(["run", "event", "journal", "edit", "import"]);

/**
 * In the order of their numbers, without those that an older writer made at or behind the first number of a newer
 * one: it was fenced, and they were never committed.
 */
function unfenced(frames: readonly FoundFrame[]): readonly FoundFrame[] {
  const sorted = [...frames].sort(
    (a, b) =>
      a.header.sequence - b.header.sequence ||
      b.header.epoch - a.header.epoch ||
      a.place.offset - b.place.offset,
  );
  let newest = 0;
  return sorted.filter(({ header }) => {
    newest = Math.max(newest, header.epoch);
    return header.epoch === newest;
  });
}

/** What the frames say, each checkpoint read back; those that are not whole are named in `lost`. */
async function stepsOf(
  packs: PackStore,
  run: string,
  frames: readonly FoundFrame[],
  lost: string[],
): Promise<readonly Step[]> {
  const steps: Step[] = [];
  /** Bytes of chunks since the last commit. */
  let chunks = 0;
  for (const found of frames) {
    const { header, place } = found;
    try {
      switch (header.type) {
        case "chunk":
          chunks += place.length;
          break;
        case "event":
          steps.push({ kind: "event", found, logged: parseLoggedEvent(rawOf(found)) });
          break;
        case "journal":
          steps.push({ kind: "journal", found, rows: parseJournal(rawOf(found)) });
          break;
        case "run":
        case "import":
        case "edit":
        case "data":
        case "dataset":
          break;
        case "commit": {
          const cost = { storedBytes: chunks + place.length, write: 0 };
          chunks = 0;
          const manifest = parseManifest(rawOf(found));
          const row = checkpointRow(manifest, { place, hash: hashOf(found) }, cost);
          await verifyCheckpoint(packs, { ...row, run });
          steps.push({
            kind: "checkpoint",
            found,
            manifest,
            row: { ...row, info: { ...row.info, check: "verified" } },
          });
          break;
        }
      }
    } catch (error) {
      if (codeOfDamage(error) === null || hasCode(error, "refused") || hasCode(error, "unsupported"))
        throw error;
      lost.push(`The run ${run}, frame ${header.sequence} (${header.type}): ${messageOf(error)}`);
    }
  }
  return journalFirst(steps);
}

/** A log that was begun anew has rows of long ago in a late frame, and they come before the states that need them. */
function journalFirst(steps: readonly Step[]): readonly Step[] {
  const from = (step: Step) => (step.kind === "journal" ? step.rows.from : Infinity);
  return [...steps].sort((a, b) => (from(a) === from(b) ? 0 : from(a) - from(b)));
}

/**
 * Without checkpoints that are ahead of the journal. A writer that fails may leave one, and nothing is lost with it: its
 * steps are computed again. Only where the catalogue is gone as well is a state worth more than its losses.
 */
function withJournal(steps: readonly Step[], known: number): readonly Step[] {
  let end = known;
  return steps.filter((step) => {
    // Nor with rows behind a gap: nothing could be computed again over it.
    if (step.kind === "journal" && step.rows.from > end + 1) return false;
    if (step.kind === "journal") end = Math.max(end, lastStep(step.rows));
    return step.kind === "checkpoint" ? step.row.step <= end : true;
  });
}

/** Can it be a run? Its creation may have been cut short. */
function isWhole(frames: readonly FoundFrame[], steps: readonly Step[]): boolean {
  return steps.some(({ kind }) => kind === "checkpoint") && !isUnfinished(frames);
}

function isUnfinished(frames: readonly FoundFrame[]): boolean {
  const has = (type: string) => frames.some(({ header }) => header.type === type);
  return has("import") && !has("run");
}

/** The run's record: its own frame, or else what its newest checkpoint says. */
function recordOf(frames: readonly FoundFrame[], steps: readonly Step[]): RunRecord | null {
  // The last: a log that was lost in part, and begun anew, has two.
  const own = frames.findLast(({ header }) => header.type === "run");
  if (own !== undefined) return parseLoggedRecord(rawOf(own));
  const last = steps.findLast((step) => step.kind === "checkpoint");
  return last?.kind === "checkpoint" ? last.manifest.record : null;
}

/** Steps of the run that others were forked at. */
function forksOf(run: string, all: readonly FoundFrame[]): ReadonlySet<number> {
  const parents = all
    .filter(({ header }) => header.type === "run")
    // One that cannot be read is told of with its own run.
    .map((found) => orLost(() => parseLoggedRecord(rawOf(found)).parent, "", found, []));
  return new Set(parents.flatMap((parent) => (parent?.run === run ? [parent.step] : [])));
}

/** Nothing is written to a run in the trash. Returns when it was put there, for the caller to put it back. */
async function takeFromTrash(tx: CatalogWriter, run: string): Promise<RunRow["removed"]> {
  const row = await tx.get("runs", run);
  if (row === undefined || row.removed === null) return null;
  await tx.put("runs", { ...row, removed: null });
  return row.removed;
}

async function markFork(tx: CatalogWriter, run: string, step: number): Promise<void> {
  const row = await tx.at("checkpoints", run, step);
  if (row !== undefined) await tx.put("checkpoints", { ...row, forked: true });
}

/** The policy has its say with the next save, when all is known that counts for it. */
const ALL_STAY: Surplus = () => [];

async function play(
  tx: CatalogWriter,
  lease: Lease,
  step: Step,
  {
    forks,
    seen,
    used,
  }: {
    readonly forks: ReadonlySet<number>;
    readonly seen: ReadonlyMap<string, PackFacts>;
    readonly used: number | null;
  },
): Promise<void> {
  const run = await findRun(tx, lease.run);
  switch (step.kind) {
    case "event": {
      const { event, status } = step.logged;
      // What it became at a step that was lost it is not any more.
      const now = event.step <= run.step ? (status ?? run.status) : run.status;
      if (event.seq >= run.nextEvent) await putEvent(tx, { ...run, status: now }, event);
      return;
    }
    case "journal": {
      const logged = Math.max(run.logged, lastStep(step.rows));
      await tx.put("runs", { ...(await withRows(tx, run, step.rows)), logged });
      return;
    }
    case "checkpoint": {
      const { row } = step;
      await tx.put("runs", await upTo(tx, run, row.step));
      for (const name of row.packs) await keepPack(tx, lease.run, name, seen);
      const commit = {
        row: { ...row, forked: forks.has(row.step), used },
        rows: null,
        nextFrame: step.found.header.sequence + 1,
        leansOn: [],
        packs: [],
        log: null,
        logged: run.logged,
      };
      await commitCheckpoint(tx, lease, commit, ALL_STAY);
    }
  }
}

async function withRows(tx: CatalogWriter, run: RunRow, rows: JournalRows): Promise<RunRow> {
  return appendRows(tx, await upTo(tx, run, rows.from - 1), rows);
}

/** The journal up to `step`; rows that are lost are no numbers. */
async function upTo(tx: CatalogWriter, run: RunRow, step: number): Promise<RunRow> {
  if (run.step >= step) return run;
  if (step - run.step > MAX_LOST_ROWS)
    throw new HoldfastError(
      "corrupt",
      `Its journal ends at step ${run.step}, and step ${step} is too far on.`,
    );
  const missing = () => new Float32Array(step - run.step).fill(NaN);
  return appendRows(tx, run, { from: run.step + 1, loss: missing(), rate: missing(), ms: missing() });
}

/** The row of a pack that was just seen; one that was known already stays as it is. */
async function keepPack(
  tx: CatalogWriter,
  run: string | null,
  name: string,
  seen: ReadonlyMap<string, PackFacts>,
): Promise<void> {
  const pack = seen.get(name);
  const row = await tx.get("packs", name);
  // It grew since it was looked at.
  if (pack !== undefined && row?.created === pack.created && row.run === run && row.size > pack.size) return;
  if (pack !== undefined) await tx.put("packs", { name, run, size: pack.size, created: pack.created });
}
