/** One save from request to acknowledgement: frames, durability, the one transaction, and what may wait until after. */
import { hasCode } from "../errors";
import type { Manifest, StoredChunk } from "../format/manifest";
import type { RunRecord } from "../format/run";
import type { CheckpointInfo, Lease, SaveRequest } from "../format/stored";
import { surplus } from "../policy/keep";
import { beginRun, commitCheckpoint } from "../store/commit";
import type { PackStore } from "../store/pack-store";
import type { Catalog, CatalogWriter, CheckpointRow } from "../store/tables";
import { DurableWriter } from "./durable";
import { codeOfDamage, readStored, verifyCheckpoint } from "./read";
import { reclaim } from "./reclaim";
import { writeCheckpoint, type Clock, type SaveContext } from "./write";

export interface SavePlan {
  /** The run that begins with this checkpoint. */
  readonly begin: RunRecord | null;
  /** What the run is when the frames are written, which may be after another save of it. */
  readonly context: () => Promise<Pick<SaveContext, "run" | "events">>;
}

/**
 * Checkpoints to a chain at most: a keyframe, in a pack of its own, and those that lean on it. A pack is freed as a
 * whole, so this also bounds how much dead weight a live checkpoint drags along, and how many one damaged pack costs.
 */
const CHAIN_LENGTH = 8;

/** A run that this tab writes. */
interface OpenRun {
  readonly lease: Lease;
  readonly writer: DurableWriter;
  /** The newest checkpoint of this writer; null before the first one, which becomes a keyframe. */
  last: Manifest | null;
}

/** Saves checkpoints; has a pack open for each run that this tab writes. */
export class Saver {
  readonly #parts: { readonly packs: PackStore; readonly catalog: Catalog; readonly clock: Clock };
  readonly #later: (work: () => Promise<unknown>) => void;
  readonly #open = new Map<string, OpenRun>();

  /** `later` takes work that no caller waits for. */
  constructor(
    parts: { readonly packs: PackStore; readonly catalog: Catalog; readonly clock: Clock },
    later: (work: () => Promise<unknown>) => void,
  ) {
    this.#parts = parts;
    this.#later = later;
  }

  async save(lease: Lease, request: SaveRequest, { begin, context }: SavePlan): Promise<CheckpointInfo> {
    const { catalog, clock, packs } = this.#parts;
    const open = this.#openOf(lease);
    const isKeyframe = () => open.last === null || open.last.chain + 1 >= CHAIN_LENGTH;
    let written = 0;
    const { info, freed } = await open.writer.durably(
      async (add) => {
        const read = (chunk: StoredChunk) => readStored(packs, chunk, lease.run);
        const previous = open.last === null || isKeyframe() ? null : { manifest: open.last, read };
        // Whatever fails from here on: what comes next leans on nothing.
        open.last = null;
        const made = await writeCheckpoint(add, request, { lease, clock, previous, ...(await context()) });
        written = clock.elapsed();
        return made;
      },
      async ({ row, manifest, nextFrame, leansOn }) => {
        const start = clock.elapsed();
        const timed = withTimes(row, { write: row.info.times.write + start - written });
        const gone = await catalog.write("strict", async (tx) => {
          if (begin !== null) await beginRun(tx, begin, "paused");
          const commit = { row: timed, rows: request.rows, nextFrame, leansOn };
          return commitCheckpoint(tx, lease, commit, surplus);
        });
        // A first state is kept as long as its run, so nothing should lean on it and be kept with it.
        open.last = begin === null ? manifest : null;
        return { info: withTimes(timed, { commit: clock.elapsed() - start }).info, freed: gone };
      },
      { fresh: isKeyframe },
    );
    this.#later(() => catalog.write("relaxed", (tx) => record(tx, info, { times: info.times })));
    if (freed.length > 0) this.#later(() => reclaim(packs, catalog, freed));
    this.#later(() => this.#verify(lease, info));
    return info;
  }

  /** Leases of the runs that have a pack open. */
  open(): readonly Lease[] {
    return [...this.#open.values()].map(({ lease }) => lease);
  }

  /** Waits for the saves of a run that are under way, and lets go of its pack. */
  async close(run: string): Promise<void> {
    const open = this.#open.get(run);
    this.#open.delete(run);
    await open?.writer.close();
  }

  /** The same, unless the pack is of another lease. */
  async release(lease: Lease): Promise<void> {
    if (this.#open.get(lease.run)?.lease.epoch === lease.epoch) await this.close(lease.run);
  }

  /** Reads back what was just saved. Nothing leans on a checkpoint that is not whole. */
  async #verify(lease: Lease, info: CheckpointInfo): Promise<void> {
    const { catalog, packs } = this.#parts;
    const row = await catalog.read((tx) => tx.at("checkpoints", info.run, info.step));
    if (row === undefined || !isOf(row, info)) return;
    let check: CheckpointInfo["check"] = "verified";
    try {
      await verifyCheckpoint(packs, row);
    } catch (error) {
      // A disk that cannot be read now says nothing about what is on it.
      if (codeOfDamage(error) === null || hasCode(error, "refused")) throw error;
      check = "damaged";
    }
    await catalog.write("relaxed", (tx) => record(tx, info, { check }));
    const open = this.#open.get(lease.run);
    if (check === "damaged" && open !== undefined) open.last = null;
  }

  #openOf(lease: Lease): OpenRun {
    const found = this.#open.get(lease.run);
    if (found?.lease.epoch === lease.epoch) return found;
    const writer = new DurableWriter(this.#parts.packs, { epoch: lease.epoch, now: this.#parts.clock.now });
    const open: OpenRun = { lease, writer, last: null };
    this.#open.set(lease.run, open);
    return open;
  }
}

function withTimes(row: CheckpointRow, times: Partial<CheckpointInfo["times"]>): CheckpointRow {
  return { ...row, info: { ...row.info, times: { ...row.info.times, ...times } } };
}

/** What is known of a checkpoint only after its commit; nothing where another one has taken its place. */
async function record(
  tx: CatalogWriter,
  info: CheckpointInfo,
  later: Partial<CheckpointInfo>,
): Promise<void> {
  const row = await tx.at("checkpoints", info.run, info.step);
  if (row !== undefined && isOf(row, info))
    await tx.put("checkpoints", { ...row, info: { ...row.info, ...later } });
}

function isOf(row: CheckpointRow, info: CheckpointInfo): boolean {
  return row.info.digest === info.digest && row.info.time === info.time;
}
