/** The runs that this tab writes, each with the packs that it has open. */
import type { Manifest } from "../format/manifest";
import type { Lease } from "../format/stored";
import type { PackStore } from "../store/pack-store";
import type { Catalog, PackRow } from "../store/tables";
import { DurableWriter, type OpenPack } from "./durable";
import { readCreated } from "./found";

/** A run that this tab writes. */
export interface OpenRun {
  readonly lease: Lease;
  readonly writer: DurableWriter;
  /** The newest checkpoint of this writer; null before the first one, which becomes a keyframe. */
  last: Manifest | null;
}

export class OpenRuns {
  readonly #parts: { readonly packs: PackStore; readonly catalog: Catalog; readonly now: () => number };
  readonly #open = new Map<string, OpenRun>();

  constructor(parts: { readonly packs: PackStore; readonly catalog: Catalog; readonly now: () => number }) {
    this.#parts = parts;
  }

  /** The run of this lease, opened where it is not open yet. */
  of(lease: Lease): OpenRun {
    const found = this.#open.get(lease.run);
    if (found?.lease.epoch === lease.epoch) return found;
    const open: OpenRun = { lease, writer: this.writer(lease), last: null };
    this.#open.set(lease.run, open);
    return open;
  }

  /** Undefined where this tab does not write the run. */
  find(run: string): OpenRun | undefined {
    return this.#open.get(run);
  }

  /** A writer whose log goes on in the run's own. */
  writer({ run, epoch }: Lease): DurableWriter {
    const { packs, now } = this.#parts;
    return new DurableWriter(packs, { epoch, now, log: () => this.#openLog(run) });
  }

  leases(): readonly Lease[] {
    return [...this.#open.values()].map(({ lease }) => lease);
  }

  /** Waits for what is being written to a run, and lets go of its packs. */
  async close(run: string): Promise<void> {
    const open = this.#open.get(run);
    this.#open.delete(run);
    await open?.writer.close();
  }

  /** The same, unless the packs are of another lease. */
  async release(lease: Lease): Promise<void> {
    if (this.#open.get(lease.run)?.lease.epoch === lease.epoch) await this.close(lease.run);
  }

  /** Null where the run has none, where another writer holds it, or where it has lost bytes: then a new one begins. */
  async #openLog(run: string): Promise<OpenPack | null> {
    const name = (await this.#logOf(run))?.name;
    const pack = name === undefined ? null : await this.#parts.packs.open(name);
    if (pack === null) return null;
    try {
      // Asked again now that nobody else can write to it: another tab may have gone on with it meanwhile.
      const row = await this.#logOf(run);
      const created = await readCreated(this.#parts.packs, pack);
      if (row?.name === pack.name && pack.size >= row.size && created === row.created) {
        // What a batch left behind that was never committed, and that the opening of the store found no use for.
        if (pack.size > row.size) await pack.cut(row.size);
        return { pack, created: row.created };
      }
    } catch (error) {
      await pack.close();
      throw error;
    }
    await pack.close();
    return null;
  }

  #logOf(run: string): Promise<PackRow | undefined> {
    return this.#parts.catalog.read(async (tx) => {
      const log = (await tx.get("runs", run))?.log ?? null;
      const row = log === null ? undefined : await tx.get("packs", log);
      return row?.run === run ? row : undefined;
    });
  }
}
