/** Out of the store and into it as files: one checkpoint as safetensors, a run as one file. */
import { hasCode } from "../errors";
import { encodeLogged } from "../format/log";
import { encodeManifest } from "../format/manifest";
import { readRunFile, writeRunFile, type RunFile, type RunFileCheckpoint } from "../format/run-file";
import { lastStep } from "../format/rows";
import type { RunRecord } from "../format/run";
import { writeSafetensors } from "../format/safetensors";
import type { Lease, SaveRequest } from "../format/stored";
import { noted } from "../store/audit";
import { beginRun, commitCheckpoint, putEvent } from "../store/commit";
import { readRows } from "../store/journal";
import { findRun, freshEpoch, lockName } from "../store/owner";
import { randomId } from "../store/pack-store";
import type { CatalogWriter, PackFacts } from "../store/tables";
import { DurableWriter, type AddFrame } from "./durable";
import { FrameSequence } from "./frames";
import { addAbout, addEvents, statusAfter } from "./log-frames";
import type { CheckpointManager, StoreParts } from "./manager";
import { readAsItIs } from "./read";
import { writeCheckpoint, type Clock, type Written } from "./write";

/** One checkpoint as safetensors, which other tools read; the manifest is a JSON string in its metadata. */
export async function exportCheckpoint(manager: CheckpointManager, run: string, step: number): Promise<Blob> {
  const { manifest, state } = await manager.read(run, step);
  manager.trail.later(run, { what: "exported", step, why: "as safetensors" });
  const text = new TextDecoder().decode(encodeManifest(manifest));
  return new Blob(writeSafetensors(state.tensors, { holdfast: text }));
}

/**
 * A run in one file: its record, events, journal, data, and all of its checkpoints that are whole. `missing` where
 * none is; a damaged one is left out, since a rescue of the others is what a person with a failing disk needs.
 */
export async function exportRun(
  manager: CheckpointManager,
  { packs, catalog }: StoreParts,
  run: string,
): Promise<Blob> {
  // The newest one decides whether there is anything to export, and names what is wrong if there is not.
  await manager.restore(run);
  // One transaction: a run that goes on meanwhile would otherwise give rows that an event changed without that event.
  const { record, events, about, journal, rows } = await catalog.read(async (tx) => {
    const found = await findRun(tx, run);
    return {
      record: found.record,
      about: { marks: found.marks, tags: found.tags, note: found.note },
      events: (await tx.of("events", run)).map(({ event }) => event),
      journal: await readRows(tx, run, found.record.firstStep + 1, found.step),
      rows: await tx.of("checkpoints", run),
    };
  });
  const checkpoints: RunFileCheckpoint[] = [];
  for (const row of rows) {
    try {
      const read = await readAsItIs(packs, row, (known) =>
        catalog.read((tx) => tx.at("checkpoints", run, known.step)),
      );
      if (read !== null) checkpoints.push(read);
    } catch (error) {
      if (!hasCode(error, "corrupt") && !hasCode(error, "missing")) throw error;
    }
  }
  const data = await manager.getData(record.data.hash);
  manager.trail.later(run, { what: "exported", why: `whole, with ${checkpoints.length} checkpoints` });
  const file = {
    record,
    events,
    journal: journal.loss.length === 0 ? null : journal,
    checkpoints,
    data,
    about,
  };
  return new Blob(await writeRunFile(file));
}

/**
 * Takes a run in from a file; returns its id. The file is verified as a whole before anything is written, and the
 * run becomes visible by one transaction. Where there is a run with its id already, it becomes a copy with another.
 */
export async function importRun(manager: CheckpointManager, parts: StoreParts, blob: Blob): Promise<string> {
  const file = await readRunFile(new Uint8Array(await blob.arrayBuffer()));
  // Whether there is a run with its id is not known before; where not all is seen, there may be one.
  const isKnown = await manager.ready(null);
  const { taken, before } = await parts.catalog.read(async (tx) => ({
    taken: await tx.get("runs", file.record.id),
    before: await tx.get("owners", file.record.id),
  }));
  const record =
    taken === undefined && isKnown
      ? file.record
      : { ...file.record, id: `r${randomId(16)}`, name: `${file.record.name} (copy)` };
  await manager.putData(file.data);
  // Where this id was before, its epochs are below the time, and its writers stay shut out.
  const lease = { run: record.id, epoch: freshEpoch(parts.clock.now(), before?.epoch) };
  const writer = new DurableWriter(parts.packs, { epoch: lease.epoch, now: parts.clock.now });
  // Other tabs see by it that somebody is at work on these packs.
  const held = await parts.locks.take(lockName(record.id));
  try {
    await writer.durably(
      (add) => writeRun(add, lease, record, file, parts.clock),
      (written, packs) =>
        parts.catalog.write("strict", async (tx) => {
          await commitImport(tx, lease, { record, file, written, packs });
          const why = `${file.checkpoints.length} checkpoints of run ${file.record.id}`;
          const time = parts.clock.now();
          await noted(tx, { run: record.id, time, what: "imported", step: null, why, ms: null });
        }),
    );
  } finally {
    await writer.close();
    held?.release();
  }
  return record.id;
}

/** What is on an imported run counts as one edit. */
const EDITS = 1;

interface WrittenRun {
  readonly checkpoints: readonly Written[];
  /** The pack of the log. */
  readonly log: string;
  readonly nextFrame: number;
}

/**
 * All events, the journal, each checkpoint as a keyframe, and the run's record last: what begins as an
 * import and has no record was not finished, and is never taken for a run.
 */
async function writeRun(
  add: AddFrame,
  lease: Lease,
  record: RunRecord,
  file: RunFile,
  clock: Clock,
): Promise<WrittenRun> {
  const frames = new FrameSequence(add, lease, 0, clock.elapsed);
  await frames.add("import", encodeLogged(record), "byte");
  await addEvents(frames, file.events);
  await addAbout(add, record, { ...file.about, edits: EDITS });
  const checkpoints: Written[] = [];
  for (const checkpoint of file.checkpoints) {
    const last = checkpoints.at(-1);
    const run = {
      record,
      steps: checkpoint.manifest.steps,
      nextFrame: last?.nextFrame ?? frames.next,
      lastCommit: last?.row.manifestHash ?? null,
    };
    const context = {
      lease,
      run,
      events: file.events,
      unlogged: last === undefined ? file.journal : null,
      clock: { ...clock, now: () => checkpoint.manifest.time },
      beginsLog: null,
      previous: null,
    };
    checkpoints.push(await writeCheckpoint(add, requestOf(checkpoint), context));
  }
  const end = new FrameSequence(add, lease, checkpoints.at(-1)?.nextFrame ?? frames.next, clock.elapsed);
  const { place } = await end.add("run", encodeLogged(record), "byte");
  return { checkpoints, log: place.pack, nextFrame: end.next };
}

async function commitImport(
  tx: CatalogWriter,
  lease: Lease,
  {
    record,
    file,
    written,
    packs,
  }: {
    readonly record: RunRecord;
    readonly file: RunFile;
    readonly written: WrittenRun;
    readonly packs: readonly PackFacts[];
  },
): Promise<void> {
  await beginRun(tx, record, statusAfter(file.events), lease.epoch);
  await tx.put("runs", { ...(await findRun(tx, record.id)), ...file.about, edits: EDITS });
  for (const event of file.events) await putEvent(tx, await findRun(tx, record.id), event);
  const logged = file.journal === null ? record.firstStep : lastStep(file.journal);
  let rows = file.journal;
  const { log, nextFrame } = written;
  for (const { row, leansOn } of written.checkpoints) {
    const commit = { row, rows, nextFrame, leansOn, packs, log, logged };
    // All that came stays; the policy has its say with the next save.
    await commitCheckpoint(tx, lease, commit, () => []);
    rows = null;
  }
}

function requestOf({ manifest, state }: RunFileCheckpoint): SaveRequest {
  const { reason, metrics, environment, times } = manifest;
  return { state, rows: null, reason, metrics, environment, times };
}
