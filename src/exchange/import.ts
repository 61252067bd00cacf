/** Into the store from a bundle: read as a whole first, then written run by run, each visible at once or not at all. */
import { HoldfastError } from "../errors";
import type { BundleRun } from "../format/bundle";
import { equalBytes } from "../format/bytes";
import { cutName } from "../format/free-name";
import { encodeJson } from "../format/json";
import { encodeLogged } from "../format/log";
import { lastStep } from "../format/rows";
import type { JournalRows, RunRecord } from "../format/run";
import { MAX_NAME } from "../format/run-parse";
import type { Imported, Lease, Watcher } from "../format/stored";
import { noted } from "../store/audit";
import { commitWholeRun, eraseRun, type WholeRun } from "../store/commit";
import { freshEpoch, lockName } from "../store/owner";
import { randomId } from "../store/pack-store";
import type { CatalogReader } from "../store/tables";
import { BundleSource } from "./bundle-source";
import { dropData, holdPlaceForData } from "../checkpoint/data";
import { DurableWriter, type AddFrame } from "../checkpoint/durable";
import { FrameSequence } from "../checkpoint/frames";
import { addAbout, addEvents, statusAfter } from "../checkpoint/log-frames";
import type { CheckpointManager, StoreParts } from "../checkpoint/manager";
import { reclaim } from "../checkpoint/reclaim";
import { Work } from "./work";
import { writeCheckpoint, type Written } from "../checkpoint/write";

/** What a save cost elsewhere says nothing here. */
const NO_TIMES = { stall: 0, held: 0, readBack: 0 };
/** What is on an imported run counts as one edit. */
const EDITS = 1;
const COPY = " (copy)";

/** A run of a bundle on its way into the store. */
interface Arriving {
  readonly run: BundleRun;
  /** With the id that it gets here. */
  readonly record: RunRecord;
  readonly lease: Lease;
  /** Is the run here that has its id in the trash? */
  readonly isTrashed: boolean;
}

/**
 * Takes the runs of a bundle in. Every byte is verified before anything is written, and each run becomes visible by one
 * transaction, with all that it has. Where one cannot be written those before it are taken back; a crash in between
 * leaves them, and the same bundle then brings the others. A run that is here already, as it is in the bundle, is left as
 * it is; where there is another one with its id, it becomes a copy with a new one.
 */
export async function importBundle(
  manager: CheckpointManager,
  parts: StoreParts,
  blob: Blob,
  watcher: Watcher = {},
): Promise<readonly Imported[]> {
  const bundle = await BundleSource.open(blob);
  // Each checkpoint is read twice: is it whole, and then into the store.
  const work = new Work(watcher, 2 * bundle.checkpointBytes);
  await bundle.check(work);
  const name = blob instanceof File ? cutName(blob.name, MAX_NAME) : "";
  const imported = await bringRuns(manager, parts, bundle, work, name === "" ? "a file" : `“${name}”`);
  work.end();
  return imported;
}

/** The same, of what was checked. `from`: where it comes from, in words, for the audit log. */
export async function bringRuns(
  manager: CheckpointManager,
  parts: StoreParts,
  bundle: BundleSource,
  work: Work,
  from: string,
): Promise<readonly Imported[]> {
  // Whether there is a run with its id is not known before; where not all is seen, there may be one.
  const isKnown = await manager.ready(null);
  const arriving = await parts.catalog.read((tx) => arrivals(tx, bundle.runs, isKnown, parts.clock.now()));
  const runs = [...arriving.values()].filter((one) => one !== "present");
  const done: string[] = [];
  const known = await parts.catalog.read((tx) => tx.all("data"));
  // Of those that are here too: their data may have been left out when they came.
  const hashes = new Set(bundle.runs.map(({ record }) => record.data.hash));
  // What was here before stays: somebody may be about to begin a run on it.
  const own = new Set([...hashes].filter((hash) => !known.some((row) => row.hash === hash)));
  try {
    if (bundle.form.hasData) for (const hash of hashes) await manager.putData(await bundle.data(hash));
    for (const one of runs) {
      await bringIn(parts, bundle, one, work, from);
      done.push(one.record.id);
    }
  } catch (error) {
    await takeBack(parts, done, own);
    throw error;
  }
  const isHere = new Set(known.flatMap(({ hash, copies }) => (copies.length > 0 ? [hash] : [])));
  return bundle.runs.map(({ record: { id, data } }) => {
    const one = arriving.get(id) ?? "present";
    const hasData = bundle.form.hasData || isHere.has(data.hash);
    if (one === "present") return { run: id, how: one, hasData };
    if (one.record.id === id) return { run: id, how: "new", hasData };
    return { run: one.record.id, how: "copy", hasData, ...(one.isTrashed && { trashed: id }) };
  });
}

/** By its id in the bundle, what becomes of each run. */
async function arrivals(
  tx: CatalogReader,
  runs: readonly BundleRun[],
  isKnown: boolean,
  now: number,
): Promise<ReadonlyMap<string, Arriving | "present">> {
  const ids = new Map<string, string>();
  const [present, trashed] = [new Set<string>(), new Set<string>()];
  for (const run of runs) {
    const { id } = run.record;
    const isHere = isKnown && (await isPresent(tx, run));
    if (isHere) present.add(id);
    const there = await tx.get("runs", id);
    if (isKnown && there !== undefined && there.removed !== null) trashed.add(id);
    const isTaken = !isKnown || there !== undefined;
    ids.set(id, isTaken && !isHere ? `r${randomId(16)}` : id);
  }
  const arriving = new Map<string, Arriving | "present">();
  for (const run of runs) {
    const { record } = run;
    const id = ids.get(record.id) ?? record.id;
    if (present.has(record.id)) {
      arriving.set(record.id, "present");
      continue;
    }
    const { parent } = record;
    const own = {
      ...record,
      id,
      name: id === record.id ? record.name : copyName(record.name),
      parent: parent && { ...parent, run: ids.get(parent.run) ?? parent.run },
    };
    // Where this id was before, its epochs are below the time, and its writers stay shut out.
    const epoch = freshEpoch(now, (await tx.get("owners", id))?.epoch);
    const isTrashed = trashed.has(record.id);
    arriving.set(record.id, { run, record: own, lease: { run: id, epoch }, isTrashed });
  }
  return arriving;
}

/** No longer than a record takes. */
function copyName(name: string): string {
  return `${cutName(name, MAX_NAME - COPY.length)}${COPY}`;
}

/** Is that very run here, not deleted, with every event and checkpoint that the bundle has? */
async function isPresent(tx: CatalogReader, { record, events, checkpoints }: BundleRun): Promise<boolean> {
  const row = await tx.get("runs", record.id);
  if (row === undefined || row.removed !== null) return false;
  const here = (await tx.of("events", record.id)).slice(0, events.length).map(({ event }) => event);
  if (!equalBytes(encodeJson(here), encodeJson(events))) return false;
  const digests = new Map(
    (await tx.of("checkpoints", record.id)).map(({ step, info }) => [step, info.digest]),
  );
  return checkpoints.every(({ step, digest }) => digests.get(step) === digest);
}

async function bringIn(
  parts: StoreParts,
  bundle: BundleSource,
  one: Arriving,
  work: Work,
  from: string,
): Promise<void> {
  const { lease, record, run } = one;
  const writer = new DurableWriter(parts.packs, { epoch: lease.epoch, now: parts.clock.now });
  // Other tabs see by it that somebody is at work on these packs.
  const held = await parts.locks.take(lockName(lease.run));
  if (held === null)
    throw new HoldfastError(
      "busy",
      `Another tab is at work on the run ${lease.run}. Import again when it is done.`,
    );
  try {
    await writer.durably(
      (add) => writeRun(add, one, bundle, work, parts),
      (written, packs) =>
        parts.catalog.write("strict", async (tx) => {
          await holdPlaceForData(tx, record.data, parts.clock.now());
          await commitWholeRun(tx, {
            record,
            status: statusAfter(run.events, endOf(record, written.rows)),
            epoch: lease.epoch,
            events: run.events,
            about: run.about,
            edits: EDITS,
            packs,
            ...written,
          });
          const was = record.id === run.record.id ? "" : ` as a copy of ${run.record.id}`;
          const why = `from ${from}${was}`;
          const time = parts.clock.now();
          await noted(tx, { run: record.id, time, what: "imported", step: null, why, ms: null });
        }),
    );
  } finally {
    await writer.close();
    held.release();
  }
}

/** The last step that the run has. */
function endOf({ firstStep }: RunRecord, rows: JournalRows | null): number {
  return rows === null ? firstStep : lastStep(rows);
}

/** Nothing of a bundle that could not be taken in stays. */
async function takeBack(
  { packs, catalog }: StoreParts,
  runs: readonly string[],
  hashes: ReadonlySet<string>,
) {
  const freed = await catalog.write("strict", async (tx) => {
    const names: string[] = [];
    for (const run of runs) {
      names.push(...(await eraseRun(tx, run)));
      await tx.removeOf("audit", run);
    }
    names.push(...(await dropData(tx, hashes)));
    return names;
  });
  await reclaim(packs, catalog, freed);
}

/**
 * All events, the journal, each checkpoint as a keyframe, and the run's record last: what begins as an
 * import and has no record was not finished, and is never taken for a run.
 */
async function writeRun(
  add: AddFrame,
  arriving: Arriving,
  bundle: BundleSource,
  work: Work,
  { clock }: StoreParts,
): Promise<Pick<WholeRun, "checkpoints" | "rows" | "log" | "nextFrame">> {
  const { run, record, lease } = arriving;
  const { events, about } = run;
  const journal = await bundle.journal(run);
  const frames = new FrameSequence(add, lease, 0, clock.elapsed);
  await frames.add("import", encodeLogged(record), "byte");
  await addEvents(frames, events, endOf(record, journal));
  await addAbout(add, record, { ...about, edits: EDITS });
  const checkpoints: Written[] = [];
  for (const one of run.checkpoints) {
    const { facts, source, end, close } = await bundle.checkpoint(run, one, work);
    const last = checkpoints.at(-1);
    const { reason, metrics, environment, configs, steps, time } = facts;
    const context = {
      lease,
      run: {
        // As it was when that was saved.
        record: { ...facts.record, id: record.id, parent: record.parent },
        steps,
        nextFrame: last?.nextFrame ?? frames.next,
        lastCommit: last?.row.manifestHash ?? null,
      },
      events,
      unlogged: last === undefined ? journal : null,
      clock: { ...clock, now: () => time },
      beginsLog: null,
      previous: null,
    };
    const saving = { reason, metrics, environment, configs, times: NO_TIMES, source };
    let made: Written;
    try {
      made = await writeCheckpoint(add, saving, context);
      await end();
    } finally {
      await close();
    }
    if (made.manifest.digest !== one.digest)
      throw new HoldfastError(
        "corrupt",
        `The bundle does not hold the state of step ${one.step}. Export it again.`,
      );
    checkpoints.push(made);
  }
  const tail = new FrameSequence(add, lease, checkpoints.at(-1)?.nextFrame ?? frames.next, clock.elapsed);
  const { place } = await tail.add("run", encodeLogged(record), "byte");
  return {
    checkpoints: checkpoints.map(({ row }) => row),
    rows: journal,
    log: place.pack,
    nextFrame: tail.next,
  };
}
