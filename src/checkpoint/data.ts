/**
 * What runs train on, by content: the same bytes are stored for as long as a run needs them, once for all runs. They are
 * kept twice, in different packs, because no checkpoint is worth anything without them and nothing else has them.
 */
import { hasCode, HoldfastError } from "../errors";
import { sha256, toHex, type Bytes } from "../format/bytes";
import { CHUNK_BYTES } from "../format/chunks";
import { encodeLogged } from "../format/log";
import type { RunRecord } from "../format/run";
import type { Place } from "../format/stored";
import type { PackStore } from "../store/pack-store";
import type { Catalog, CatalogWriter, DataRow, PackFacts } from "../store/tables";
import { checkName, DurableWriter, type AddFrame } from "./durable";
import { FrameSequence } from "./frames";
import { readFrame } from "./read";

/** Data that no run refers to stays this long after it was last asked for: a run that needs it may be about to begin. */
const GRACE_MS = 10 * 60 * 1000;
const COPIES = 2;
/** The store is cleaned up now and then, not all the time. */
const MAX_ATTEMPTS = 5;
/** Data belongs to no run. */
const NO_RUN = "";

/** The frames of each copy. */
type Copies = readonly (readonly Place[])[];

interface DataCommit {
  readonly hash: string;
  readonly bytes: number;
  /** Copies that were there before, and are whole. */
  readonly used: Copies;
  readonly copies: Copies;
  /** What was written to. */
  readonly packs: readonly PackFacts[];
}

export class DataStore {
  readonly #packs: PackStore;
  readonly #catalog: Catalog;
  readonly #now: () => number;

  constructor(packs: PackStore, catalog: Catalog, now: () => number) {
    this.#packs = packs;
    this.#catalog = catalog;
    this.#now = now;
  }

  /** Stores bytes and returns their SHA-256, hex. Resolves when they are durable. */
  async put(bytes: Bytes): Promise<string> {
    const hash = toHex(await sha256(bytes));
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const { whole } = await this.#copies(hash);
      let written: readonly PackFacts[] = [];
      const commit = (copies: Copies, packs: readonly PackFacts[]) => {
        written = packs;
        return this.#commit({ hash, bytes: bytes.length, used: whole, copies, packs });
      };
      const what = { hash, bytes };
      if (!(await this.#copy(what, COPIES - whole.length, { copies: whole, packs: [] }, commit))) continue;
      // Looked up when they were written, but no epoch tells of site data that was cleared since.
      for (const pack of written) await checkName(this.#packs, pack);
      return hash;
    }
    throw new HoldfastError("busy", "The store was being cleaned up all the while. Try again.");
  }

  /** The bytes with this SHA-256. `missing`, or `corrupt` where no copy is what it was. */
  async get(hash: string): Promise<Bytes> {
    const { bytes, fault } = await this.#copies(hash, true);
    if (bytes !== null) return bytes;
    const name = `The data ${hash.slice(0, 12)}…`;
    if (fault === null)
      throw new HoldfastError("missing", `${name} is not in the store. Add the file again.`);
    const why = fault.code === "corrupt" ? "" : ` (${fault.message})`;
    throw new HoldfastError("corrupt", `${name} is damaged${why}. Add the file again.`, { cause: fault });
  }

  /**
   * Reads all copies, and writes damaged ones anew from a whole one. Returns what is wrong and stays so, in words; null
   * where nothing is.
   */
  async mend(hash: string): Promise<string | null> {
    const { whole, bytes, fault } = await this.#copies(hash);
    if (whole.length >= COPIES) return null;
    if (bytes === null) {
      // A run whose data was lost before holds its place.
      return fault === null ? null : `The data ${hash.slice(0, 12)}… is damaged: ${fault.message}`;
    }
    await this.put(bytes);
    return null;
  }

  /**
   * Reads copies back before they count: a row alone would promise what a damaged pack cannot give. `fault` is why
   * the last damaged one cannot be used. With `one`, the first whole copy is enough.
   */
  async #copies(
    hash: string,
    one = false,
  ): Promise<{ readonly whole: Copies; readonly bytes: Bytes | null; readonly fault: HoldfastError | null }> {
    const row = await this.#catalog.read((tx) => tx.get("data", hash));
    const whole: (readonly Place[])[] = [];
    let found: Bytes | null = null;
    let fault: HoldfastError | null = null;
    for (const frames of row?.copies ?? []) {
      if (row === undefined || (one && found !== null)) break;
      try {
        found = await this.#read(row, frames);
        whole.push(frames);
      } catch (error) {
        // Whatever keeps this copy from being read: there is another one.
        if (!(error instanceof HoldfastError)) throw error;
        fault = error;
      }
    }
    return { whole, bytes: found, fault };
  }

  async #read({ hash, bytes: length }: DataRow, frames: readonly Place[]): Promise<Bytes> {
    // A length is believed as far as there are frames for it.
    if (length > frames.length * CHUNK_BYTES) throw changed(hash);
    const bytes = new Uint8Array(length);
    let at = 0;
    for (const place of frames) {
      const { raw } = await readFrame(this.#packs, place, { type: "data", run: NO_RUN });
      if (at + raw.length > length) throw changed(hash);
      bytes.set(raw, at);
      at += raw.length;
    }
    if (toHex(await sha256(bytes)) !== hash) throw changed(hash);
    return bytes;
  }

  /** Writes copies, each into packs of its own, and commits once all are durable. One is enough where no more fit. */
  async #copy(
    what: { readonly hash: string; readonly bytes: Bytes },
    count: number,
    made: { readonly copies: Copies; readonly packs: readonly PackFacts[] },
    commit: (copies: Copies, packs: readonly PackFacts[]) => Promise<boolean>,
  ): Promise<boolean> {
    if (count <= 0) return commit(made.copies, made.packs);
    const writer = new DurableWriter(this.#packs, { epoch: 0, now: this.#now });
    try {
      return await writer.durably(
        (add) => writeData(add, what.hash, what.bytes),
        (frames, packs) => {
          const all = { copies: [...made.copies, frames], packs: [...made.packs, ...packs] };
          return this.#copy(what, count - 1, all, commit);
        },
      );
    } catch (error) {
      if (!hasCode(error, "quota") || made.copies.length === 0) throw error;
      return await commit(made.copies, made.packs);
    } finally {
      await writer.close();
    }
  }

  /** False, and nothing is written, where a copy that is used again has been let go of since it was read. */
  async #commit({ hash, bytes, used, copies, packs }: DataCommit): Promise<boolean> {
    const done = await this.#catalog.write("strict", async (tx) => {
      const before = (await tx.get("data", hash))?.copies ?? [];
      const known = new Set(before.flatMap(packsOf));
      if (used.flatMap(packsOf).some((name) => !known.has(name))) return false;
      const kept = new Set(copies.flatMap(packsOf));
      await dropDataPacks(
        tx,
        [...known].filter((name) => !kept.has(name)),
      );
      for (const pack of packs) await tx.put("packs", { ...pack, run: null });
      await tx.put("data", { hash, bytes, copies, touched: this.#now() });
      return true;
    });
    return done;
  }
}

/** For a run whose data is not here: it can be looked at and exported; to go on, the file has to be added. */
export async function holdPlaceForData(
  tx: CatalogWriter,
  { hash, bytes }: RunRecord["data"],
  now: number,
): Promise<void> {
  if ((await tx.get("data", hash)) === undefined)
    await tx.put("data", { hash, bytes, copies: [], touched: now });
}

/** Drops data that no run refers to any more. Returns the packs that nothing refers to now. */
export async function dropUnusedData(tx: CatalogWriter, now: number): Promise<readonly string[]> {
  const used = new Set((await tx.all("runs")).map(({ record }) => record.data.hash));
  const all = await tx.all("data");
  const unused = all.filter(({ hash, touched }) => !used.has(hash) && now - touched > GRACE_MS);
  return drop(tx, unused);
}

async function drop(tx: CatalogWriter, unused: readonly DataRow[]): Promise<readonly string[]> {
  const freed = unused.flatMap(({ copies }) => copies.flatMap(packsOf));
  for (const { hash } of unused) await tx.remove("data", hash);
  await dropDataPacks(tx, freed);
  return freed;
}

/** Drops data that no run trains on, whenever it came. Returns packs that nothing refers to any more. */
export async function dropData(tx: CatalogWriter, hashes: ReadonlySet<string>): Promise<readonly string[]> {
  const used = new Set((await tx.all("runs")).map(({ record }) => record.data.hash));
  const unused = (await tx.all("data")).filter(({ hash }) => hashes.has(hash) && !used.has(hash));
  return drop(tx, unused);
}

/** A pack that was freed may be a run's by now. */
async function dropDataPacks(tx: CatalogWriter, names: readonly string[]): Promise<void> {
  for (const name of names) if ((await tx.get("packs", name))?.run === null) await tx.remove("packs", name);
}

/** One copy: its frames, and behind them the one that says which they are. */
async function writeData(add: AddFrame, hash: string, bytes: Bytes): Promise<readonly Place[]> {
  const frames = new FrameSequence(add, { run: NO_RUN, epoch: 0 }, 0, () => 0);
  const places: Place[] = [];
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
    places.push((await frames.add("data", bytes.subarray(at, at + CHUNK_BYTES), "byte")).place);
  }
  await frames.add("dataset", encodeLogged({ hash, bytes: bytes.length, frames: places }), "byte");
  return places;
}

function packsOf(frames: readonly Place[]): readonly string[] {
  return [...new Set(frames.map(({ pack }) => pack))];
}

function changed(hash: string): HoldfastError {
  return new HoldfastError("corrupt", `A copy of the data ${hash.slice(0, 12)}… is not what it was.`);
}
