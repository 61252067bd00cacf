/**
 * The catalogue in IndexedDB.
 *
 * A full disk shows when a transaction commits, not when a row is put, so nothing counts before `tx.done`. A write
 * that fails for an unknown reason is not repeated here: whether it was committed is not known, and only the caller
 * knows whether it may be done twice. The next call opens the database anew.
 */
import { openDB, type IDBPDatabase, type IDBPTransaction } from "idb";
import { HoldfastError } from "../errors";
import { named } from "./platform-error";
import {
  TABLE_KEYS,
  TABLE_NAMES,
  type Catalog,
  type CatalogReader,
  type CatalogWriter,
  type Durability,
  type NumberedTable,
  type PlainTable,
  type Span,
  type TableName,
  type Tables,
} from "./tables";

const DATABASE = "holdfast";
const VERSION = 8;
/** Since then tables have only been added. */
const KEPT_SINCE = 7;

type Mode = "readonly" | "readwrite";
type Tx<M extends Mode> = IDBPTransaction<unknown, TableName[], M>;

/** Opens the catalogue of this site. `refused` where the browser does not let it. */
export async function openCatalog(name = DATABASE): Promise<IndexedCatalog> {
  const catalog = new IndexedCatalog(name);
  await catalog.read(() => Promise.resolve());
  return catalog;
}

export class IndexedCatalog implements Catalog {
  readonly mode = "indexeddb";
  readonly #name: string;
  #connection: Promise<IDBPDatabase> | null = null;

  constructor(name: string) {
    this.#name = name;
  }

  async read<R>(work: (tx: CatalogReader) => Promise<R>): Promise<R> {
    return this.#run("readonly", "relaxed", (tx) => work(new Reader(tx)));
  }

  async write<R>(durability: Durability, work: (tx: CatalogWriter) => Promise<R>): Promise<R> {
    return this.#run("readwrite", durability, (tx) => work(new Writer(tx)));
  }

  close(): void {
    const connection = this.#connection;
    this.#connection = null;
    void connection?.then(
      (db) => db.close(),
      () => undefined,
    );
  }

  /** Again, once, where the browser undid it because the page was frozen in the middle: that answers nothing. */
  async #run<M extends Mode, R>(
    mode: M,
    durability: Durability,
    work: (tx: Tx<M>) => Promise<R>,
  ): Promise<R> {
    try {
      return await this.#once(mode, durability, work);
    } catch (error) {
      if (!named(error, "TimeoutError")) throw this.#translated(error);
    }
    return this.#once(mode, durability, work).catch((error: unknown) => {
      throw this.#translated(error);
    });
  }

  async #once<M extends Mode, R>(
    mode: M,
    durability: Durability,
    work: (tx: Tx<M>) => Promise<R>,
  ): Promise<R> {
    const tx = await this.#begin(mode, durability);
    // Watched from the start: an abort may come while `work` still waits for a row.
    const done = tx.done.then(
      () => null,
      (error: unknown) => ({
        error: error instanceof Error ? error : (tx.error ?? new Error(String(error))),
      }),
    );
    let result: R;
    try {
      result = await work(tx);
    } catch (error) {
      abort(tx);
      const failed = await done;
      // A request that fails because the transaction was aborted hides the reason; the transaction has it.
      const cause = isAbort(error) && failed !== null ? failed.error : error;
      throw cause;
    }
    const failed = await done;
    if (failed !== null) throw failed.error;
    return result;
  }

  /** A connection may have been closed by the browser; one that was is replaced once. */
  async #begin<M extends Mode>(mode: M, durability: Durability): Promise<Tx<M>> {
    for (let attempt = 0; ; attempt++) {
      try {
        const db = await (this.#connection ??= this.#open());
        return db.transaction([...TABLE_NAMES], mode, { durability });
      } catch (error) {
        this.close();
        if (attempt > 0) throw this.#translated(error);
      }
    }
  }

  #open(): Promise<IDBPDatabase> {
    return openDB(this.#name, VERSION, {
      upgrade: (db, oldVersion) => {
        // Those before were never released, and packs alone are enough: the opening finds all of it in them again.
        if (oldVersion < KEPT_SINCE)
          for (const table of [...db.objectStoreNames]) db.deleteObjectStore(table);
        for (const table of TABLE_NAMES) {
          if (db.objectStoreNames.contains(table)) continue;
          const key = TABLE_KEYS[table];
          db.createObjectStore(table, { keyPath: typeof key === "string" ? key : [...key] });
        }
      },
      // A newer version wants in: holding on would block its tab for ever.
      blocking: () => this.close(),
      terminated: () => {
        this.#connection = null;
      },
    });
  }

  #translated(error: unknown): unknown {
    if (!(error instanceof DOMException)) return error;
    if (error.name === "QuotaExceededError") {
      return new HoldfastError("quota", "The site's storage is full. Delete runs, or free disk space.", {
        cause: error,
      });
    }
    this.close();
    return new HoldfastError(
      "refused",
      `The browser's database fails (${error.name}: ${error.message}). Reload the page; if that does not help, restart the browser.`,
      { cause: error },
    );
  }
}

/**
 * Rows are taken as what was put. The database is ours alone, its version names its schema, and a browser that finds
 * it damaged empties it; what may be damaged piece by piece is in packs, and is parsed.
 */
class Reader implements CatalogReader {
  readonly #tx: Tx<"readonly"> | Tx<"readwrite">;
  constructor(tx: Tx<"readonly"> | Tx<"readwrite">) {
    this.#tx = tx;
  }

  async get<T extends PlainTable>(table: T, key: string): Promise<Tables[T] | undefined> {
    return (await this.#tx.objectStore(table).get(key)) as Tables[T] | undefined;
  }

  async at<T extends NumberedTable>(table: T, run: string, number: number): Promise<Tables[T] | undefined> {
    return (await this.#tx.objectStore(table).get([run, number])) as Tables[T] | undefined;
  }

  async all<T extends PlainTable>(table: T): Promise<readonly Tables[T][]> {
    return (await this.#tx.objectStore(table).getAll()) as Tables[T][];
  }

  async of<T extends NumberedTable>(table: T, run: string, span: Span = {}): Promise<readonly Tables[T][]> {
    return (await this.#tx.objectStore(table).getAll(numbers(run, span))) as Tables[T][];
  }

  async last<T extends NumberedTable>(table: T, run: string, to?: number): Promise<Tables[T] | undefined> {
    const range = numbers(run, to === undefined ? {} : { to });
    const cursor = await this.#tx.objectStore(table).openCursor(range, "prev");
    return cursor?.value as Tables[T] | undefined;
  }
}

class Writer extends Reader implements CatalogWriter {
  readonly #tx: Tx<"readwrite">;
  constructor(tx: Tx<"readwrite">) {
    super(tx);
    this.#tx = tx;
  }

  async put<T extends TableName>(table: T, row: Tables[T]): Promise<void> {
    await this.#tx.objectStore(table).put(row);
  }

  async remove(table: PlainTable, key: string): Promise<void> {
    await this.#tx.objectStore(table).delete(key);
  }

  async removeAt(table: NumberedTable, run: string, number: number): Promise<void> {
    await this.#tx.objectStore(table).delete([run, number]);
  }

  async removeOf(table: NumberedTable, run: string): Promise<void> {
    await this.#tx.objectStore(table).delete(numbers(run, {}));
  }
}

function numbers(run: string, span: Span): IDBKeyRange {
  const least = span.from ?? 0;
  const most = span.to ?? Number.MAX_SAFE_INTEGER;
  // An empty range is an error to IndexedDB; this one holds nothing, since no number is below 0.
  return most < least ? IDBKeyRange.only([run, -1]) : IDBKeyRange.bound([run, least], [run, most]);
}

function abort(tx: { abort(): void }): void {
  try {
    tx.abort();
  } catch (error) {
    // It is over already: that is what was wanted.
    if (!(error instanceof DOMException && error.name === "InvalidStateError")) throw error;
  }
}

function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}
