/** Runs that are kept in step in a folder: what it lacks is written, what is damaged on one side is had from the other. */
import { hasCode, HoldfastError, messageOf } from "../errors";
import {
  bundleParts,
  checkBundleSize,
  checkDataSize,
  checkpointName,
  encodeBundleIndex,
  metricsCsv,
  README_TEXT,
  type BundleCheckpoint,
  type BundleIndex,
  type BundlePart,
  type BundleRun,
} from "../format/bundle";
import { equalBytes, type Bytes } from "../format/bytes";
import { encodeJson } from "../format/json";
import { journalCsv } from "../format/journal-csv";
import { lastStep } from "../format/rows";
import type { MirroredRun, MirrorOptions } from "../format/stored";
import { tierOf } from "../policy/tier";
import type { CheckpointRow } from "../store/tables";
import { written } from "./bundle-output";
import { BundleSource, lasting } from "./bundle-source";
import { keptWithRoom, ratedOf, type Rated } from "../checkpoint/keep";
import type { CheckpointManager, StoreParts } from "../checkpoint/manager";
import {
  folderFiles,
  indexPath,
  checkpointNamed,
  isTableName,
  MIRROR_FORM,
  MIRROR_RUNS,
  mirrorPath,
  readMirrored,
  type Folder,
} from "./mirror-folder";
import { MirrorFiles } from "./mirror-files";
import { codeOfDamage } from "../checkpoint/read";
import { snapshotOf, type Snapshot } from "./snapshot";
import { StoredCheckpoint } from "./stored-checkpoint";
import type { Work } from "./work";

/** What came of one run. */
export interface Synced {
  readonly run: MirroredRun;
  readonly written: number;
  readonly mended: number;
  readonly broughtBack: number;
  /** When the newest checkpoint that was written had been saved, milliseconds since 1970. */
  readonly saved: number | null;
}

export interface SyncOptions extends Pick<MirrorOptions, "archive"> {
  /** Reads every byte of the folder back, instead of looking how long the files are. */
  readonly all: boolean;
  readonly work: Work;
}

/**
 * Brings one run in step. Nothing of the folder is written over while its index names it, and nothing that another store
 * made of the run since is: then it is `invalid`. What the policy let go of goes there too; what the store has lost stays.
 */
export async function syncRun(
  manager: CheckpointManager,
  parts: StoreParts,
  folder: Folder,
  run: string,
  options: SyncOptions,
): Promise<Synced> {
  const snapshot = await snapshotOf(manager, parts, { run, steps: null });
  try {
    return await new RunSync(manager, parts, folder, snapshot, options).sync();
  } finally {
    snapshot.release();
  }
}

/** The run as the folder has it. */
interface Known {
  readonly index: BundleIndex;
  readonly run: BundleRun;
}

class RunSync {
  readonly #manager: CheckpointManager;
  readonly #parts: StoreParts;
  readonly #folder: Folder;
  readonly #snapshot: Snapshot;
  readonly #options: SyncOptions;
  readonly #run: string;
  readonly #files: MirrorFiles;
  /** As it is in the folder. */
  #index: Bytes | null = null;
  #written = 0;
  #mended = 0;
  #broughtBack = 0;
  #saved: number | null = null;
  readonly #problems: string[] = [];

  constructor(
    manager: CheckpointManager,
    parts: StoreParts,
    folder: Folder,
    snapshot: Snapshot,
    options: SyncOptions,
  ) {
    this.#manager = manager;
    this.#parts = parts;
    this.#folder = folder;
    this.#snapshot = snapshot;
    this.#options = options;
    this.#run = snapshot.record.id;
    const pause = (): Promise<void> => {
      options.work.did(0);
      return manager.quiet();
    };
    this.#files = new MirrorFiles(folder, { all: options.all, pause });
  }

  async sync(): Promise<Synced> {
    const { record, events, about, rows } = this.#snapshot;
    checkDataSize(record);
    checkBundleSize(1, rows.length);
    const known = await this.#known();
    if (known === null) await this.#checkOwn();
    else this.#checkFollows(known.run);
    this.#index = known === null ? null : encodeBundleIndex(known.index);
    // What can fail for the run as a whole comes before what is large.
    const bare: BundleRun = { record, events, about, checkpoints: [] };
    for (const [name, part] of bundleParts([bare], MIRROR_FORM)) await this.#put(name, part, known);
    const { checkpoints, mends } = await this.#checkpoints(known);
    if (checkpoints.length > 0 || mends.length === 0) await this.#commit({ ...bare, checkpoints }, known);
    for (const row of mends) await this.#mend(row, checkpoints);
    const run = { ...bare, checkpoints: checkpoints.sort((a, b) => a.step - b.step) };
    if (mends.length > 0) await this.#commit(run, known);
    await this.#bringBack(run);
    const { id, name } = record;
    return {
      run: {
        run: id,
        name,
        checkpoints: checkpoints.length,
        step: checkpoints.at(-1)?.step ?? null,
        problem: this.#problems.length === 0 ? null : this.#problems.join(" "),
      },
      written: this.#written,
      mended: this.#mended,
      broughtBack: this.#broughtBack,
      saved: this.#saved,
    };
  }

  /** What the folder has; null where that is nothing, or its index is damaged and is written anew. */
  async #known(): Promise<Known | null> {
    try {
      const index = await readMirrored(this.#folder, this.#run);
      const run = index?.runs[0];
      return index === null || run === undefined ? null : { index, run };
    } catch (error) {
      if (!hasCode(error, "corrupt")) throw error;
      return null;
    }
  }

  /** Without an index the names of its files still say whether another store went on with the run. */
  async #checkOwn(): Promise<void> {
    const digests = new Map(this.#snapshot.rows.map(({ step, info }) => [step, info.digest]));
    for (const name of await this.#folder.list(`${MIRROR_RUNS}/${this.#run}/checkpoints`)) {
      const there = checkpointNamed(name);
      if (there === null) continue;
      if (there.step > this.#end || !(digests.get(there.step) ?? there.digest).startsWith(there.digest))
        throw this.#notOwn(there.step);
    }
  }

  /** The store's run must be what the folder has, and what came after that. */
  #checkFollows({ record, events, checkpoints }: BundleRun): void {
    const { rows, ...here } = this.#snapshot;
    const digests = new Map(rows.map(({ step, info }) => [step, info.digest]));
    const isSame =
      equalBytes(lasting(record), lasting(here.record)) &&
      equalBytes(encodeJson(here.events.slice(0, events.length)), encodeJson(events)) &&
      checkpoints.every(({ step, digest }) => step <= this.#end && (digests.get(step) ?? digest) === digest);
    if (!isSame) throw this.#notOwn(checkpoints.at(-1)?.step ?? 0);
  }

  /** Last step of the run in the store. */
  get #end(): number {
    const { journal, record } = this.#snapshot;
    return journal === null ? record.firstStep : lastStep(journal);
  }

  #notOwn(step: number): HoldfastError {
    return new HoldfastError(
      "invalid",
      `The folder has this run as another browser went on with it, up to step ${step}. Nothing of it was changed. Import the folder, which brings that one as a copy, or mirror to another folder.`,
    );
  }

  /**
   * Those that the folder has now, and those that are to be written over a damaged file: once no index names that any more, or
   * a cut would leave one that is wrong about it.
   */
  async #checkpoints(
    known: Known | null,
  ): Promise<{ readonly checkpoints: BundleCheckpoint[]; readonly mends: readonly CheckpointRow[] }> {
    const { rows } = this.#snapshot;
    const there = new Map(known?.run.checkpoints.map((one) => [one.step, one]));
    const lost = known === null ? [] : await this.#lost(known);
    // One that is damaged here and whole there counts for what it is.
    const stored = rows.map((row) => ({ ...ratedOf(row), damaged: isDamaged(row) && !there.has(row.step) }));
    const wanted = this.#wanted([...stored, ...lost].sort((a, b) => a.step - b.step));
    const byStep = new Map(rows.map((row) => [row.step, row]));
    const files = new Map(known?.index.files.map((file) => [file.name, file]));
    const checkpoints: BundleCheckpoint[] = [];
    const mends: CheckpointRow[] = [];
    for (const step of wanted) {
      const row = byStep.get(step);
      const before = there.get(step);
      const one = row === undefined ? before : { step, digest: row.info.digest };
      if (one === undefined) continue;
      const { name, part } = this.#fileOf(one);
      const entry = before?.digest === one.digest ? files.get(name) : undefined;
      if (entry !== undefined && (row === undefined || (await this.#files.isThere(entry, part)))) {
        this.#files.keep(entry);
        checkpoints.push(one);
        this.#options.work.did(row?.info.rawBytes ?? 0);
      } else if (entry !== undefined && row !== undefined) mends.push(row);
      else if (row !== undefined && (await this.#copy(row))) checkpoints.push(one);
    }
    return { checkpoints, mends };
  }

  async #mend(row: CheckpointRow, checkpoints: BundleCheckpoint[]): Promise<void> {
    if (!(await this.#copy(row))) return;
    this.#mended += 1;
    checkpoints.push({ step: row.step, digest: row.info.digest });
  }

  #fileOf(one: BundleCheckpoint): { readonly name: string; readonly part: BundlePart } {
    const run = { ...this.#snapshot, checkpoints: [one] };
    return {
      name: checkpointName(this.#run, one.step, MIRROR_FORM),
      part: { kind: "checkpoint", run, checkpoint: one },
    };
  }

  /** Checkpoints that the folder has and the store has not, with what the policy asks of them. */
  async #lost({ index, run }: Known): Promise<readonly Rated[]> {
    const here = new Set(this.#snapshot.rows.map(({ step }) => step));
    const gone = run.checkpoints.filter(({ step }) => !here.has(step));
    if (gone.length === 0) return [];
    const forks = await this.#parts.catalog.read(async (tx) => {
      const parents = (await tx.all("runs")).map(({ record }) => record.parent);
      return new Set(parents.flatMap((parent) => (parent?.run === this.#run ? [parent.step] : [])));
    });
    const source = new BundleSource(folderFiles(this.#folder, index), index);
    const lost: Rated[] = [];
    for (const one of gone) {
      const { step } = one;
      // When it was used last is not known any more.
      const rated = { step, damaged: false, forked: forks.has(step), used: this.#parts.clock.now() };
      try {
        const { time, metrics } = await source.facts(run, one);
        lost.push({ ...rated, time, metrics });
      } catch (error) {
        if (!hasCode(error, "corrupt")) throw error;
        this.#problems.push(`Step ${step} is not in the browser any more: ${messageOf(error)}`);
        // It may come back, as the disk does. Until then nothing lets go of it.
        lost.push({ ...rated, time: this.#parts.clock.now(), metrics: {}, forked: true });
      }
    }
    return lost;
  }

  /** Steps that the policy keeps where there is room, in their order. */
  #wanted(all: readonly Rated[]): readonly number[] {
    const { record, about, rows } = this.#snapshot;
    const kept = keptWithRoom(all, { record, marks: about.marks }, this.#parts.clock.now());
    const stored = new Set(rows.map(({ step }) => step));
    return all
      .filter(({ step, metrics }) => {
        const why = kept.get(step);
        if (this.#options.archive === true) return why !== undefined && tierOf(why, metrics) === "archive";
        return why !== undefined || stored.has(step);
      })
      .map(({ step }) => step);
  }

  /** Into the folder. False where it is damaged in the store. */
  async #copy(row: CheckpointRow): Promise<boolean> {
    const { name, part } = this.#fileOf({ step: row.step, digest: row.info.digest });
    const reading = { hasFailed: false };
    try {
      await this.#files.write(name, part, row.info.digest, this.#counted(row, reading));
    } catch (error) {
      // What the folder says is of all, and not of this one.
      if (!reading.hasFailed || codeOfDamage(error) === null || hasCode(error, "refused")) throw error;
      this.#problems.push(`Step ${row.step}: ${messageOf(error)}`);
      return false;
    }
    this.#written += 1;
    this.#saved = Math.max(this.#saved ?? 0, row.info.time);
    return true;
  }

  async *#counted(row: CheckpointRow, reading: { hasFailed: boolean }): AsyncGenerator<Bytes> {
    const pieces = new StoredCheckpoint(this.#parts, row).file();
    for (;;) {
      const next = await pieces.next().catch((error: unknown) => {
        reading.hasFailed = true;
        throw error;
      });
      if (next.done === true) return;
      yield next.value;
      this.#options.work.did(next.value.length);
      // What trains comes before what is copied.
      await this.#manager.quiet();
    }
  }

  /** All but checkpoints. */
  async #put(name: string, part: BundlePart, known: Known | null): Promise<void> {
    if (part.kind === "data") return this.#putData(name, part);
    const file = { name, ...(await this.#files.hash(inTurns(this.#contentOf(part)))) };
    const before = known?.index.files.find((one) => one.name === name);
    // A person's own README stays: nothing is read from ours.
    const isThere =
      part.kind === "readme"
        ? (await this.#folder.read(name)) !== null
        : before?.sha256 === file.sha256 && (await this.#files.isThere(before, part));
    if (isThere) this.#files.keep(file);
    else await this.#files.write(name, part, file.sha256, this.#contentOf(part));
  }

  /** Once for all runs that train on them, and not written over where they are whole. */
  async #putData(name: string, part: Extract<BundlePart, { readonly kind: "data" }>): Promise<void> {
    const file = { name, bytes: part.bytes, sha256: part.hash };
    if (await this.#files.isThere(file, part)) this.#files.keep(file);
    else await this.#files.write(name, part, part.hash, [await this.#manager.getData(part.hash)]);
  }

  #contentOf(part: BundlePart): Iterable<Bytes> {
    if (part.kind === "journal") return journalCsv(this.#snapshot.journal);
    if (part.kind === "metrics") return [metricsCsv(this.#snapshot.events)];
    return [new TextEncoder().encode(README_TEXT)];
  }

  /** From here on the folder has the run as it is now; then what it was before goes. */
  async #commit(run: BundleRun, known: Known | null): Promise<void> {
    if (run.checkpoints.length === 0)
      throw new HoldfastError("missing", `No checkpoint is whole. ${this.#problems.join(" ")}`);
    const parts = bundleParts([run], MIRROR_FORM);
    const files = [...parts.keys()].map((name) => this.#files.get(name));
    const index = encodeBundleIndex({ form: MIRROR_FORM, runs: [run], files });
    const isSame = this.#index !== null && equalBytes(index, this.#index);
    if (!isSame)
      await written(
        () => this.#folder.write(indexPath(this.#run)),
        0,
        (out) => out.append(index),
      );
    this.#index = index;
    const named = new Set(
      [...parts].map(([name, part]) => mirrorPath(name, part, this.#files.get(name).sha256)),
    );
    await this.#tidy(named, known);
  }

  /**
   * Takes away what the policy let go of, which the index before named, and what a sync that was cut off left behind. Other
   * checkpoints stay: nobody knows what they are worth.
   */
  async #tidy(named: ReadonlySet<string>, known: Known | null): Promise<void> {
    const own = `${MIRROR_RUNS}/${this.#run}`;
    const digests = new Map(
      [
        ...(known?.run.checkpoints ?? []),
        ...this.#snapshot.rows.map(({ step, info }) => ({ step, digest: info.digest })),
      ].map(({ step, digest }) => [step, digest]),
    );
    for (const name of await this.#folder.list(own))
      if (isTableName(name) && !named.has(`${own}/${name}`)) await this.#folder.remove(`${own}/${name}`);
    for (const name of await this.#folder.list(`${own}/checkpoints`)) {
      const there = checkpointNamed(name);
      const path = `${own}/checkpoints/${name}`;
      if (there === null || named.has(path) || digests.get(there.step)?.startsWith(there.digest) !== true)
        continue;
      await this.#folder.remove(path);
    }
  }

  /** What is damaged in the store, and whole in the folder. */
  async #bringBack(run: BundleRun): Promise<void> {
    const index = { form: MIRROR_FORM, runs: [run], files: this.#files.known };
    const source = new BundleSource(folderFiles(this.#folder, index), index);
    for (const one of run.checkpoints) {
      const row = this.#snapshot.rows.find(({ step }) => step === one.step);
      if (row === undefined || !isDamaged(row)) continue;
      await this.#tried(`Step ${one.step}`, async () => {
        const { facts, state } = await source.state(run, one, this.#options.work);
        const { reason, metrics, environment } = facts;
        const times = { stall: 0, held: 0, readBack: 0 };
        await this.#manager.saveAgain(this.#run, { state, rows: null, reason, metrics, environment, times });
      });
    }
    if (!this.#options.all) return;
    const { hash } = run.record.data;
    try {
      await this.#manager.getData(hash);
    } catch (error) {
      if (codeOfDamage(error) === null) throw error;
      await this.#tried("What it trains on", async () => {
        await this.#manager.putData(await source.data(hash));
      });
    }
  }

  async #tried(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
      this.#broughtBack += 1;
    } catch (error) {
      if (hasCode(error, "cancelled")) throw error;
      this.#problems.push(
        `${what} is damaged in the store and could not be had from the folder: ${messageOf(error)}`,
      );
    }
  }
}

function isDamaged({ info }: CheckpointRow): boolean {
  return info.check === "damaged";
}

/** Journals can be long, and whoever saves waits for this thread. */
async function* inTurns(pieces: Iterable<Bytes>): AsyncGenerator<Bytes> {
  for (const piece of pieces) {
    yield piece;
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
}
