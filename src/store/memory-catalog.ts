/** The catalogue in memory: the same transactions as IndexedDB's, and rows copied in and out as it does. */
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

type Rows = { readonly [T in TableName]: Map<string, Tables[T]> };

/** A catalogue that nothing outlives. */
export class MemoryCatalog implements Catalog {
  readonly mode = "memory";
  readonly #rows: Rows = {
    runs: new Map(),
    checkpoints: new Map(),
    journal: new Map(),
    events: new Map(),
    packs: new Map(),
    data: new Map(),
    owners: new Map(),
    audit: new Map(),
    mirrors: new Map(),
  };
  #tail: Promise<unknown> = Promise.resolve();

  read<R>(work: (tx: CatalogReader) => Promise<R>): Promise<R> {
    return this.#queued(() => work(new Transaction(this.#rows, [])));
  }

  write<R>(_durability: Durability, work: (tx: CatalogWriter) => Promise<R>): Promise<R> {
    return this.#queued(async () => {
      const undo: (() => void)[] = [];
      try {
        return await work(new Transaction(this.#rows, undo));
      } catch (error) {
        for (const step of undo.reverse()) step();
        throw error;
      }
    });
  }

  close(): void {
    for (const table of TABLE_NAMES) this.#rows[table].clear();
  }

  #queued<R>(work: () => Promise<R>): Promise<R> {
    const result = this.#tail.then(work);
    // The next one waits for the end of this one, however it ends; its error goes to its own caller.
    this.#tail = result.catch(() => undefined);
    return result;
  }
}

class Transaction implements CatalogWriter {
  readonly #rows: Rows;
  readonly #undo: (() => void)[];

  constructor(rows: Rows, undo: (() => void)[]) {
    this.#rows = rows;
    this.#undo = undo;
  }

  get<T extends PlainTable>(table: T, key: string): Promise<Tables[T] | undefined> {
    return copied(this.#rows[table].get(key));
  }

  at<T extends NumberedTable>(table: T, run: string, number: number): Promise<Tables[T] | undefined> {
    return copied(this.#rows[table].get(numberedKey(run, number)));
  }

  all<T extends PlainTable>(table: T): Promise<readonly Tables[T][]> {
    return copied(this.#sorted(table, () => true));
  }

  of<T extends NumberedTable>(table: T, run: string, span: Span = {}): Promise<readonly Tables[T][]> {
    const least = numberedKey(run, span.from ?? 0);
    const most = numberedKey(run, span.to ?? Number.MAX_SAFE_INTEGER);
    return copied(this.#sorted(table, (key) => key >= least && key <= most));
  }

  /** Copies one row, not all of them: it is asked for at every flush of the journal. */
  last<T extends NumberedTable>(table: T, run: string, to?: number): Promise<Tables[T] | undefined> {
    const rows: Map<string, Tables[T]> = this.#rows[table];
    const [least, most] = [numberedKey(run, 0), numberedKey(run, to ?? Number.MAX_SAFE_INTEGER)];
    let last = "";
    for (const key of rows.keys()) if (key >= least && key <= most && key > last) last = key;
    return copied(rows.get(last));
  }

  put<T extends TableName>(table: T, row: Tables[T]): Promise<void> {
    const rows: Map<string, Tables[T]> = this.#rows[table];
    const key = keyOf(table, row);
    this.#remember(rows, key);
    rows.set(key, structuredClone(row));
    return Promise.resolve();
  }

  remove(table: PlainTable, key: string): Promise<void> {
    this.#drop(table, key);
    return Promise.resolve();
  }

  removeAt(table: NumberedTable, run: string, number: number): Promise<void> {
    this.#drop(table, numberedKey(run, number));
    return Promise.resolve();
  }

  removeOf(table: NumberedTable, run: string): Promise<void> {
    const [least, most] = [numberedKey(run, 0), numberedKey(run, Number.MAX_SAFE_INTEGER)];
    for (const key of [...this.#rows[table].keys()]) if (key >= least && key <= most) this.#drop(table, key);
    return Promise.resolve();
  }

  #drop(table: TableName, key: string): void {
    const rows: Map<string, unknown> = this.#rows[table];
    this.#remember(rows, key);
    rows.delete(key);
  }

  #remember<Row>(rows: Map<string, Row>, key: string): void {
    const before = rows.get(key);
    this.#undo.push(() => {
      if (before === undefined) rows.delete(key);
      else rows.set(key, before);
    });
  }

  #sorted<T extends TableName>(table: T, wanted: (key: string) => boolean): Tables[T][] {
    const rows: Map<string, Tables[T]> = this.#rows[table];
    const found = [...rows].filter(([key]) => wanted(key));
    return found.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
  }
}

function copied<Value>(value: Value): Promise<Value> {
  return Promise.resolve(structuredClone(value));
}

/** Sorts as the pair (run, number) does: ids hold no space, and no safe integer is longer than 16 digits. */
function numberedKey(run: string, number: number): string {
  return `${run} ${String(number).padStart(16, "0")}`;
}

function keyOf<T extends TableName>(table: T, row: Tables[T]): string {
  const fields = new Map<string, unknown>(Object.entries(row));
  const key = TABLE_KEYS[table];
  if (typeof key === "string") return String(fields.get(key));
  return numberedKey(String(fields.get(key[0])), Number(fields.get(key[1])));
}
