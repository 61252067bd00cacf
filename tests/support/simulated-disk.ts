/**
 * Packs and catalogue of one site, in memory, for tests to reach into, with what a crash leaves of them:
 *
 *   - process death: all that was written stays;
 *   - power loss: of each pack only what was flushed, and of the catalogue only what came before the last strict
 *     transaction and itself.
 *
 * Crashes in the middle of things are simulated from a log of operations (tests/simulation).
 */
import { HoldfastError } from "../../src/errors";
import { MemoryCatalog } from "../../src/store/memory-catalog";
import {
  copyInto,
  newPackName,
  PACK_BYTES,
  type PackFile,
  type PackStore,
  type PackWriter,
} from "../../src/store/pack-store";
import type { Catalog, CatalogReader, CatalogWriter, Durability } from "../../src/store/tables";

export type Crash = "process death" | "power loss";

interface SimulatedFile {
  bytes: Uint8Array<ArrayBuffer>;
  durable: Uint8Array<ArrayBuffer>;
  open: boolean;
}

type Change = (tx: CatalogWriter) => Promise<void>;

export class SimulatedDisk implements PackStore {
  readonly mode = "memory";
  readonly packBytes = PACK_BYTES;
  readonly files = new Map<string, SimulatedFile>();
  readonly catalog: Catalog;
  readonly #catalog: JournaledCatalog;
  readonly #journal: { readonly durability: Durability; readonly changes: readonly Change[] }[];

  constructor(journal: SimulatedDisk["journal"] = []) {
    this.#journal = [...journal];
    this.#catalog = new JournaledCatalog(this.#journal);
    this.catalog = this.#catalog;
  }

  get journal(): readonly { readonly durability: Durability; readonly changes: readonly Change[] }[] {
    return this.#journal;
  }

  /** The disk as the next process finds it. */
  async after(crash: Crash): Promise<SimulatedDisk> {
    const lastStrict = this.#journal.findLastIndex(({ durability }) => durability === "strict");
    const kept = crash === "process death" ? this.#journal : this.#journal.slice(0, lastStrict + 1);
    const disk = new SimulatedDisk(kept);
    await disk.#catalog.load(kept);
    for (const [name, file] of this.files) {
      const bytes = (crash === "process death" ? file.bytes : file.durable).slice();
      disk.files.set(name, { bytes, durable: bytes.slice(), open: false });
    }
    return disk;
  }

  /** The same packs beside a catalogue that has only the first `transactions` of its transactions: an older copy. */
  async withCatalogOf(transactions: number): Promise<SimulatedDisk> {
    const disk = await this.after("process death");
    const older = new SimulatedDisk(this.#journal.slice(0, transactions));
    await older.#catalog.load(older.#journal);
    for (const [name, file] of disk.files) older.files.set(name, file);
    return older;
  }

  async create(): Promise<PackWriter> {
    const free = [...this.files].find(([, file]) => file.bytes.length === 0 && !file.open);
    const name = free?.[0] ?? newPackName();
    const file = free?.[1] ?? { bytes: new Uint8Array(0), durable: new Uint8Array(0), open: true };
    file.open = true;
    this.files.set(name, file);
    return Promise.resolve(new SimulatedWriter(name, file));
  }

  async open(name: string): Promise<PackWriter | null> {
    const file = this.files.get(name);
    if (file === undefined || file.open) return Promise.resolve(null);
    file.open = true;
    return Promise.resolve(new SimulatedWriter(name, file));
  }

  async sizeOf(name: string): Promise<number | null> {
    return Promise.resolve(this.files.get(name)?.bytes.length ?? null);
  }

  async read(
    name: string,
    offset: number,
    length: number,
    room?: Uint8Array<ArrayBuffer>,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const file = this.files.get(name);
    if (file === undefined) throw new HoldfastError("missing", `no pack ${name}`);
    if (offset + length > file.bytes.length) throw new HoldfastError("corrupt", `pack ${name} is too short`);
    return Promise.resolve(copyInto(room, file.bytes.subarray(offset, offset + length)));
  }

  async list(): Promise<readonly PackFile[]> {
    const files = [...this.files].map(([name, { bytes }]) => ({ name, size: bytes.length }));
    return Promise.resolve(files.sort((a, b) => (a.name < b.name ? -1 : 1)));
  }

  async recycle(name: string, isFree: () => Promise<boolean>): Promise<boolean> {
    const file = this.files.get(name);
    if (file === undefined) return true;
    if (file.open || !(await isFree())) return false;
    file.bytes = new Uint8Array(0);
    file.durable = new Uint8Array(0);
    return true;
  }
}

class SimulatedWriter implements PackWriter {
  readonly #file: SimulatedFile;
  readonly name: string;

  constructor(name: string, file: SimulatedFile) {
    this.#file = file;
    this.name = name;
  }

  get size(): number {
    return this.#file.bytes.length;
  }

  async append(bytes: Uint8Array): Promise<number> {
    const offset = this.size;
    this.#write(bytes);
    return Promise.resolve(offset);
  }

  async cut(size: number): Promise<void> {
    this.#file.bytes = this.#file.bytes.slice(0, size);
    return Promise.resolve();
  }

  async flush(): Promise<void> {
    this.#file.durable = this.#file.bytes.slice();
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.#file.open = false;
    return Promise.resolve();
  }

  #write(bytes: Uint8Array): void {
    const grown = new Uint8Array(this.size + bytes.length);
    grown.set(this.#file.bytes);
    grown.set(bytes, this.size);
    this.#file.bytes = grown;
  }
}

class JournaledCatalog implements Catalog {
  readonly mode = "memory";
  readonly #journal: { readonly durability: Durability; readonly changes: readonly Change[] }[];
  readonly #inner = new MemoryCatalog();

  constructor(journal: { durability: Durability; changes: readonly Change[] }[]) {
    this.#journal = journal;
  }

  async load(journal: SimulatedDisk["journal"]): Promise<void> {
    await this.#inner.write("strict", async (tx) => {
      for (const { changes } of journal) for (const change of changes) await change(tx);
    });
  }

  async read<R>(work: (tx: CatalogReader) => Promise<R>): Promise<R> {
    return this.#inner.read(work);
  }

  async write<R>(durability: Durability, work: (tx: CatalogWriter) => Promise<R>): Promise<R> {
    const changes: Change[] = [];
    const result = await this.#inner.write(durability, (tx) => work(recording(tx, changes)));
    this.#journal.push({ durability, changes });
    return result;
  }

  close(): void {
    this.#inner.close();
  }
}

/** Notes every change, so that it can be made again on another catalogue. */
function recording(tx: CatalogWriter, changes: Change[]): CatalogWriter {
  const noted = (change: Change): Promise<void> => {
    changes.push(change);
    return change(tx);
  };
  return {
    get: (table, key) => tx.get(table, key),
    at: (table, run, number) => tx.at(table, run, number),
    all: (table) => tx.all(table),
    of: (table, run, span) => tx.of(table, run, span),
    last: (table, run, to) => tx.last(table, run, to),
    put: (table, row) => {
      const copy = structuredClone(row);
      return noted((target) => target.put(table, copy));
    },
    remove: (table, key) => noted((target) => target.remove(table, key)),
    removeAt: (table, run, number) => noted((target) => target.removeAt(table, run, number)),
    removeOf: (table, run) => noted((target) => target.removeOf(table, run)),
  };
}
