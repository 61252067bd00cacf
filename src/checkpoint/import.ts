/** Into the store from a bundle: read as a whole first, then written, then visible, all of its runs in one commit. */
import { HoldfastError } from "../errors";
import type { BundleRun } from "../format/bundle";
import { encodeLogged } from "../format/log";
import { lastStep } from "../format/rows";
import type { JournalRows, RunRecord } from "../format/run";
import type { Imported, Lease } from "../format/stored";
import { noted } from "../store/audit";
import { beginRun, commitCheckpoint, putEvent } from "../store/commit";
import { findRun, freshEpoch, lockName } from "../store/owner";
import { randomId } from "../store/pack-store";
import type { CatalogReader, CatalogWriter, PackFacts } from "../store/tables";
import { BundleSource } from "./bundle-source";
import { DurableWriter, type AddFrame } from "./durable";
import { FrameSequence } from "./frames";
import { addAbout, addEvents, statusAfter } from "./log-frames";
import type { CheckpointManager, StoreParts } from "./manager";
import { writeCheckpoint, type Written } from "./write";

/** What a save cost elsewhere says nothing here. */
const NO_TIMES = { stall: 0, held: 0, readBack: 0 };
/** What is on an imported run counts as one edit. */
const EDITS = 1;

/** A run of a bundle on its way into the store. */
interface Arriving {
  readonly run: BundleRun;
  /** With the id that it gets here. */
  readonly record: RunRecord;
  readonly lease: Lease;
}

interface WrittenRun extends Arriving {
  readonly checkpoints: readonly Written[];
  readonly journal: JournalRows | null;
  /** The pack of the log. */
  readonly log: string;
  readonly nextFrame: number;
  readonly packs: readonly PackFacts[];
}

/**
 * Takes the runs of a bundle in. Every byte is verified before anything is written, and the runs
 * become visible by one transaction. One that is here already, as it is in the bundle, is left as it is; where there is
 * another one with its id, it becomes a copy with a new one.
 */
export async function importBundle(
  manager: CheckpointManager,
  parts: StoreParts,
  blob: Blob,
): Promise<readonly Imported[]> {
  const bundle = await BundleSource.open(blob);
  await bundle.check();
  // Whether there is a run with its id is not known before; where not all is seen, there may be one.
  const isKnown = await manager.ready(null);
  const arriving = await parts.catalog.read((tx) => arrivals(tx, bundle.runs, isKnown, parts.clock.now()));
  const runs = [...arriving.values()].filter((one) => one !== "present");
  for (const hash of new Set(runs.map(({ record }) => record.data.hash)))
    await manager.putData(await bundle.data(hash));
  if (runs.length > 0) await writeAll(parts, bundle, runs, []);
  return Array.from(arriving, ([id, one]) => {
    if (one === "present") return { run: id, how: one };
    return { run: one.record.id, how: one.record.id === id ? "new" : "copy" };
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
  const present = new Set<string>();
  for (const run of runs) {
    const { id } = run.record;
    const isHere = isKnown && (await isPresent(tx, run));
    if (isHere) present.add(id);
    const isTaken = !isKnown || (await tx.get("runs", id)) !== undefined;
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
      name: id === record.id ? record.name : `${record.name} (copy)`,
      parent: parent && { ...parent, run: ids.get(parent.run) ?? parent.run },
    };
    // Where this id was before, its epochs are below the time, and its writers stay shut out.
    const epoch = freshEpoch(now, (await tx.get("owners", id))?.epoch);
    arriving.set(record.id, { run, record: own, lease: { run: id, epoch } });
  }
  return arriving;
}

/** Is that very run here, not deleted, with every event and checkpoint that the bundle has? */
async function isPresent(tx: CatalogReader, { record, events, checkpoints }: BundleRun): Promise<boolean> {
  const row = await tx.get("runs", record.id);
  if (row === undefined || row.removed !== null) return false;
  const here = (await tx.of("events", record.id)).map(({ event }) => event);
  if (JSON.stringify(here.slice(0, events.length)) !== JSON.stringify(events)) return false;
  const digests = new Map(
    (await tx.of("checkpoints", record.id)).map(({ step, info }) => [step, info.digest]),
  );
  return checkpoints.every(({ step, digest }) => digests.get(step) === digest);
}

/** Writes one run after the other, each by a writer of its own; the commit is that of the last one's. */
async function writeAll(
  parts: StoreParts,
  bundle: BundleSource,
  [next, ...others]: readonly Arriving[],
  written: readonly WrittenRun[],
): Promise<void> {
  if (next === undefined) return commitAll(parts, written);
  const { lease } = next;
  const writer = new DurableWriter(parts.packs, { epoch: lease.epoch, now: parts.clock.now });
  // Other tabs see by it that somebody is at work on these packs.
  const held = await parts.locks.take(lockName(lease.run));
  try {
    await writer.durably(
      (add) => writeRun(add, next, bundle, parts),
      (done, packs) => writeAll(parts, bundle, others, [...written, { ...done, packs }]),
    );
  } finally {
    await writer.close();
    held?.release();
  }
}

/**
 * All events, the journal, each checkpoint as a keyframe, and the run's record last: what begins as an
 * import and has no record was not finished, and is never taken for a run.
 */
async function writeRun(
  add: AddFrame,
  arriving: Arriving,
  bundle: BundleSource,
  { clock }: StoreParts,
): Promise<Omit<WrittenRun, "packs">> {
  const { run, record, lease } = arriving;
  const { events, about } = run;
  const journal = await bundle.journal(run);
  const frames = new FrameSequence(add, lease, 0, clock.elapsed);
  await frames.add("import", encodeLogged(record), "byte");
  await addEvents(frames, events);
  await addAbout(add, record, { ...about, edits: EDITS });
  const checkpoints: Written[] = [];
  for (const one of run.checkpoints) {
    const { facts, source, end } = await bundle.checkpoint(run, one);
    const last = checkpoints.at(-1);
    const { reason, metrics, environment, configs, steps, time } = facts;
    const context = {
      lease,
      run: {
        record,
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
    const made = await writeCheckpoint(add, saving, context);
    await end();
    if (made.manifest.digest !== one.digest)
      throw new HoldfastError(
        "corrupt",
        `The bundle does not hold the state of step ${one.step}. Export it again.`,
      );
    checkpoints.push(made);
  }
  const tail = new FrameSequence(add, lease, checkpoints.at(-1)?.nextFrame ?? frames.next, clock.elapsed);
  const { place } = await tail.add("run", encodeLogged(record), "byte");
  return { ...arriving, checkpoints, journal, log: place.pack, nextFrame: tail.next };
}

function commitAll({ catalog, clock }: StoreParts, written: readonly WrittenRun[]): Promise<void> {
  return catalog.write("strict", async (tx) => {
    for (const one of written) {
      await commitRun(tx, one);
      const why = `${one.checkpoints.length} checkpoints of run ${one.run.record.id}`;
      const time = clock.now();
      await noted(tx, { run: one.record.id, time, what: "imported", step: null, why, ms: null });
    }
  });
}

async function commitRun(
  tx: CatalogWriter,
  { run, record, lease, checkpoints, journal, log, nextFrame, packs }: WrittenRun,
): Promise<void> {
  const { events, about } = run;
  await beginRun(tx, record, statusAfter(events), lease.epoch);
  await tx.put("runs", { ...(await findRun(tx, record.id)), ...about, edits: EDITS });
  for (const event of events) await putEvent(tx, await findRun(tx, record.id), event);
  const logged = journal === null ? record.firstStep : lastStep(journal);
  let rows = journal;
  for (const { row, leansOn } of checkpoints) {
    const commit = { row, rows, nextFrame, leansOn, packs, log, logged };
    // All that came stays; the policy has its say with the next save.
    await commitCheckpoint(tx, lease, commit, () => []);
    rows = null;
  }
}
