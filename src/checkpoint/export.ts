/** Out of the store as files: one checkpoint as safetensors, runs as a bundle. A chunk or two are in memory at a time. */
import { hasCode, HoldfastError, messageOf } from "../errors";
import {
  BUNDLE_INDEX,
  bundleParts,
  checkBundleSize,
  encodeBundleIndex,
  metricsCsv,
  README_TEXT,
  type BundleFile,
  type BundleForm,
  type BundlePart,
  type BundleRun,
} from "../format/bundle";
import type { Bytes } from "../format/bytes";
import { baseIndex } from "../format/compact";
import { journalCsv } from "../format/journal-csv";
import type { JournalRows } from "../format/run";
import { RunningHash } from "../format/running-hash";
import type { Exported, ExportedRun, LeftOut, Watcher } from "../format/stored";
import { isLongEntry, ZipWriter } from "../format/zip";
import { readRows } from "../store/journal";
import { findRun } from "../store/owner";
import type { CheckpointRow } from "../store/tables";
import { written, type BundleOutput, type OpenOutput } from "./bundle-output";
import { compactFile } from "./compact-file";
import type { CheckpointManager, StoreParts } from "./manager";
import { codeOfDamage } from "./read";
import { StoredCheckpoint } from "./stored-checkpoint";
import { Work } from "./work";

/** What is to be exported, and to where. */
export interface ExportRequest extends BundleForm {
  readonly runs: readonly ExportedRun[];
  readonly open: OpenOutput;
  readonly watcher?: Watcher;
}

/** Of a head, of a line in a journal, and of a run with no step at most. For what is told before it is written. */
const HEAD_BYTES = 8192;
const LINE_BYTES = 64;
const RUN_BYTES = 65_536;

/** One checkpoint as safetensors, which other tools read; what a resume needs beside the tensors is in its metadata. */
export async function exportCheckpoint(
  manager: CheckpointManager,
  parts: StoreParts,
  { run, step }: { readonly run: string; readonly step: number },
  open: OpenOutput,
  watcher: Watcher = {},
): Promise<Blob> {
  const row = await parts.catalog.read(async (tx) => {
    await findRun(tx, run);
    return tx.at("checkpoints", run, step);
  });
  if (row === undefined) throw noCheckpoint(step);
  const work = new Work(watcher, row.info.rawBytes);
  const release = manager.held.hold(run, [step]);
  try {
    const file = await written(open, row.info.rawBytes + HEAD_BYTES, async (out) => {
      for await (const piece of new StoredCheckpoint(parts, row).file()) {
        await out.append(piece);
        work.did(piece.length);
      }
    });
    manager.trail.later(run, { what: "exported", step, why: "as safetensors" });
    return file;
  } finally {
    release();
  }
}

/** A run as the store has it at one moment. */
interface Snapshot extends Omit<BundleRun, "checkpoints"> {
  readonly journal: JournalRows | null;
  /** Those that are wanted. */
  readonly rows: readonly CheckpointRow[];
  /** Lets policies have their way with them again. */
  readonly release: () => void;
}

/** A run with those of its checkpoints that are whole. */
interface WholeRun extends BundleRun {
  readonly journal: JournalRows | null;
  readonly rows: ReadonlyMap<number, CheckpointRow>;
}

/**
 * Runs as one bundle: records, events, journals, perhaps data, and those of their checkpoints that are wanted and whole.
 * `missing` where a run has none; a damaged one is left out and named, since a rescue of the others is what a person with
 * a failing disk needs.
 */
export async function exportBundle(
  manager: CheckpointManager,
  parts: StoreParts,
  { runs, isCompact, hasData, open, watcher = {} }: ExportRequest,
): Promise<Exported> {
  const form = { isCompact, hasData };
  const snapshots: Snapshot[] = [];
  try {
    for (const choice of runs) snapshots.push(await snapshotOf(manager, parts, choice));
    checkBundleSize(
      snapshots.length,
      sum(snapshots, ({ rows }) => rows.length),
    );
    const states = sum(snapshots, ({ rows }) => sum(rows, ({ info }) => info.rawBytes));
    // Each is read twice: is it whole, and then for the bundle.
    const work = new Work(watcher, 2 * states);
    const leftOut: LeftOut[] = [];
    const whole: WholeRun[] = [];
    for (const snapshot of snapshots) whole.push(await wholeOf(parts, snapshot, work, leftOut));
    const file = await written(open, bytesOf(snapshots, states, form), (out) =>
      writeBundle(out, new Contents(manager, parts, whole, form, work), whole, form),
    );
    for (const { record, checkpoints } of whole)
      manager.trail.later(record.id, {
        what: "exported",
        why: `in a bundle, with ${checkpoints.length} checkpoints`,
      });
    work.end();
    return { file, leftOut };
  } finally {
    for (const { release } of snapshots) release();
  }
}

/** What a bundle has at most, for who has to find room for it. */
function bytesOf(snapshots: readonly Snapshot[], states: number, { hasData }: BundleForm): number {
  const data = new Map(snapshots.map(({ record }) => [record.data.hash, record.data.bytes]));
  return (
    states +
    sum(snapshots, ({ rows }) => rows.length * HEAD_BYTES) +
    sum(snapshots, ({ journal }) => RUN_BYTES + LINE_BYTES * (journal?.loss.length ?? 0)) +
    (hasData ? sum([...data.values()], (bytes) => bytes) : 0)
  );
}

async function writeBundle(
  out: BundleOutput,
  contents: Contents,
  whole: readonly WholeRun[],
  form: BundleForm,
): Promise<void> {
  const zip = new ZipWriter(out);
  const files: BundleFile[] = [];
  for (const [name, part] of bundleParts(whole, form)) {
    const { isLong, pieces } = await contents.of(part);
    const hash = new RunningHash();
    const bytes = await zip.add(name, seen(pieces, hash), isLong);
    files.push({ name, bytes, sha256: hash.hex() });
  }
  const runs = whole.map(({ record, events, about, checkpoints }) => ({
    record,
    events,
    about,
    checkpoints,
  }));
  await zip.add(BUNDLE_INDEX, [encodeBundleIndex({ form, runs, files })]);
  await zip.finish();
}

async function* seen(
  pieces: Iterable<Bytes> | AsyncIterable<Bytes>,
  hash: RunningHash,
): AsyncGenerator<Bytes> {
  for await (const piece of pieces) {
    hash.add(piece);
    yield piece;
  }
}

async function snapshotOf(
  manager: CheckpointManager,
  parts: StoreParts,
  { run, steps }: ExportedRun,
): Promise<Snapshot> {
  // One transaction: a run that goes on meanwhile would otherwise give rows that an event changed without that event.
  const { rows, ...found } = await parts.catalog.read(async (tx) => {
    const { record, step, marks, tags, note } = await findRun(tx, run);
    const journal = await readRows(tx, run, record.firstStep + 1, step);
    return {
      record,
      about: { marks, tags, note },
      events: (await tx.of("events", run)).map(({ event }) => event),
      journal: journal.loss.length === 0 ? null : journal,
      rows: await tx.of("checkpoints", run),
    };
  });
  const wanted = steps === null ? null : new Set(steps);
  for (const step of wanted ?? []) if (!rows.some((row) => row.step === step)) throw noCheckpoint(step);
  const chosen = rows.filter(({ step }) => wanted?.has(step) ?? true);
  return {
    ...found,
    rows: chosen,
    release: manager.held.hold(
      run,
      chosen.map(({ step }) => step),
    ),
  };
}

/** What cannot be read goes to `leftOut`. */
async function wholeOf(
  parts: StoreParts,
  { rows, ...found }: Snapshot,
  work: Work,
  leftOut: LeftOut[],
): Promise<WholeRun> {
  const whole: CheckpointRow[] = [];
  const reasons: string[] = [];
  for (const row of rows) {
    try {
      for await (const chunk of new StoredCheckpoint(parts, row).chunks()) work.did(chunk.length);
      whole.push(row);
    } catch (error) {
      // One that cannot be read now may be whole.
      if (codeOfDamage(error) === null || hasCode(error, "refused")) throw error;
      leftOut.push({ run: found.record.id, step: row.step, why: messageOf(error) });
      reasons.push(` Step ${row.step}: ${messageOf(error)}`);
    }
  }
  if (whole.length === 0)
    throw new HoldfastError(
      "missing",
      `No checkpoint of "${found.record.name}" is whole.${reasons.join("")}`,
    );
  const checkpoints = whole.map(({ step, info }) => ({ step, digest: info.digest }));
  return { ...found, checkpoints, rows: new Map(whole.map((row) => [row.step, row])) };
}

interface Content {
  readonly isLong: boolean;
  readonly pieces: Iterable<Bytes> | AsyncIterable<Bytes>;
}

/** What each file of a bundle holds. */
class Contents {
  readonly #manager: CheckpointManager;
  readonly #parts: StoreParts;
  readonly #runs: ReadonlyMap<string, WholeRun>;
  readonly #form: BundleForm;
  readonly #work: Work;

  constructor(
    manager: CheckpointManager,
    parts: StoreParts,
    runs: readonly WholeRun[],
    form: BundleForm,
    work: Work,
  ) {
    this.#manager = manager;
    this.#parts = parts;
    this.#runs = new Map(runs.map((run) => [run.record.id, run]));
    this.#form = form;
    this.#work = work;
  }

  async of(part: BundlePart): Promise<Content> {
    switch (part.kind) {
      case "readme":
        return whole(new TextEncoder().encode(README_TEXT));
      case "data":
        return whole(await this.#manager.getData(part.hash));
      case "metrics":
        return whole(metricsCsv(part.run.events));
      case "journal":
        // Four gigabytes would be some hundred million steps, and do not fit into memory.
        return { isLong: false, pieces: journalCsv(this.#of(part.run).journal) };
      case "checkpoint":
        return this.#checkpoint(this.#of(part.run), part.checkpoint.step);
      default:
        return part satisfies never;
    }
  }

  async #checkpoint(run: WholeRun, step: number): Promise<Content> {
    const stored = this.#stored(run, step);
    const head = await stored.head();
    const { rawBytes } = this.#row(run, step).info;
    if (!this.#form.isCompact)
      return { isLong: isLongEntry(head.length + rawBytes), pieces: this.#counted(stored.file()) };
    const index = run.checkpoints.findIndex((checkpoint) => checkpoint.step === step);
    const base = run.checkpoints[baseIndex(index)]?.step ?? step;
    const pieces = compactFile(stored, base === step ? null : this.#stored(run, base), (bytes) => {
      this.#work.did(bytes);
    });
    return { isLong: false, pieces };
  }

  async *#counted(pieces: AsyncIterable<Bytes>): AsyncGenerator<Bytes> {
    for await (const piece of pieces) {
      yield piece;
      this.#work.did(piece.length);
    }
  }

  #stored(run: WholeRun, step: number): StoredCheckpoint {
    return new StoredCheckpoint(this.#parts, this.#row(run, step));
  }

  #row({ rows }: WholeRun, step: number): CheckpointRow {
    const row = rows.get(step);
    if (row === undefined)
      throw new HoldfastError("internal", "A checkpoint of the bundle is not its run's.");
    return row;
  }

  #of(run: BundleRun): WholeRun {
    const found = this.#runs.get(run.record.id);
    if (found === undefined) throw new HoldfastError("internal", "A run of the bundle was not read.");
    return found;
  }
}

function whole(bytes: Bytes): Content {
  return { isLong: false, pieces: [bytes] };
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}

function noCheckpoint(step: number): HoldfastError {
  return new HoldfastError(
    "missing",
    `There is no checkpoint at step ${step}. Pin the step first, and it is one.`,
  );
}
