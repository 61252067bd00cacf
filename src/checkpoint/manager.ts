/**
 * Durable checkpoints: packs, catalogue and locks put together.
 *
 * Nothing here imports a trainer: states come as named typed arrays and go back so.
 */
import { hasCode, HoldfastError } from "../errors";
import { parseRunRecord } from "../format/run-parse";
import type { JournalRows, RunEvent, RunEventBody, RunRecord, RunStatus } from "../format/run";
import type { CheckpointInfo, Lease, Restored, RunDetail, RunInfo, SaveRequest } from "../format/stored";
import { commitEvent, commitRows } from "../store/commit";
import { readRows } from "../store/journal";
import type { Locks } from "../store/locks";
import { checkOwner, findRun, Owners } from "../store/owner";
import type { PackStore } from "../store/pack-store";
import type { Catalog, CheckpointRow, RunRow } from "../store/tables";
import { DataStore } from "./data";
import { runInfo } from "./list";
import { readCheckpoint, readNewestWhole, type ReadCheckpoint } from "./read";
import { reclaimAll } from "./reclaim";
import { Saver } from "./save";
import { Trash } from "./trash";
import { checkReadable, type Clock } from "./write";

const MAX_NAME = 200;
/** What was deleted this long ago can go without being asked: no page offers an undo any more. */
const UNDO_MS = 5 * 60_000;

export interface StoreParts {
  readonly packs: PackStore;
  readonly catalog: Catalog;
  readonly locks: Locks;
  readonly clock: Clock;
}

/** Saves, restores, lists and removes; the storage worker exposes it. */
export class CheckpointManager {
  readonly #parts: StoreParts;
  readonly #owners: Owners;
  readonly #data: DataStore;
  readonly #trash: Trash;
  readonly #saver: Saver;
  /** Work that no caller waits for: giving space back, figures for the screen. */
  #background: Promise<unknown> = Promise.resolve();

  constructor(parts: StoreParts) {
    this.#parts = parts;
    this.#owners = new Owners(parts.catalog, parts.locks);
    this.#data = new DataStore(parts.packs, parts.catalog, parts.clock.now);
    this.#trash = new Trash({ ...parts, owners: this.#owners, now: parts.clock.now });
    this.#saver = new Saver(parts, (work) => this.#later(work));
    this.#later(() => this.#trash.empty(UNDO_MS));
    this.#later(() => reclaimAll(parts.packs, parts.catalog));
  }

  async createRun(
    record: RunRecord,
    first: SaveRequest,
  ): Promise<{ readonly lease: Lease; readonly checkpoint: CheckpointInfo }> {
    if (first.state.scalars.step !== record.firstStep) {
      throw new HoldfastError(
        "invalid",
        `The first state is of step ${first.state.scalars.step}, not ${record.firstStep}.`,
      );
    }
    checkReadable(() => parseRunRecord(record), "run");
    const lease = await this.#owners.claim(record.id);
    try {
      const checkpoint = await this.#saver.save(lease, first, {
        begin: record,
        context: () =>
          Promise.resolve({
            run: { record, steps: record.steps, nextFrame: 0, lastCommit: null },
            events: [],
          }),
      });
      return { lease, checkpoint };
    } catch (error) {
      await this.release(lease);
      throw error;
    }
  }

  async acquire(run: string, options: { readonly takeOver?: boolean } = {}): Promise<Lease> {
    const lease = await this.#owners.acquire(run, options.takeOver ?? false);
    await this.#saver.close(run);
    return lease;
  }

  async release(lease: Lease): Promise<void> {
    await this.#saver.release(lease);
    this.#owners.release(lease);
  }

  /** For a trainer that ended without a word: its saves are waited for, and the run is free. */
  async letGo(run: string): Promise<void> {
    await this.#saver.close(run);
    this.#owners.letGo(run);
  }

  async appendJournal(lease: Lease, rows: JournalRows): Promise<void> {
    await this.#parts.catalog.write("relaxed", (tx) => commitRows(tx, lease, rows));
  }

  async appendEvent(lease: Lease, step: number, event: RunEventBody, status?: RunStatus): Promise<RunEvent> {
    const about = { step, time: this.#parts.clock.now() };
    return this.#parts.catalog.write("strict", (tx) => commitEvent(tx, lease, about, event, status));
  }

  async save(lease: Lease, request: SaveRequest): Promise<CheckpointInfo> {
    const context = () =>
      this.#parts.catalog.read(async (tx) => {
        // Asked before megabytes are written for nothing; what counts is the same question in the commit.
        await checkOwner(tx, lease);
        const run = await findRun(tx, lease.run);
        const events = await tx.of("events", lease.run);
        return { run, events: events.map(({ event }) => event) };
      });
    await context();
    try {
      return await this.#saver.save(lease, request, { begin: null, context });
    } catch (error) {
      // What was deleted a while ago is the first to go when space gets short; the next save finds the room.
      if (hasCode(error, "quota")) this.#later(() => this.#trash.empty(UNDO_MS));
      throw error;
    }
  }

  async restore(run: string, step?: number): Promise<Restored> {
    const rows = await this.#parts.catalog.read(async (tx) => {
      await findRun(tx, run);
      return tx.of("checkpoints", run, step === undefined ? {} : { to: step });
    });
    const stillThere = async (row: CheckpointRow) =>
      (await this.#parts.catalog.read((tx) => tx.at("checkpoints", run, row.step)))?.manifestHash ===
      row.manifestHash;
    return readNewestWhole(this.#parts.packs, rows.toReversed(), stillThere);
  }

  /** Exactly this checkpoint, with its manifest and its facts. */
  async read(
    run: string,
    step: number,
  ): Promise<ReadCheckpoint & { readonly run: RunRow; readonly info: CheckpointInfo }> {
    const found = await this.#parts.catalog.read(async (tx) => ({
      run: await findRun(tx, run),
      row: await tx.at("checkpoints", run, step),
    }));
    if (found.row === undefined) {
      throw new HoldfastError("missing", `"${found.run.record.name}" has no checkpoint of step ${step}.`);
    }
    return { ...(await readCheckpoint(this.#parts.packs, found.row)), run: found.run, info: found.row.info };
  }

  async detail(run: string): Promise<RunDetail> {
    const holder = await this.#owners.holders();
    return this.#parts.catalog.read(async (tx) => {
      const row = await findRun(tx, run);
      const events = (await tx.of("events", run)).map(({ event }) => event);
      const checkpointList = (await tx.of("checkpoints", run)).map(({ info }) => info);
      return { ...runInfo(row, holder(run)), record: row.record, events, checkpointList };
    });
  }

  async checkpoints(run: string): Promise<readonly CheckpointInfo[]> {
    return (await this.detail(run)).checkpointList;
  }

  async journal(run: string, from?: number, to?: number): Promise<JournalRows> {
    return this.#parts.catalog.read(async (tx) => {
      const { record, step } = await findRun(tx, run);
      return readRows(tx, run, from ?? record.firstStep + 1, Math.min(to ?? step, step));
    });
  }

  putData(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
    return this.#data.put(bytes);
  }

  getData(hash: string): Promise<Uint8Array<ArrayBuffer>> {
    return this.#data.get(hash);
  }

  /** All runs, newest first, without those in the trash. Reads one row for each. */
  async runs(): Promise<readonly RunInfo[]> {
    const holder = await this.#owners.holders();
    const rows = await this.#parts.catalog.read((tx) => tx.all("runs"));
    return rows
      .filter(({ removed }) => removed === null)
      .sort((a, b) => b.record.created - a.record.created)
      .map((row) => runInfo(row, holder(row.id)));
  }

  async rename(run: string, name: string): Promise<void> {
    const trimmed = name.trim();
    if (trimmed === "" || trimmed.length > MAX_NAME) {
      throw new HoldfastError(
        "invalid",
        `A name has 1 to ${MAX_NAME} characters; this one has ${trimmed.length}.`,
      );
    }
    await this.#parts.catalog.write("strict", async (tx) => {
      const row = await findRun(tx, run);
      await tx.put("runs", { ...row, record: { ...row.record, name: trimmed } });
    });
  }

  remove(run: string): Promise<void> {
    return this.#trash.remove(run);
  }

  undoRemove(run: string): Promise<void> {
    return this.#trash.undo(run);
  }

  emptyTrash(): Promise<void> {
    return this.#trash.empty(0);
  }

  /** Resolves when nothing goes on in the background. */
  async idle(): Promise<void> {
    await this.#background;
  }

  /** Lets go of all runs and packs. */
  async close(): Promise<void> {
    for (const lease of this.#saver.open()) await this.release(lease);
    await this.idle();
  }

  /** A failure changes nothing that was promised: space that was not given back is found again by the next opening. */
  #later(work: () => Promise<unknown>): void {
    this.#background = this.#background.then(work).catch(() => undefined);
  }
}
