/** Out of the store as files: one checkpoint as safetensors, runs as a bundle. A chunk is in memory at a time. */
import { hasCode, HoldfastError, messageOf } from "../errors";
import {
  BUNDLE_INDEX,
  bundleParts,
  encodeBundleIndex,
  metricsCsv,
  README_TEXT,
  type BundleFile,
  type BundlePart,
  type BundleRun,
} from "../format/bundle";
import type { Bytes } from "../format/bytes";
import { checkpointHead } from "../format/checkpoint-file";
import { journalCsv } from "../format/journal-csv";
import type { JournalRows } from "../format/run";
import { RunningHash } from "../format/running-hash";
import { ZipWriter } from "../format/zip";
import { readRows } from "../store/journal";
import { findRun } from "../store/owner";
import type { CheckpointRow } from "../store/tables";
import { BlobOutput } from "./bundle-output";
import type { CheckpointManager, StoreParts } from "./manager";
import { chunksOf, codeOfDamage, readManifest } from "./read";

/** One checkpoint as safetensors, which other tools read; what a resume needs beside the tensors is in its metadata. */
export async function exportCheckpoint(
  manager: CheckpointManager,
  parts: StoreParts,
  run: string,
  step: number,
): Promise<Blob> {
  const row = await parts.catalog.read(async (tx) => {
    await findRun(tx, run);
    return tx.at("checkpoints", run, step);
  });
  if (row === undefined) throw new HoldfastError("missing", `There is no checkpoint at step ${step}.`);
  const out = new BlobOutput();
  const release = manager.held.hold(run, [step]);
  try {
    for await (const piece of new StoredCheckpoint(parts, row).file()) await out.append(piece);
  } finally {
    release();
  }
  manager.trail.later(run, { what: "exported", step, why: "as safetensors" });
  return out.finish();
}

/** A run as the store has it at one moment. */
interface Snapshot extends BundleRun {
  readonly journal: JournalRows | null;
  readonly rows: ReadonlyMap<number, CheckpointRow>;
  /** Lets policies have their way with them again. */
  readonly release: () => void;
}

/**
 * Runs as one bundle: records, events, journals, data, and all of their checkpoints that are whole. `missing` where a run
 * has none; a damaged one is left out, since a rescue of the others is what a person with a failing disk needs.
 */
export async function exportBundle(
  manager: CheckpointManager,
  parts: StoreParts,
  runs: readonly string[],
): Promise<Blob> {
  const snapshots: Snapshot[] = [];
  try {
    for (const run of runs) snapshots.push(await snapshotOf(manager, parts, run));
    const out = new BlobOutput();
    await writeBundle(new ZipWriter(out), manager, parts, snapshots);
    for (const { record, checkpoints } of snapshots)
      manager.trail.later(record.id, {
        what: "exported",
        why: `whole, with ${checkpoints.length} checkpoints`,
      });
    return out.finish();
  } finally {
    for (const { release } of snapshots) release();
  }
}

async function writeBundle(
  zip: ZipWriter,
  manager: CheckpointManager,
  parts: StoreParts,
  snapshots: readonly Snapshot[],
): Promise<void> {
  const files: BundleFile[] = [];
  const contents = new Contents(manager, parts, snapshots);
  for (const [name, part] of bundleParts(snapshots)) {
    const { bytes, pieces } = await contents.of(part);
    const hash = new RunningHash();
    await zip.add(name, bytes, seen(pieces, hash));
    files.push({ name, bytes, sha256: hash.hex() });
  }
  const runs = snapshots.map(({ record, events, about, checkpoints }) => ({
    record,
    events,
    about,
    checkpoints,
  }));
  const index = encodeBundleIndex({ runs, files });
  await zip.add(BUNDLE_INDEX, index.length, [index]);
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

async function snapshotOf(manager: CheckpointManager, parts: StoreParts, run: string): Promise<Snapshot> {
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
  const release = manager.held.hold(
    run,
    rows.map(({ step }) => step),
  );
  try {
    const whole: CheckpointRow[] = [];
    const reasons: string[] = [];
    for (const row of rows) {
      try {
        const chunks = new StoredCheckpoint(parts, row).chunks();
        while ((await chunks.next()).done !== true);
        whole.push(row);
      } catch (error) {
        // One that cannot be read now may be whole.
        if (codeOfDamage(error) === null || hasCode(error, "refused")) throw error;
        reasons.push(` Step ${row.step}: ${messageOf(error)}`);
      }
    }
    if (whole.length === 0)
      throw new HoldfastError("missing", `No checkpoint of this run is whole.${reasons.join("")}`);
    const checkpoints = whole.map(({ step, info }) => ({ step, digest: info.digest }));
    return { ...found, checkpoints, release, rows: new Map(whole.map((row) => [row.step, row])) };
  } catch (error) {
    release();
    throw error;
  }
}

interface Content {
  readonly bytes: number;
  readonly pieces: Iterable<Bytes> | AsyncIterable<Bytes>;
}

/** What each file of a bundle holds. */
class Contents {
  readonly #manager: CheckpointManager;
  readonly #parts: StoreParts;
  readonly #snapshots: ReadonlyMap<string, Snapshot>;

  constructor(manager: CheckpointManager, parts: StoreParts, snapshots: readonly Snapshot[]) {
    this.#manager = manager;
    this.#parts = parts;
    this.#snapshots = new Map(snapshots.map((snapshot) => [snapshot.record.id, snapshot]));
  }

  async of(part: BundlePart): Promise<Content> {
    switch (part.kind) {
      case "readme":
        return whole(new TextEncoder().encode(README_TEXT));
      case "data":
        return whole(await this.#manager.getData(part.hash));
      case "metrics":
        return whole(metricsCsv(part.run.events));
      case "journal": {
        const { journal } = this.#of(part.run);
        // Twice, since a table of a million lines is longer than what may be in memory.
        let bytes = 0;
        for (const piece of journalCsv(journal)) bytes += piece.length;
        return { bytes, pieces: journalCsv(journal) };
      }
      case "checkpoint": {
        const row = this.#of(part.run).rows.get(part.checkpoint.step);
        if (row === undefined)
          throw new HoldfastError("internal", "A checkpoint of the bundle is not its run's.");
        return this.#checkpoint(row);
      }
      default:
        return part satisfies never;
    }
  }

  async #checkpoint(row: CheckpointRow): Promise<Content> {
    const stored = new StoredCheckpoint(this.#parts, row);
    const head = await stored.head();
    return { bytes: head.length + row.info.rawBytes, pieces: stored.file() };
  }

  #of(run: BundleRun): Snapshot {
    const snapshot = this.#snapshots.get(run.record.id);
    if (snapshot === undefined) throw new HoldfastError("internal", "A run of the bundle was not read.");
    return snapshot;
  }
}

function whole(bytes: Bytes): Content {
  return { bytes: bytes.length, pieces: [bytes] };
}

/** A checkpoint that may be moved while it is read. What is in it stays the same, so reading goes on where it was. */
class StoredCheckpoint {
  readonly #parts: StoreParts;
  #row: CheckpointRow;

  constructor(parts: StoreParts, row: CheckpointRow) {
    this.#parts = parts;
    this.#row = row;
  }

  async head(): Promise<Bytes> {
    return this.#asItIs(async () => {
      const manifest = await readManifest(this.#parts.packs, this.#row);
      return checkpointHead(manifest, manifest.tensors);
    });
  }

  /** As a safetensors file. */
  async *file(): AsyncGenerator<Bytes> {
    yield await this.head();
    yield* this.chunks();
  }

  /** Each valid until the next is asked for. */
  async *chunks(): AsyncGenerator<Bytes> {
    let open = await this.#reader(0);
    for (let index = 0; ; index += 1) {
      const next = await this.#asItIs(async (isAgain) => {
        if (isAgain) open = await this.#reader(index);
        return open.next();
      });
      if (next.done === true) return;
      yield next.value;
    }
  }

  async #reader(from: number): Promise<AsyncGenerator<Bytes>> {
    const { packs } = this.#parts;
    const manifest = await this.#asItIs(() => readManifest(packs, this.#row));
    return chunksOf(packs, this.#row, manifest, from);
  }

  /** Once more where it was moved. */
  async #asItIs<T>(read: (isAgain: boolean) => Promise<T>): Promise<T> {
    for (let isAgain = false; ; isAgain = true) {
      try {
        return await read(isAgain);
      } catch (error) {
        const { run, step, manifestHash } = this.#row;
        const now = await this.#parts.catalog.read((tx) => tx.at("checkpoints", run, step));
        if (codeOfDamage(error) === null || now === undefined || now.manifestHash === manifestHash)
          throw error;
        this.#row = now;
      }
    }
  }
}
