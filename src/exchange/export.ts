/** Out of the store as files: one checkpoint as safetensors, runs as a bundle. A chunk or two are in memory at a time. */
import { hasCode, HoldfastError, messageOf } from "../errors";
import {
  BUNDLE_INDEX,
  bundleParts,
  checkBundleSize,
  checkDataSize,
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
import type { JournalRows, RunRecord } from "../format/run";
import { RunningHash } from "../format/running-hash";
import type { Exported, ExportedRun, LeftOut, Watcher } from "../format/stored";
import { isLongEntry, ZipWriter } from "../format/zip";
import { findRun } from "../store/owner";
import type { CheckpointRow } from "../store/tables";
import { written, type BundleOutput, type OpenOutput } from "./bundle-output";
import { compactFile } from "./compact-file";
import type { CheckpointManager, StoreParts } from "../checkpoint/manager";
import { codeOfDamage } from "../checkpoint/read";
import { holding, noCheckpoint, snapshotOf, type Snapshot } from "./snapshot";
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
const LET_GO = "Another tab let go of it meanwhile, as the run's policy says.";

/** One checkpoint as safetensors, which other tools read; what a resume needs beside the tensors is in its metadata. */
export async function exportCheckpoint(
  manager: CheckpointManager,
  parts: StoreParts,
  { run, step }: { readonly run: string; readonly step: number },
  open: OpenOutput,
  watcher: Watcher = {},
): Promise<Blob> {
  const { row, release } = await holding(manager, parts, run, async (tx) => {
    await findRun(tx, run);
    const row = await tx.at("checkpoints", run, step);
    if (row === undefined) throw noCheckpoint(step);
    return { row, rows: [row] };
  });
  try {
    const work = new Work(watcher, row.info.rawBytes);
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

/** A run with those of its checkpoints that are whole. */
interface WholeRun extends BundleRun {
  readonly journal: JournalRows | null;
  readonly rows: ReadonlyMap<number, CheckpointRow>;
}

/**
 * Runs as one bundle: records, events, journals, perhaps data, and those of their checkpoints that are wanted and whole.
 * What is damaged is left out and named, since a rescue of the others is what a person with a failing disk needs: a
 * checkpoint, or of several runs one that has no whole checkpoint or whose data are not whole. `missing` or `corrupt` where
 * no run is left.
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
    const checkData = dataCheck(manager);
    const whole = await allWhole(snapshots, leftOut, async (snapshot) => {
      if (hasData) await checkData(snapshot.record);
      return wholeOf(parts, snapshot, work, leftOut);
    });
    const file = await written(open, bytesOf(whole, form), (out) =>
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

/**
 * For who has to find room for it: as whole tensors what a bundle has at most, in the compact form about. Where that is too
 * little all the same, the write ends in `quota`, and leaves nothing.
 */
function bytesOf(runs: readonly WholeRun[], { isCompact, hasData }: BundleForm): number {
  const data = new Map(runs.map(({ record }) => [record.data.hash, record.data.bytes]));
  const states = runs.flatMap(({ rows }) => {
    const all = [...rows.values()];
    return all.map((row, index) =>
      isCompact ? compactBytes(row, all[baseIndex(index)] ?? row) : row.info.rawBytes,
    );
  });
  return (
    sum(states, (bytes) => HEAD_BYTES + bytes) +
    sum(runs, ({ journal }) => RUN_BYTES + LINE_BYTES * (journal?.loss.length ?? 0)) +
    (hasData ? sum([...data.values()], (bytes) => bytes) : 0)
  );
}

/**
 * No chunk becomes longer than it is; else about what the store has of it, which is coded the same. A difference there
 * counts with what it is one from, unless the base that it has in the bundle is of the same chain: to one far away it may
 * be no smaller than itself.
 */
function compactBytes({ info, packs, leans }: CheckpointRow, base: CheckpointRow): number {
  const isNear = base.step !== info.step && base.packs.some((name) => packs.includes(name));
  return Math.min(info.rawBytes, info.storedBytes + (isNear ? 0 : leans));
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

/** Of several, those that `read` can make whole; the others go to `leftOut`. Throws what the only one throws. */
async function allWhole(
  snapshots: readonly Snapshot[],
  leftOut: LeftOut[],
  read: (snapshot: Snapshot) => Promise<WholeRun>,
): Promise<readonly WholeRun[]> {
  const whole: WholeRun[] = [];
  const reasons: string[] = [];
  for (const snapshot of snapshots) {
    const { id, name } = snapshot.record;
    try {
      whole.push(await read(snapshot));
    } catch (error) {
      // More data than a bundle takes are `invalid`.
      if (snapshots.length === 1 || !(isLoss(error) || hasCode(error, "invalid"))) throw error;
      const why = messageOf(error);
      leftOut.push({ run: id, name, step: null, why });
      reasons.push(` "${name}": ${why}`);
    }
  }
  if (whole.length === 0)
    throw new HoldfastError(
      "missing",
      `None of the ${snapshots.length} runs can be exported.${reasons.join("")}`,
    );
  return whole;
}

/** Is it lost, as far as one can know? What cannot be read now may be whole. */
function isLoss(error: unknown): boolean {
  const isRefused = [error, error instanceof Error ? error.cause : null].some((one) =>
    hasCode(one, "refused"),
  );
  return codeOfDamage(error) !== null && !isRefused;
}

/** Reads what a run trains on back, each data set once; none of it is kept in memory. */
function dataCheck(manager: CheckpointManager): (record: RunRecord) => Promise<unknown> {
  const checked = new Map<string, Promise<unknown>>();
  return async (record) => {
    checkDataSize(record);
    const { hash } = record.data;
    const known = checked.get(hash) ?? manager.getData(hash).then(() => null);
    checked.set(hash, known);
    return known;
  };
}

/** What cannot be read goes to `leftOut`. */
async function wholeOf(
  parts: StoreParts,
  { rows, ...found }: Snapshot,
  work: Work,
  leftOut: LeftOut[],
): Promise<WholeRun> {
  const { id, name } = found.record;
  const whole: CheckpointRow[] = [];
  const lost: { readonly step: number; readonly why: string }[] = [];
  for (const row of rows) {
    try {
      for await (const chunk of new StoredCheckpoint(parts, row).chunks()) work.did(chunk.length);
      whole.push(row);
    } catch (error) {
      if (!isLoss(error)) throw error;
      const why = (await isThere(parts, row)) ? messageOf(error) : LET_GO;
      lost.push({ step: row.step, why });
    }
  }
  if (whole.length === 0) {
    const reasons = lost.map(({ step, why }) => ` Step ${step}: ${why}`);
    throw new HoldfastError("missing", `No checkpoint of "${name}" is whole.${reasons.join("")}`);
  }
  leftOut.push(...lost.map((one) => ({ run: id, name, ...one })));
  const checkpoints = whole.map(({ step, info }) => ({ step, digest: info.digest }));
  return { ...found, checkpoints, rows: new Map(whole.map((row) => [row.step, row])) };
}

/** Another tab may have let go of it since it was looked up. */
async function isThere({ catalog }: StoreParts, { run, step }: CheckpointRow): Promise<boolean> {
  return (await catalog.read((tx) => tx.at("checkpoints", run, step))) !== undefined;
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
