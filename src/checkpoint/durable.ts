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
 * What a power cut can still take is a pack's *name*, until the browser syncs its directory by itself.
 */
import { hasCode, HoldfastError } from "../errors";
import { encodePackHeader } from "../format/pack-header";
import { PACK_BYTES, type PackStore, type PackWriter } from "../store/pack-store";
import type { Place } from "../store/tables";

/** Appends one frame and says where it lies. */
export type AddFrame = (frame: Uint8Array) => Promise<Place>;

/** Who writes, as the header of each pack says. */
export interface PackOwner {
  readonly epoch: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Writes batches of frames into packs of its own, one batch at a time. */
export class DurableWriter {
  readonly #packs: PackStore;
  readonly #owner: PackOwner;
  #open: PackWriter | null = null;
  #tail: Promise<unknown> = Promise.resolve();

  constructor(packs: PackStore, owner: PackOwner) {
    this.#packs = packs;
    this.#owner = owner;
  }

  /**
   * Writes the frames that `write` adds, makes them durable, then has `commit` refer to them. Batches wait for each
   * other; one of which `fresh` is true when its turn comes begins a new pack. `orphaned` where a pack lost its name,
   * `quota` where even an empty pack takes no more; after an error before the commit the store is as it was.
   */
  durably<Plan, Result>(
    write: (add: AddFrame) => Promise<Plan>,
    commit: (plan: Plan) => Promise<Result>,
    { fresh = () => false }: { readonly fresh?: () => boolean } = {},
  ): Promise<Result> {
    const result = this.#tail.then(async () => {
      if (fresh()) await this.#seal();
      return this.#batch(write, commit);
    });
    this.#tail = result.catch(() => undefined);
    return result;
  }

  /** Waits for the batches that are under way, then lets go of the pack. */
  async close(): Promise<void> {
    await this.#tail;
    await this.#seal();
  }

  async #seal(): Promise<void> {
    const open = this.#open;
    this.#open = null;
    await open?.close();
  }

  async #batch<Plan, Result>(
    write: (add: AddFrame) => Promise<Plan>,
    commit: (plan: Plan) => Promise<Result>,
  ): Promise<Result> {
    const start = this.#open?.size ?? 0;
    /** Packs that this batch filled; they stay open until its commit is over. */
    const full: PackWriter[] = [];
    let committing = false;
    try {
      const plan = await write((frame) => this.#add(frame, full));
      const touched = this.#open === null ? full : [...full, this.#open];
      for (const pack of touched) await pack.flush();
      for (const pack of touched) await this.#checkName(pack);
      committing = true;
      const result = await commit(plan);
      return result;
    } catch (error) {
      await this.#takeBack(full, start, committing);
      throw error;
    } finally {
      for (const pack of full) await pack.close();
    }
  }

  async #add(frame: Uint8Array, full: PackWriter[]): Promise<Place> {
    const open = this.#open;
    if (open !== null && open.size + frame.length > PACK_BYTES) this.#turn(full);
    try {
      return await this.#append(frame);
    } catch (error) {
      // Browsers reserve space for a file in powers of two, all or nothing: what a grown pack is refused may still
      // fit into a small one.
      if (!hasCode(error, "quota") || open === null) throw error;
      this.#turn(full);
      return this.#append(frame);
    }
  }

  #turn(full: PackWriter[]): void {
    if (this.#open !== null) full.push(this.#open);
    this.#open = null;
  }

  async #append(frame: Uint8Array): Promise<Place> {
    this.#open ??= await this.#begin();
    const offset = await this.#open.append(frame);
    return { pack: this.#open.name, offset, length: frame.length };
  }

  async #begin(): Promise<PackWriter> {
    const pack = await this.#packs.create();
    try {
      await pack.append(
        encodePackHeader({ pack: pack.name, epoch: this.#owner.epoch, created: this.#owner.now() }),
      );
      return pack;
    } catch (error) {
      await pack.close();
      throw error;
    }
  }

  async #checkName(pack: PackWriter): Promise<void> {
    const size = await this.#packs.sizeOf(pack.name);
    if (size === pack.size) return;
    throw new HoldfastError(
      "orphaned",
      size === null
        ? `Pack ${pack.name} is gone: the data of this site was cleared while it was open. Start a new run, or import one.`
        : `Pack ${pack.name} has ${size} bytes where ${pack.size} were written. Open the run anew.`,
    );
  }

  /**
   * Before the commit, nothing can refer to the batch, and its bytes are cut off again: on a full disk they are
   * what is missing elsewhere. Once the commit has begun its rows may exist, so nothing is cut.
   */
  async #takeBack(full: readonly PackWriter[], start: number, committing: boolean): Promise<void> {
    const touched = this.#open === null ? full : [...full, this.#open];
    try {
      if (!committing) for (const [index, pack] of touched.entries()) await pack.cut(index === 0 ? start : 0);
    } catch (error) {
      // The error that led here is the one to tell. Bytes that could not be cut are freed with their pack.
      if (!(error instanceof HoldfastError)) throw error;
    }
    await this.#seal();
  }
}
