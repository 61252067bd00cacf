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
import { commitCheckpoint, pruned, type Surplus } from "../store/commit";
import { chainsOf, liveBytes, type Chain } from "../store/chains";
import { checkOwner, findRun } from "../store/owner";
import type { PackStore } from "../store/pack-store";
import type { Catalog, CatalogReader, CheckpointRow } from "../store/tables";
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
import { reclaim } from "./reclaim";
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
}

/** A chain to sweep. */
interface Next {
  readonly chain: Chain;
  /** Is it the one that the next checkpoint would lean on? */
  readonly isNewest: boolean;
}

export class Sweep {
  readonly #parts: SweepParts;
  /** Awaited before each move, so that what is urgent comes first. */
  readonly #between: () => Promise<void>;
  /** Packs with damage in them: what lives there stays where it is, to be named. */
  readonly #left = new Set<string>();

  constructor(parts: SweepParts, between: () => Promise<void>) {
    this.#parts = parts;
    this.#between = between;
  }

  /** Moves what lives out of packs that are mostly dead. `isOpen`: may this tab still write the run? */
  async run(open: OpenRun, isOpen: () => boolean): Promise<void> {
    /** Steps that were moved: whatever becomes of them, once is enough. */
    const moved = new Set<number>();
    /** What came before, of another chain too: what is left of several becomes one. */
    let previous: Manifest | null = null;
    try {
      for (;;) {
        const next = await this.#parts.catalog.read((tx) => this.#next(tx, open.lease.run, moved));
        if (!isOpen()) return;
        if (next === "over budget" && (await this.#prune(open.lease))) {
          moved.clear();
          continue;
        }
        if (next === null || next === "over budget") return;
        const { chain, isNewest } = next;
        // The next checkpoint stands alone: what it leaned on would stay with it.
        if (isNewest) open.last = null;
        for (const { step } of chain.rows) moved.add(step);
        previous = await this.#move(open, chain, isOpen, previous);
      }
    } finally {
      await open.writer.end("swept");
    }
  }

  async #next(
    tx: CatalogReader,
    run: string,
    moved: ReadonlySet<number>,
  ): Promise<Next | "over budget" | null> {
    const { record, log } = await findRun(tx, run);
    const rows = await tx.of("checkpoints", run);
    const sizes = new Map((await tx.all("packs")).map(({ name, size }) => [name, size]));
    const newest = rows.at(-1);
    const chains = chainsOf(rows).map((chain) => ({
      chain,
      live: liveBytes(chain.rows),
      size: [...chain.packs].reduce((sum, name) => sum + framesIn(sizes.get(name)), 0),
    }));
    const taken = chains.flatMap(({ chain }) => [...chain.packs].map((name) => sizes.get(name) ?? 0));
    const isFull = taken.reduce((sum, size) => sum + size, 0) > (record.policy.budget ?? Infinity);
    const least = isFull ? LIVE_SHARE_FULL : LIVE_SHARE;
    const sparse = chains
      .filter(
        ({ chain, live, size }) => live < least * size && !chain.rows.every(({ step }) => moved.has(step)),
      )
      // A log that was lost is begun anew by the next save, and nothing goes before it.
      .filter(({ chain }) => log !== null && ![...chain.packs].some((name) => this.#left.has(name)))
      .sort((a, b) => firstStep(a.chain) - firstStep(b.chain));
    const isNewest = ({ chain: { rows: own } }: (typeof sparse)[number]) =>
      newest !== undefined && own.includes(newest);
    // That one is going to be filled, unless there is no room for what is dead in it.
    const [next] = isFull ? sparse : sparse.filter((one) => !isNewest(one));
    if (next === undefined) return isFull ? "over budget" : null;
    return { chain: next.chain, isNewest: isNewest(next) };
  }

  /** A checkpoint that was moved may take more than before, far from what it leaned on. Did anything go? */
  async #prune(lease: Lease): Promise<boolean> {
    const { packs, catalog, keep } = this.#parts;
    const gone = await catalog.write("strict", (tx) => pruned(tx, lease.run, keep, lease));
    await reclaim(packs, catalog, gone.packs);
    return gone.checkpoints > 0;
  }

  /** Returns the last one, for the next to lean on; null where that has to be a keyframe. */
  async #move(
    open: OpenRun,
    { rows, packs }: Chain,
    isOpen: () => boolean,
    before: Manifest | null,
  ): Promise<Manifest | null> {
    let previous = before;
    for (const row of rows) {
      await this.#between();
      if (!isOpen()) return null;
      try {
        previous = (await this.#moveOne(open, row, previous)) ?? previous;
        if (previous !== null && previous.chain + 1 >= CHAIN_LENGTH) previous = null;
      } catch (error) {
        if (codeOfDamage(error) === null) throw error;
        for (const name of packs) this.#left.add(name);
        return null;
      }
    }
    return previous;
  }

  /** Null where it was let go of meanwhile. */
  async #moveOne(open: OpenRun, row: CheckpointRow, previous: Manifest | null): Promise<Manifest | null> {
    const { packs, catalog, clock } = this.#parts;
    const { lease } = open;
    const read = (chunk: StoredChunk, rooms: ChunkRooms) => readStored(packs, chunk, lease.run, rooms);
    const moved = await open.writer.durably(
      async (add) => {
        const run = await catalog.read(async (tx) => {
          await checkOwner(tx, lease);
          return (await isThere(tx, row)) ? findRun(tx, lease.run) : null;
        });
        if (run === null) return null;
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
        const { manifest, row: moved, ...commit } = plan.written;
        // Nothing is let go of before what takes its place was read back, every bit.
        await verifyCheckpoint(packs, moved);
        const { rehearsed } = row.info;
        const verified = { ...moved, info: { ...moved.info, check: "verified" as const, rehearsed } };
        const freed = await catalog.write("strict", async (tx) => {
          if (!(await isThere(tx, row)))
            throw new HoldfastError("busy", `The checkpoint of step ${row.step} was let go of meanwhile.`);
          const all = {
            ...commit,
            row: verified,
            logged: plan.logged,
            rows: null,
            log: null,
            packs: touched,
          };
          return commitCheckpoint(tx, lease, all, ALL_STAY);
        });
        return { manifest, freed };
      },
      { fresh: () => (previous === null ? "swept" : null) },
    );
    if (moved === null) return null;
    await reclaim(packs, catalog, moved.freed.packs);
    return moved.manifest;
  }
}

function firstStep({ rows }: Chain): number {
  return rows.reduce((least, { step }) => Math.min(least, step), Infinity);
}

/** Bytes of frames in a pack of that size. */
function framesIn(size = 0): number {
  return Math.max(0, size - PACK_HEADER_BYTES);
}

async function isThere(tx: CatalogReader, { run, step, manifestHash }: CheckpointRow): Promise<boolean> {
  return (await tx.at("checkpoints", run, step))?.manifestHash === manifestHash;
}

function chunkOf({ chunks, step }: Manifest, index: number): Manifest["chunks"][number] {
  const chunk = chunks[index];
  if (chunk !== undefined) return chunk;
  throw new HoldfastError("corrupt", `The checkpoint of step ${step} has no chunk ${index}.`);
}
