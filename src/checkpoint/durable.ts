/**
 * The one place where bytes become durable. Everything that Holdfast stores in packs goes through `durably`, in this
 * order, and none of it can be left out or swapped:
 *
 *   1. append every frame to packs that this writer holds open;
 *   2. flush each of those packs;
 *   3. look each pack up by its name, and compare its size;
 *   4. one strict transaction, which also checks the writer's epoch;
 *   5. only then, answer.
 *
 * Why nothing acknowledged is lost, and nothing half-written is ever found, at a crash
 *   - in 1 or 2: no row refers to the frames. The pack has no row either, so the next opening empties it.
 *   - in 3: site data may have been cleared under the open handle, which goes on "writing" to a file that has no name;
 *     the look-up finds nothing and the caller gets `orphaned` instead of a false "saved".
 *   - in 4: the transaction is there or it is not. If it is, 2 came before it, so what it refers to is on the device.
 *     If its end is not known (`refused`), nothing is taken back: the rows may exist.
 *   - between 4 and 5: the checkpoint exists and nobody was told. The journal is idempotent, a checkpoint of the same
 *     step replaces itself, so sending it again is harmless.
 *
 * A pack that a transaction may refer to stays open until that transaction is over. That is what keeps other tabs
 * from recycling it (see `PackStore.recycle`).
 *
 * A writer fills a pack for states and one for the run's log: states go with their checkpoints, a pack at a time, and
 * the log stays as long as its run. States that are moved out of a pack that is mostly dead go to a third one. The log is
 * flushed before a state is written, so that wherever a checkpoint is found whole, what was logged before it is there as
 * well.
 *
 * What a power cut can still take is a pack's *name*, until the browser syncs its directory by itself.
 */
import { hasCode, HoldfastError } from "../errors";
import { encodePackHeader, PACK_HEADER_BYTES } from "../format/pack-header";
import { type PackFile, type PackStore, type PackWriter } from "../store/pack-store";
import type { PackFacts } from "../store/tables";
import type { Place } from "../format/stored";

/** Which pack a frame goes to. */
export type Lane = "state" | "swept" | "log";
/** That of a state. */
export type StateLane = Exclude<Lane, "log">;

/** Appends one frame and says where it lies. */
export type AddFrame = (frame: Uint8Array, lane: Lane) => Promise<Place>;

/** Who writes, as the header of each pack says. */
export interface PackOwner {
  readonly epoch: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** The pack that the log goes on in, open and cut to what was committed of it; null begins a new one. */
  readonly log?: () => Promise<OpenPack | null>;
}

/** A pack that is open, and when it was begun, as its header says. */
export interface OpenPack {
  readonly pack: PackWriter;
  readonly created: number | null;
}

/** A pack that a batch wrote to, and its size before. */
interface Touched extends OpenPack {
  readonly lane: Lane;
  readonly start: number;
  /** Was it appended to since its last flush? */
  dirty: boolean;
}

/** Writes batches of frames into packs of its own, one batch at a time. */
export class DurableWriter {
  readonly #packs: PackStore;
  readonly #owner: PackOwner;
  readonly #open = new Map<Lane, OpenPack>();
  #tail: Promise<unknown> = Promise.resolve();

  constructor(packs: PackStore, owner: PackOwner) {
    this.#packs = packs;
    this.#owner = owner;
  }

  /**
   * Writes the frames that `write` adds, makes them durable, then has `commit` refer to them; it gets the packs that
   * were written to, with their sizes. Batches wait for each other; where `fresh` names a lane when its turn comes, the
   * batch begins a new pack there. `orphaned` where a pack lost its name, `quota` where even an empty pack takes no
   * more; after an error before the commit the store is as it was.
   */
  durably<Plan, Result>(
    write: (add: AddFrame) => Promise<Plan>,
    commit: (plan: Plan, packs: readonly PackFacts[]) => Promise<Result>,
    { fresh = () => null }: { readonly fresh?: () => StateLane | null } = {},
  ): Promise<Result> {
    const result = this.#tail.then(async () => {
      const lane = fresh();
      if (lane !== null) await this.#seal(lane);
      return this.#batch(write, commit);
    });
    this.#tail = result.catch(() => undefined);
    return result;
  }

  /** Waits for the batches that are under way, then lets go of the packs. */
  async close(): Promise<void> {
    await this.#tail;
    for (const lane of this.#open.keys()) await this.#seal(lane);
  }

  /** The same for the pack of one lane: what comes next there begins another. */
  end(lane: StateLane): Promise<void> {
    const sealed = this.#tail.then(() => this.#seal(lane));
    this.#tail = sealed.catch(() => undefined);
    return sealed;
  }

  async #seal(lane: Lane): Promise<void> {
    const open = this.#open.get(lane);
    this.#open.delete(lane);
    await open?.pack.close();
  }

  async #batch<Plan, Result>(
    write: (add: AddFrame) => Promise<Plan>,
    commit: (plan: Plan, packs: readonly PackFacts[]) => Promise<Result>,
  ): Promise<Result> {
    /** Each stays open until the commit is over, full or not. */
    const touched: Touched[] = [];
    let committing = false;
    try {
      const plan = await write((frame, lane) => this.#add(frame, lane, touched));
      await flush(touched);
      for (const { pack } of touched) await checkName(this.#packs, pack);
      committing = true;
      return await commit(
        plan,
        touched.map(({ pack: { name, size }, created }) => ({ name, size, created })),
      );
    } catch (error) {
      if (!committing || wasAborted(error)) await takeBack(touched);
      for (const lane of this.#open.keys()) await this.#seal(lane);
      throw error;
    } finally {
      const open = new Set([...this.#open.values()].map(({ pack }) => pack));
      for (const { pack } of touched) if (!open.has(pack)) await pack.close();
    }
  }

  async #add(frame: Uint8Array, lane: Lane, touched: Touched[]): Promise<Place> {
    if ((this.#open.get(lane)?.pack.size ?? 0) + frame.length > this.#packs.packBytes)
      this.#turn(lane, touched);
    if (lane !== "log") await flush(touched.filter((one) => one.lane === "log"));
    try {
      return await this.#append(frame, lane, touched);
    } catch (error) {
      // Browsers reserve space for a file in powers of two, all or nothing: what a grown pack is refused may still
      // fit into a small one.
      const grown = (this.#open.get(lane)?.pack.size ?? 0) > PACK_HEADER_BYTES;
      if (!hasCode(error, "quota") || !grown) throw error;
      this.#turn(lane, touched);
      return this.#append(frame, lane, touched);
    }
  }

  /** The next frame begins a pack. The full one is closed with the batch. */
  #turn(lane: Lane, touched: Touched[]): void {
    const open = this.#open.get(lane);
    this.#open.delete(lane);
    if (open !== undefined) touch(touched, lane, open);
  }

  async #append(frame: Uint8Array, lane: Lane, touched: Touched[]): Promise<Place> {
    const open = this.#open.get(lane) ?? (await this.#begin(lane, touched));
    const { pack } = open;
    touch(touched, lane, open).dirty = true;
    const offset = await pack.append(frame);
    return { pack: pack.name, offset, length: frame.length };
  }

  async #begin(lane: Lane, touched: Touched[]): Promise<OpenPack> {
    const { epoch, now, log } = this.#owner;
    const former = lane === "log" ? await log?.() : null;
    const open = former ?? { pack: await this.#packs.create(), created: now() };
    const { pack, created } = open;
    const one = touch(touched, lane, open);
    this.#open.set(lane, open);
    if (pack.size === 0) {
      one.dirty = true;
      await pack.append(encodePackHeader({ pack: pack.name, epoch, created: created ?? now() }));
    }
    return open;
  }
}

/** `orphaned` unless this name leads to a pack of that size. */
export async function checkName(packs: PackStore, { name, size }: PackFile): Promise<void> {
  const found = await packs.sizeOf(name);
  if (found === size) return;
  throw new HoldfastError(
    "orphaned",
    found === null
      ? `Pack ${name} is gone: the data of this site was cleared while it was open. Start a new run, or import one.`
      : `Pack ${name} has ${found} bytes where ${size} were written. Open the run anew.`,
  );
}

function touch(touched: Touched[], lane: Lane, open: OpenPack): Touched {
  const known = touched.find(({ pack }) => pack === open.pack);
  if (known !== undefined) return known;
  const one: Touched = { ...open, lane, start: open.pack.size, dirty: false };
  touched.push(one);
  return one;
}

async function flush(touched: readonly Touched[]): Promise<void> {
  for (const one of touched) {
    if (one.dirty) await one.pack.flush();
    one.dirty = false;
  }
}

/** Whatever our own rules or a full disk made of a transaction, it was undone; of any other end nothing is known. */
function wasAborted(error: unknown): boolean {
  return error instanceof HoldfastError && error.code !== "refused";
}

/**
 * Nothing can refer to a batch that was not committed, and its bytes are cut off again: on a full disk they are what
 * is missing elsewhere. Where a commit has begun and its end is not known its rows may exist, so nothing is cut.
 */
async function takeBack(touched: readonly Touched[]): Promise<void> {
  const logs = touched.filter(({ lane }) => lane === "log");
  const states = touched.filter(({ lane }) => lane !== "log");
  try {
    for (const { pack, start } of states) await pack.cut(start);
    // A checkpoint must not be found without what was logged before it.
    if (logs.length > 0) for (const { pack } of states) await pack.flush();
    for (const { pack, start } of logs) await pack.cut(start);
  } catch (error) {
    // The error that led here is the one to tell. Bytes that could not be cut are freed with their pack.
    if (!(error instanceof HoldfastError)) throw error;
  }
}
