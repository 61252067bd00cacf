/** The runs that this tab writes, each with the packs that it has open. */
import type { Manifest } from "../format/manifest";
import type { Lease } from "../format/stored";
import type { PackStore, PackWriter } from "../store/pack-store";
import type { Catalog } from "../store/tables";
import { DurableWriter } from "./durable";

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
  async #openLog(run: string): Promise<PackWriter | null> {
    const { packs, catalog } = this.#parts;
    const row = await catalog.read(async (tx) => {
      const log = (await tx.get("runs", run))?.log ?? null;
      return log === null ? undefined : tx.get("packs", log);
    });
    if (row === undefined) return null;
    const pack = await packs.open(row.name);
    if (pack === null) return null;
    if (pack.size < row.size) {
      await pack.close();
      return null;
    }
    // What a batch left behind that was never committed, and that the opening of the store found no use for.
    if (pack.size > row.size) await pack.cut(row.size);
    return pack;
  }
}
