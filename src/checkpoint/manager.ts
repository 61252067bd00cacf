/**
 * Durable checkpoints: packs, catalogue and locks put together.
 *
 * Nothing here imports a trainer: states come as named typed arrays and go back so.
 */
import { hasCode, HoldfastError, messageOf } from "../errors";
import { given } from "../format/given";
import {
  about as parseAbout,
  mark as parseMark,
  parseRunRecord,
  policy as parsePolicy,
} from "../format/run-parse";
import type {
  AboutChange,
  Edit,
  JournalRows,
  Mark,
  MarkChange,
  Policy,
  RunEvent,
  RunEventBody,
  RunRecord,
  RunStatus,
} from "../format/run";
import type {
  AuditLog,
  CheckpointInfo,
  Health,
  Lease,
  PolicyPreview,
  Recovery,
  Rehearsal,
  Restored,
  RunDetail,
  RunInfo,
  SaveRequest,
  ScrubStatus,
  TrashedRun,
  VerifyReport,
} from "../format/stored";
import { noted, notedAsPruned, STORE } from "../store/audit";
import { commitRows, pruned, type LetGo, type Surplus } from "../store/commit";
import { readRows } from "../store/journal";
import type { Locks } from "../store/locks";
import { checkOwner, findReadable, findRun, freshEpoch, Owners } from "../store/owner";
import type { PackStore } from "../store/pack-store";
import type { Catalog, CheckpointRow, RunRow } from "../store/tables";
import { AuditTrail } from "./audit-trail";
import { Held } from "./held";
import { Background } from "./background";
import { markCheckpoint, markUsed } from "./check";
import { DataStore } from "./data";
import { healthOf } from "./health";
import { previewOf, thinner } from "./keep";
import { runInfo } from "./list";
import { RunLog } from "./log";
import { OpenRuns } from "./open-runs";
import { Opening } from "./opening";
import { readAsItIs, readNewestWhole, type ReadCheckpoint, type RowNow } from "./read";
import { Reclaimer } from "./reclaim";
import { Saver } from "./save";
import { NOT_SCRUBBED, Scrub } from "./scrub";
import { Trash } from "./trash";
import { verifyStore } from "./verify";
import { checkReadable, type Clock } from "./write";

const MAX_NAME = 200;
/** Uses within this time are one. */
const USED_MS = 60_000;
/** What is on a run that nobody has touched yet. */
const NOTHING_ON_IT = { marks: [], tags: [], note: "", edits: 0 };

export interface StoreParts {
  readonly packs: PackStore;
  readonly catalog: Catalog;
  readonly locks: Locks;
  readonly clock: Clock;
  /** Which checkpoints of a run are no longer kept. */
  readonly keep: Surplus;
}

/** Saves, restores, lists and removes; the storage worker exposes it. */
export class CheckpointManager {
  readonly #parts: StoreParts;
  readonly #owners: Owners;
  readonly #data: DataStore;
  readonly #trash: Trash;
  readonly #runs: OpenRuns;
  readonly #log: RunLog;
  readonly #saver: Saver;
  readonly #reclaimer: Reclaimer;
  readonly #opening: Opening;
  readonly #background = new Background();
  /** For what is done beside this, as an export. */
  readonly trail: AuditTrail;
  readonly held = new Held();
  #scrub: Scrub | null = null;

  constructor(store: StoreParts) {
    const parts = { ...store, keep: this.held.sparing(store.keep) };
    this.#parts = parts;
    const { packs, catalog, locks, clock } = parts;
    this.trail = new AuditTrail(catalog, clock.now, this.#background);
    this.#owners = new Owners(catalog, locks);
    this.#data = new DataStore(packs, catalog, clock.now);
    this.#runs = new OpenRuns({ packs, catalog, now: clock.now });
    this.#log = new RunLog(this.#runs, catalog, clock);
    this.#trash = new Trash({ packs, catalog, owners: this.#owners, log: this.#log, now: clock.now });
    this.#reclaimer = new Reclaimer(packs, catalog);
    this.#saver = new Saver({ ...parts, reclaimer: this.#reclaimer }, this.#runs, this.#background);
    // Before anything is thrown away: what no row names may be all that there is.
    this.#opening = new Opening({ ...parts, now: clock.now, owners: this.#owners });
    this.#background.later(() => this.makeRoom(false));
  }

  /** Resolves when what is in the packs is in the catalogue as well, as far as it can be. */
  recovered(): Promise<Recovery> {
    return this.#opening.recovered();
  }

  /** For who is about to write to a run; see `Opening.ready`. Was everything seen? */
  ready(run: string | null): Promise<boolean> {
    return this.#opening.ready(run);
  }

  /**
   * Deletes for good what lies in the trash for long; where space is short, for a little while. Did that give room back?
   * An older catalogue may have a run in the trash that was taken out of it since: only where all was seen.
   */
  protected async makeRoom(isShort: boolean): Promise<boolean> {
    return (await this.#opening.seen()).complete && this.#trash.emptyOld(isShort);
  }

  /** What was found; null while the opening still looks. */
  get recovery(): Recovery | null {
    return this.#opening.found;
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
    const lease = await this.#owners.claim(record.id, freshEpoch(this.#parts.clock.now()));
    try {
      const checkpoint = await this.#saver.save(lease, first, {
        begin: record,
        context: () =>
          Promise.resolve({
            run: {
              record,
              steps: record.steps,
              nextFrame: 0,
              lastCommit: null,
              logged: record.firstStep,
              log: null,
              ...NOTHING_ON_IT,
            },
            events: [],
            rows: null,
          }),
      });
      return { lease, checkpoint };
    } catch (error) {
      await this.release(lease);
      throw error;
    }
  }

  async acquire(run: string, options: { readonly takeOver?: boolean } = {}): Promise<Lease> {
    await this.ready(run);
    const lease = await this.#owners.acquire(run, options.takeOver ?? false);
    await this.#runs.close(run);
    if (options.takeOver === true) this.trail.later(run, { what: "taken over" });
    return lease;
  }

  async release(lease: Lease): Promise<void> {
    await this.#runs.release(lease);
    this.#owners.release(lease);
  }

  /** For a trainer that ended without a word: its saves are waited for, and the run is free. */
  async letGo(run: string): Promise<void> {
    await this.#runs.close(run);
    this.#owners.letGo(run);
  }

  async appendJournal(lease: Lease, rows: JournalRows): Promise<void> {
    await this.#parts.catalog.write("relaxed", (tx) => commitRows(tx, lease, rows));
  }

  async appendEvent(lease: Lease, step: number, event: RunEventBody, status?: RunStatus): Promise<RunEvent> {
    return this.#log.event(lease, step, event, status);
  }

  async save(lease: Lease, request: SaveRequest): Promise<CheckpointInfo> {
    const context = () =>
      this.#parts.catalog.read(async (tx) => {
        // Asked before megabytes are written for nothing; what counts is the same question in the commit.
        await checkOwner(tx, lease);
        const run = await findRun(tx, lease.run);
        const events = await tx.of("events", lease.run);
        const rows = run.step > run.logged ? await readRows(tx, run.id, run.logged + 1, run.step) : null;
        return { run, events: events.map(({ event }) => event), rows };
      });
    await context();
    try {
      return await this.#saver.save(lease, request, { begin: null, context });
    } catch (error) {
      // What was deleted a while ago is the first to go when space gets short; the next save finds the room.
      if (hasCode(error, "quota")) this.#background.later(() => this.makeRoom(true));
      const { step } = request.state.scalars;
      this.trail.later(lease.run, { what: "not saved", step, why: messageOf(error) });
      throw error;
    }
  }

  /** Resolves when no save is under way: what can wait comes after what trains. */
  quiet(): Promise<void> {
    return this.#saver.quiet();
  }

  /**
   * Saves a state that is damaged here, as it was had from elsewhere, under the lease that this tab has or one for the
   * moment. `busy` where another tab has the run.
   */
  async saveAgain(run: string, request: SaveRequest): Promise<void> {
    const own = this.#owners.mine(run);
    const lease = own ?? (await this.acquire(run));
    try {
      await this.save(lease, request);
    } finally {
      if (own === null) await this.release(lease);
    }
    const { step } = request.state.scalars;
    this.trail.later(run, { what: "brought back", step, why: "from the mirror" });
  }

  /** `isUse`: does it keep the checkpoint for a while longer, by the rule "used"? */
  async restore(
    run: string,
    step?: number,
    { isUse = true }: { readonly isUse?: boolean } = {},
  ): Promise<Restored> {
    const { elapsed } = this.#parts.clock;
    const start = elapsed();
    const rows = await this.#parts.catalog.read(async (tx) => {
      await findReadable(tx, run);
      return tx.of("checkpoints", run, step === undefined ? {} : { to: step });
    });
    const restored = await readNewestWhole(this.#parts.packs, rows.toReversed(), this.#rowNow);
    if (!isUse) return restored;
    const { step: found } = restored.checkpoint;
    this.#used(rows.find((row) => row.step === found));
    const why = restored.skipped.length === 0 ? "" : `${restored.skipped.length} newer ones are damaged`;
    const ms = elapsed() - start;
    this.trail.later(run, { what: "restored", step: found, why, ms });
    return restored;
  }

  /** Exactly this checkpoint, with its manifest and its facts. */
  async read(
    run: string,
    step: number,
  ): Promise<ReadCheckpoint & { readonly run: RunRow; readonly info: CheckpointInfo }> {
    const found = await this.#parts.catalog.read(async (tx) => ({
      run: await findReadable(tx, run),
      row: await tx.at("checkpoints", run, step),
    }));
    const { run: holder, row } = found;
    const read = row === undefined ? null : await readAsItIs(this.#parts.packs, row, this.#rowNow);
    if (row === undefined || read === null)
      throw new HoldfastError("missing", `"${holder.record.name}" has no checkpoint of step ${step}.`);
    this.#used(row);
    return { ...read, run: holder, info: row.info };
  }

  readonly #rowNow: RowNow = ({ run, step }) =>
    this.#parts.catalog.read((tx) => tx.at("checkpoints", run, step));

  /** Keeps it for a while longer, by the rule "used". */
  #used(row: CheckpointRow | undefined): void {
    const { catalog, clock } = this.#parts;
    const now = clock.now();
    if (row === undefined || (row.used !== null && now - row.used < USED_MS)) return;
    this.#background.later(() => catalog.write("relaxed", (tx) => markUsed(tx, row, now)));
  }

  /** Puts down what came of trying to return to a checkpoint. */
  async rehearsed(run: string, step: number, rehearsal: Rehearsal): Promise<void> {
    await this.#parts.catalog.write("relaxed", async (tx) => {
      const row = await tx.at("checkpoints", run, step);
      if (row === undefined) return;
      await markCheckpoint(tx, row, { rehearsed: rehearsal });
      const { time, failure, ms, to } = rehearsal;
      await noted(tx, {
        run,
        time,
        what: "rehearsed",
        step,
        why: failure ?? `all equal up to step ${to}`,
        ms,
      });
    });
  }

  async detail(run: string): Promise<RunDetail> {
    const holder = await this.#owners.holders();
    return this.#parts.catalog.read(async (tx) => {
      const row = await findReadable(tx, run);
      const events = (await tx.of("events", run)).map(({ event }) => event);
      const checkpointList = (await tx.of("checkpoints", run)).map(({ info }) => info);
      const { record, marks, note } = row;
      const removed = row.removed !== null;
      return { ...runInfo(row, holder(run)), record, events, checkpointList, marks, note, removed };
    });
  }

  async checkpoints(run: string): Promise<readonly CheckpointInfo[]> {
    return (await this.detail(run)).checkpointList;
  }

  async journal(run: string, from?: number, to?: number): Promise<JournalRows> {
    return this.#parts.catalog.read(async (tx) => {
      const { record, step } = await findReadable(tx, run);
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
    await this.#edit(run, { kind: "renamed", name: trimmed });
  }

  /** Changes a pin, the tags or the note of a step. A pinned or tagged checkpoint stays, whatever the policy. */
  async mark(run: string, step: number, change: MarkChange): Promise<void> {
    const blank: Mark = { step, pinned: false, tags: [], note: "" };
    checkReadable(() => parseMark({ ...blank, ...change }, "mark"), "mark");
    // Of the row as it is when its turn comes: another tab may be at it.
    await this.#edit(run, ({ marks }) => {
      const before = marks.find((mark) => mark.step === step) ?? blank;
      return { kind: "marked", mark: { ...before, ...change } };
    });
  }

  /** Changes the tags or the note of a run. */
  async describe(run: string, change: AboutChange): Promise<void> {
    checkReadable(() => parseAbout({ marks: [], tags: [], note: "", ...change }, "about"), "description");
    await this.#edit(run, ({ tags, note }) => ({ kind: "described", tags, note, ...change }));
  }

  /** Another policy. What it lets go of goes at once; where another tab has the run, with the next save there. */
  async setPolicy(run: string, asked: Policy): Promise<void> {
    const policy = given(asked);
    checkReadable(() => parsePolicy(policy, "policy"), "policy");
    await this.#edit(run, { kind: "policy", policy });
    const { keep } = this.#parts;
    const lease = this.#runs.find(run)?.lease ?? null;
    const prune = () => this.#prune(run, keep, lease);
    // Held for no longer than that: somebody may be about to open the run.
    const { packs: freed } = await (lease === null ? this.#owners.exclusively(run, prune) : prune()).catch(
      noneWhereTaken,
    );
    await this.#reclaimer.reclaim(freed);
    this.#sweepSoon(run);
  }

  /** By the tab that writes the run, when it does. */
  #sweepSoon(run: string): void {
    const open = this.#runs.find(run);
    if (open !== undefined) this.#background.check(() => this.#saver.sweep(open));
  }

  /**
   * Lets go of what only density keeps until a run that this tab writes takes so many bytes less, as far as that goes.
   * Returns how many checkpoints went.
   */
  async thin(lease: Lease, bytes: number): Promise<number> {
    const gone = await this.#prune(lease.run, thinner(this.#parts.keep, bytes), lease);
    await this.#reclaimer.reclaim(gone.packs);
    this.#sweepSoon(lease.run);
    return gone.steps.length;
  }

  #prune(run: string, surplus: Surplus, lease: Lease | null): Promise<LetGo> {
    const { catalog, clock } = this.#parts;
    return catalog.write("strict", async (tx) => {
      const letGo = await pruned(tx, run, surplus, lease);
      await notedAsPruned(tx, run, clock.now(), letGo.steps);
      return letGo;
    });
  }

  /** What that policy would keep, and what it would let go. Changes nothing. */
  async preview(run: string, asked: Policy): Promise<PolicyPreview> {
    const policy = given(asked);
    checkReadable(() => parsePolicy(policy, "policy"), "policy");
    const { catalog, clock } = this.#parts;
    const { row, rows, sizes } = await catalog.read(async (tx) => ({
      row: await findRun(tx, run),
      rows: await tx.of("checkpoints", run),
      sizes: new Map((await tx.all("packs")).map(({ name, size }) => [name, size])),
    }));
    return previewOf(rows, { ...row, record: { ...row.record, policy } }, clock.now(), sizes);
  }

  async #edit(run: string, change: Edit | ((row: RunRow) => Edit)): Promise<void> {
    await this.ready(run);
    await this.#parts.catalog.read((tx) => findRun(tx, run));
    await this.#log.edit(run, change);
  }

  async remove(run: string): Promise<void> {
    // What makes room must not need any.
    await this.ready(run).catch(unlessFull);
    await this.#trash.remove(run);
  }

  async undoRemove(run: string): Promise<void> {
    await this.ready(run);
    await this.#trash.undo(run);
  }

  /** Runs that were deleted and can be brought back, last deleted first. */
  trash(): Promise<readonly TrashedRun[]> {
    return this.#trash.list();
  }

  /** Deletes a run in the trash for good; where none is named, all of them. */
  async emptyTrash(run?: string): Promise<void> {
    await this.ready(null);
    const { failed } = await this.#opening.seen();
    if (run !== undefined && !(await this.#trash.list()).some(({ id }) => id === run))
      throw new HoldfastError("missing", `There is no run ${run} in the trash.`);
    await this.#trash.empty((id) => (run === undefined || id === run) && !failed.has(id));
  }

  /**
   * Is everything there that the catalogue says? `all`: reads every byte of it, as restores would; otherwise only what
   * describes the rest. Saves come first.
   */
  async verify(all: boolean): Promise<VerifyReport> {
    await this.#opening.seen();
    const { now, elapsed } = this.#parts.clock;
    const start = elapsed();
    const report = await verifyStore({ ...this.#parts, now }, all, () => this.#saver.quiet());
    const { checkpoints, damaged } = report;
    const why = `${checkpoints} checkpoints, ${all ? "every byte" : "what describes them"}; ${damaged.length} damaged`;
    const ms = elapsed() - start;
    this.trail.later(STORE, { what: "verified", why, ms });
    return report;
  }

  /** Begins to read everything back, round after round, until `close`. `pause` is awaited between two chunks. */
  watch({ pause, rest }: { readonly pause: () => Promise<void>; readonly rest: () => Promise<void> }): void {
    const { packs, catalog, clock } = this.#parts;
    const between = async () => {
      await pause();
      await this.#saver.quiet();
    };
    this.#scrub ??= new Scrub({ packs, catalog, now: clock.now }, this.#data, {
      now: clock.now,
      between,
      rest,
    });
    void this.#opening.seen().then(() => this.#scrub?.run());
  }

  /** The last round of that. */
  get scrubbed(): ScrubStatus {
    return this.#scrub?.status ?? NOT_SCRUBBED;
  }

  /** How saving goes, run by run, and all that was done. */
  async health(): Promise<Health> {
    const { catalog, clock } = this.#parts;
    return { runs: await healthOf(catalog, clock.now()), audit: await this.trail.read() };
  }

  /** What was done to a run, or to all of them and the store. */
  audit(run?: string): Promise<AuditLog> {
    return this.trail.read(run);
  }

  /** Resolves when nothing goes on in the background. */
  async idle(): Promise<void> {
    await this.#background.idle();
  }

  /** Lets go of all runs and packs. */
  async close(): Promise<void> {
    this.#scrub?.stop();
    for (const lease of this.#runs.leases()) await this.release(lease);
    this.#owners.letGoOfAll();
    await this.idle();
  }
}

/** Another tab has the run: what is to go goes with its next save. */
function noneWhereTaken(error: unknown): LetGo {
  if (hasCode(error, "busy") || hasCode(error, "fenced")) return { steps: [], packs: [] };
  throw error;
}

function unlessFull(error: unknown): void {
  if (!hasCode(error, "quota")) throw error;
}
