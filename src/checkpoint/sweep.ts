/**
 * Space is given back a pack at a time, and a chain of checkpoints shares one: where most of them are gone, the rest are
 * moved to a new pack, and the old one goes with the last of them.
 *
 * Each move is a save of a checkpoint that exists: frames, flush, look-up, one transaction that puts its new row in place
 * of the old one. So it may end anywhere: a checkpoint lies where its row says, before and after. What is read while it is
 * moved is read again from where it is then.
 */
import { HoldfastError } from "../errors";
import { largestOf, planChunks } from "../format/chunks";
import type { Manifest, StoredChunk } from "../format/manifest";
import { PACK_HEADER_BYTES } from "../format/pack-header";
import type { Lease } from "../format/stored";
import { noted, notedAsPruned } from "../store/audit";
import { commitCheckpoint, pruned, type Surplus } from "../store/commit";
import { chainsOf, liveBytes, type Chain } from "../store/chains";
import { checkOwner, findRun } from "../store/owner";
import type { PackStore } from "../store/pack-store";
import type { Catalog, CatalogReader, CheckpointRow } from "../store/tables";
import { unmoved } from "./check";
import type { OpenRun } from "./open-runs";
import {
  codeOfDamage,
  readChunk,
  readingRooms,
  readManifest,
  readStored,
  verifyCheckpoint,
  type ChunkRooms,
} from "./read";
import type { Reclaimer } from "./reclaim";
import { moveCheckpoint, type Clock } from "./write";
import { CHAIN_LENGTH } from "./write-state";

/**
 * Of a pack, at least this share lives, or it is swept: so what is dead is never more than what lives, and a checkpoint is
 * moved about as often as its neighbours halve.
 */
const LIVE_SHARE = 1 / 2;
/** With a budget that is used up, it pays to move for less. */
const LIVE_SHARE_FULL = 15 / 16;

const ALL_STAY: Surplus = () => [];

export interface SweepParts {
  readonly packs: PackStore;
  readonly catalog: Catalog;
  readonly clock: Clock;
  readonly keep: Surplus;
  readonly reclaimer: Reclaimer;
}

/** A chain to sweep. */
interface Next {
  readonly chain: Chain;
  /** Is it the one that the next checkpoint would lean on? */
  readonly goesOn: boolean;
}

export class Sweep {
  readonly #parts: SweepParts;
  /** Awaited before each move, so that what is urgent comes first. */
  readonly #between: () => Promise<void>;

  constructor(parts: SweepParts, between: () => Promise<void>) {
    this.#parts = parts;
    this.#between = between;
  }

  /** Moves what lives out of packs that are mostly dead. `isOpen`: may this tab still write the run? */
  async run(open: OpenRun, isOpen: () => boolean): Promise<void> {
    /** Steps that were moved, or that cannot be read: once is enough. */
    const done = new Set<number>();
    /** What came before, of another chain too: what is left of several becomes one. */
    let previous: Manifest | null = null;
    try {
      for (;;) {
        const next = await this.#parts.catalog.read((tx) => nextOf(tx, open, done));
        if (next === null || !isOpen()) return;
        if (next === "over budget") {
          if (done.size === 0 || !(await this.#prune(open.lease))) return;
          done.clear();
          // It may lie in what is to be swept now.
          previous = null;
          continue;
        }
        // Its pack could not be given back while it is being filled.
        if (next.goesOn) await open.writer.end("state");
        previous = await this.#move(open, next.chain, { isOpen, done, previous });
      }
    } finally {
      await open.writer.end("swept");
      // The next checkpoint begins a pack anyway, and nothing may be left in this one.
      if (open.last === null) await open.writer.end("state");
      await this.#parts.reclaimer.reclaim([]);
    }
  }

  /** A checkpoint that was moved may take more than before, far from what it leaned on. Did anything go? */
  async #prune(lease: Lease): Promise<boolean> {
    const { catalog, keep, reclaimer, clock } = this.#parts;
    const gone = await catalog.write("strict", async (tx) => {
      const letGo = await pruned(tx, lease.run, keep, lease);
      await notedAsPruned(tx, lease.run, clock.now(), letGo.steps);
      return letGo;
    });
    await reclaimer.reclaim(gone.packs);
    return gone.steps.length > 0;
  }

  /** Returns the last one, for the next to lean on; null where that has to be a keyframe. */
  async #move(
    open: OpenRun,
    { rows }: Chain,
    {
      isOpen,
      done,
      previous: before,
    }: {
      readonly isOpen: () => boolean;
      readonly done: Set<number>;
      readonly previous: Manifest | null;
    },
  ): Promise<Manifest | null> {
    let previous = before;
    for (const row of rows.filter((one) => isMovable(one, done))) {
      await this.#between();
      if (!isOpen()) return null;
      done.add(row.step);
      try {
        const moved = await this.#moveOne(open, row, previous);
        if (moved !== null) previous = mayBeLeanedOn(moved) ? moved : null;
      } catch (error) {
        const code = codeOfDamage(error);
        if (code === null || code === "refused") throw error;
        // It stays where it is, to be named.
        previous = null;
      }
    }
    return previous;
  }

  /** Null where it was let go of meanwhile. */
  async #moveOne(open: OpenRun, row: CheckpointRow, previous: Manifest | null): Promise<Manifest | null> {
    const { packs, catalog, clock, reclaimer } = this.#parts;
    const { lease } = open;
    const read = (chunk: StoredChunk, rooms: ChunkRooms) => readStored(packs, chunk, lease.run, rooms);
    const moved = await open.writer.durably(
      async (add) => {
        const run = await catalog.read(async (tx) => {
          await checkOwner(tx, lease);
          return (await unmoved(tx, row)) === undefined ? null : findRun(tx, lease.run);
        });
        if (run === null) return null;
        // What leaned on it would keep its pack: the next checkpoint stands alone.
        if (leansOn(open.last, row.packs)) open.last = null;
        const manifest = await readManifest(packs, row);
        const rooms = readingRooms(largestOf(planChunks(manifest.tensors)));
        const written = await moveCheckpoint(
          add,
          manifest,
          (index) => readChunk(packs, chunkOf(manifest, index), lease.run, rooms),
          { lease, clock, nextFrame: run.nextFrame, previous: previous && { manifest: previous, read } },
        );
        return { written, logged: run.logged };
      },
      async (plan, touched) => {
        if (plan === null) return null;
        const { manifest, row: copy, ...commit } = plan.written;
        // Nothing is let go of before what takes its place was read back, every bit.
        await verifyCheckpoint(packs, copy);
        const letGo = await catalog.write("strict", async (tx) => {
          const now = await unmoved(tx, row);
          if (now === undefined)
            throw new HoldfastError("busy", `The checkpoint of step ${row.step} was let go of meanwhile.`);
          // What it cost, and what came of it since, is that of the checkpoint and not of the move.
          const { times, rehearsed } = now.info;
          const info = { ...copy.info, check: "verified" as const, times, rehearsed };
          const all = { ...commit, row: { ...copy, info }, logged: plan.logged, packs: touched };
          const why = "out of a pack that was mostly dead";
          await noted(tx, {
            run: lease.run,
            time: clock.now(),
            what: "moved",
            step: row.step,
            why,
            ms: null,
          });
          return commitCheckpoint(tx, lease, { ...all, rows: null, log: null }, ALL_STAY);
        });
        return { manifest, letGo };
      },
      { fresh: () => (previous === null ? "swept" : null) },
    );
    if (moved === null) return null;
    await reclaimer.reclaim(moved.letGo.packs);
    return moved.manifest;
  }
}

async function nextOf(
  tx: CatalogReader,
  { lease: { run }, last }: OpenRun,
  done: ReadonlySet<number>,
): Promise<Next | "over budget" | null> {
  const { record, log } = await findRun(tx, run);
  // A log that was lost is begun anew by the next save, and nothing goes before it.
  if (log === null) return null;
  const sizes = new Map((await tx.all("packs")).map(({ name, size }) => [name, size]));
  const chains = chainsOf(await tx.of("checkpoints", run));
  const names = chains.flatMap(({ packs }) => [...packs]);
  const taken = names.reduce((sum, name) => sum + (sizes.get(name) ?? 0), 0);
  const isFull = taken > (record.policy.budget ?? Infinity);
  const least = isFull ? LIVE_SHARE_FULL : LIVE_SHARE;
  const goesOn = ({ packs }: Chain) => leansOn(last, [...packs]);
  const [chain] = chains
    .filter(({ rows, packs }) => {
      const frames = [...packs].reduce((sum, name) => sum + framesIn(sizes.get(name)), 0);
      return liveBytes(rows) < least * frames && rows.some((row) => isMovable(row, done));
    })
    // The one that is being filled may still fill up, unless there is no room for what is dead in it.
    .filter((one) => isFull || !goesOn(one))
    .sort((a, b) => firstStep(a) - firstStep(b));
  if (chain === undefined) return isFull ? "over budget" : null;
  return { chain, goesOn: goesOn(chain) };
}

function isMovable({ step, info }: CheckpointRow, done: ReadonlySet<number>): boolean {
  return info.check !== "damaged" && !done.has(step);
}

/** A first state is kept as long as its run, so nothing should lean on it and be kept with it. */
function mayBeLeanedOn({ step, chain, record }: Manifest): boolean {
  return step !== record.firstStep && chain + 1 < CHAIN_LENGTH;
}

/** Does one of these packs hold a chunk of what the next checkpoint would lean on? */
function leansOn(last: Manifest | null, packs: readonly string[]): boolean {
  return (last?.chunks ?? []).some(
    ({ pack, base }) => packs.includes(pack) || (base !== null && packs.includes(base.pack)),
  );
}

function firstStep({ rows }: Chain): number {
  return rows.reduce((least, { step }) => Math.min(least, step), Infinity);
}

/** Bytes of frames in a pack of that size. */
function framesIn(size = 0): number {
  return Math.max(0, size - PACK_HEADER_BYTES);
}

function chunkOf({ chunks, step }: Manifest, index: number): Manifest["chunks"][number] {
  const chunk = chunks[index];
  if (chunk !== undefined) return chunk;
  throw new HoldfastError("corrupt", `The checkpoint of step ${step} has no chunk ${index}.`);
}
