/** One save from request to acknowledgement: frames, durability, the one transaction, and what may wait until after. */
import type { StoredChunk } from "../format/manifest";
import { cutRows, joinRows, lastStep } from "../format/rows";
import type { JournalRows, RunRecord } from "../format/run";
import type { CheckpointInfo, Lease, SaveRequest } from "../format/stored";
import { noted, notedAsPruned } from "../store/audit";
import { beginRun, commitCheckpoint, type Surplus } from "../store/commit";
import type { PackStore } from "../store/pack-store";
import type { Catalog, CatalogWriter, CheckpointRow, RunRow } from "../store/tables";
import type { Background } from "./background";
import { checkCheckpoint, markCheckpoint, unmoved } from "./check";
import type { OpenRun, OpenRuns } from "./open-runs";
import type { LogStart } from "./log-frames";
import { readStored, type ChunkRooms } from "./read";
import type { Reclaimer } from "./reclaim";
import { Sweep } from "./sweep";
import { writeCheckpoint, type Clock, type SaveContext, type Saving } from "./write";
import { configStretches } from "./configs";
import { CHAIN_LENGTH, sourceOf } from "./write-state";

type RunNow = SaveContext["run"] & LogStart & Pick<RunRow, "logged" | "log">;

export interface SavePlan {
  /** The run that begins with this checkpoint. */
  readonly begin: RunRecord | null;
  /**
   * What the run is when the frames are written, which may be after another save of it; `rows`: of its journal, those
   * that are in the catalogue and not in the log.
   */
  readonly context: () => Promise<
    Pick<SaveContext, "events"> & { readonly run: RunNow; readonly rows: JournalRows | null }
  >;
}

interface SaverParts {
  readonly packs: PackStore;
  readonly catalog: Catalog;
  readonly clock: Clock;
  readonly keep: Surplus;
  readonly reclaimer: Reclaimer;
}

/** Saves checkpoints of runs that this tab writes. */
export class Saver {
  readonly #parts: SaverParts;
  readonly #runs: OpenRuns;
  readonly #background: Background;
  readonly #sweep: Sweep;
  readonly #saving = new Set<Promise<unknown>>();

  constructor(parts: SaverParts, runs: OpenRuns, background: Background) {
    this.#parts = parts;
    this.#runs = runs;
    this.#background = background;
    this.#sweep = new Sweep(parts, () => this.quiet());
  }

  save(lease: Lease, request: SaveRequest, plan: SavePlan): Promise<CheckpointInfo> {
    const saving = this.#save(lease, request, plan);
    this.#saving.add(saving);
    const over = () => this.#saving.delete(saving);
    saving.then(over, over);
    return saving;
  }

  /** Resolves when no save is under way: reading back takes its core, its disk and as much memory again. */
  async quiet(): Promise<void> {
    while (this.#saving.size > 0) await Promise.allSettled(this.#saving);
  }

  async #save(lease: Lease, request: SaveRequest, { begin, context }: SavePlan): Promise<CheckpointInfo> {
    const { catalog, clock, packs, keep, reclaimer } = this.#parts;
    const open = this.#runs.of(lease);
    const isKeyframe = () => open.last === null || open.last.chain + 1 >= CHAIN_LENGTH;
    let written = 0;
    const { row, letGo, sweeps } = await open.writer.durably(
      async (add) => {
        const read = (chunk: StoredChunk, rooms: ChunkRooms) => readStored(packs, chunk, lease.run, rooms);
        const previous = open.last === null || isKeyframe() ? null : { manifest: open.last, read };
        // Whatever fails from here on: what comes next leans on nothing.
        open.last = null;
        const { rows, ...before } = await context();
        const unlogged = unloggedRows(before.run.logged, rows, request);
        const about = {
          lease,
          clock,
          previous,
          unlogged,
          beginsLog: before.run.log === null ? before.run : null,
          ...before,
        };
        const made = await writeCheckpoint(add, savingOf(request, about), about);
        written = clock.elapsed();
        const logged = unlogged === null ? before.run.logged : lastStep(unlogged);
        return { ...made, logged, hasBudget: before.run.record.policy.budget !== undefined };
      },
      async ({ row, manifest, hasBudget, ...commit }, packs) => {
        const start = clock.elapsed();
        const timed = withTimes(row, { write: row.info.times.write + start - written });
        const gone = await catalog.write("strict", async (tx) => {
          if (begin !== null) await beginRun(tx, begin, "paused", lease.epoch);
          const all = { ...commit, row: timed, rows: request.rows, packs };
          const letGo = await commitCheckpoint(tx, lease, all, keep);
          await note(tx, timed, begin, clock.now());
          await notedAsPruned(tx, lease.run, clock.now(), letGo.steps);
          return letGo;
        });
        // A first state is kept as long as its run, so nothing should lean on it and be kept with it.
        open.last = row.step === manifest.record.firstStep ? null : manifest;
        return { row: withTimes(timed, { commit: clock.elapsed() - start }), sweeps: hasBudget, letGo: gone };
      },
      { fresh: () => (isKeyframe() ? "state" : null) },
    );
    const { times } = row.info;
    this.#background.later(() => catalog.write("relaxed", (tx) => markCheckpoint(tx, row, { times })));
    if (letGo.packs.length > 0) this.#background.later(() => reclaimer.reclaim(letGo.packs));
    this.#background.check(() => this.#verify(row));
    if (letGo.steps.length > 0 || sweeps) this.#background.check(() => this.sweep(open));
    return row.info;
  }

  /** Moves what lives out of packs that are mostly dead, between saves. */
  sweep(open: OpenRun): Promise<void> {
    return this.#sweep.run(open, () => this.#runs.find(open.lease.run) === open);
  }

  /** Reads back what was just saved. Nothing leans on a checkpoint that is not whole. */
  async #verify(saved: CheckpointRow): Promise<void> {
    const row = await this.#parts.catalog.read((tx) => unmoved(tx, saved));
    if (row === undefined) return;
    const damage = await checkCheckpoint({ ...this.#parts, now: this.#parts.clock.now }, row, () =>
      this.quiet(),
    );
    const open = this.#runs.find(row.run);
    if (damage !== null && open !== undefined) open.last = null;
  }
}

function savingOf(
  { state, ...request }: SaveRequest,
  { run, events }: Pick<SaveContext, "run" | "events">,
): Saving {
  const configs = configStretches(run.record, events, state.scalars.step);
  return { ...request, configs, source: sourceOf(state) };
}

/** A first state begins a run. */
async function note(
  tx: CatalogWriter,
  { run, step, info: { reason, times } }: CheckpointRow,
  begin: RunRecord | null,
  time: number,
): Promise<void> {
  if (begin !== null) {
    const { parent, task } = begin;
    const what = parent === null ? "started" : "forked";
    const why = parent === null ? `task ${task}` : `from step ${parent.step} of run ${parent.run}`;
    await noted(tx, { run, time, what, step, why, ms: null });
  }
  const ms = times.readBack + times.encode + times.write;
  await noted(tx, { run, time, what: "saved", step, why: reason, ms });
}

/** Rows up to the state's step that the log lacks: those of the catalogue, then those that come with the request. */
function unloggedRows(logged: number, rows: JournalRows | null, request: SaveRequest): JournalRows | null {
  const { step } = request.state.scalars;
  const known = rows === null ? null : cutRows(rows, logged + 1, step);
  const from = (known === null ? logged : lastStep(known)) + 1;
  const fresh = request.rows === null ? null : cutRows(request.rows, from, step);
  const parts = [known, fresh].filter((part) => part !== null);
  return parts.length === 0 ? null : joinRows(parts);
}

function withTimes(row: CheckpointRow, times: Partial<CheckpointInfo["times"]>): CheckpointRow {
  return { ...row, info: { ...row.info, times: { ...row.info.times, ...times } } };
}
