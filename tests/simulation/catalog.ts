/**
 * A model of the catalogue's transactions whose every state can be kept: a commit makes a new snapshot and leaves the
 * one before as it was. That it does what IndexedDB does is tested with the same tests (`catalogConforms`).
 */
import { HoldfastError } from "../../src/errors";
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
} from "../../src/store/tables";

export type Snapshot = { readonly [T in TableName]: ReadonlyMap<string, Tables[T]> };

type Draft = { -readonly [T in TableName]: ReadonlyMap<string, Tables[T]> };

export const NO_ROWS: Snapshot = {
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

/** Asked before a transaction begins and told of its commit; either may throw. */
export interface CatalogHooks {
  readonly asked: () => void;
  readonly committed: (durability: Durability, after: Snapshot) => void;
}

export class ModelCatalog implements Catalog {
  readonly mode = "memory";
  readonly #hooks: CatalogHooks;
  #rows: Snapshot;
  /** How often the site's data was cleared: a transaction that was open then is lost. */
  #cleared = 0;
  #tail: Promise<unknown> = Promise.resolve();

  constructor(rows: Snapshot, hooks: CatalogHooks) {
    this.#rows = rows;
    this.#hooks = hooks;
  }

  get rows(): Snapshot {
    return this.#rows;
  }

  /** The site's data is cleared. */
  clear(): void {
    this.#rows = NO_ROWS;
    this.#cleared++;
  }

  read<R>(work: (tx: CatalogReader) => Promise<R>): Promise<R> {
    return this.#queued(() => {
      this.#hooks.asked();
      return work(new Transaction({ ...this.#rows }));
    });
  }

  write<R>(durability: Durability, work: (tx: CatalogWriter) => Promise<R>): Promise<R> {
    return this.#queued(async () => {
      this.#hooks.asked();
      const draft: Draft = { ...this.#rows };
      const cleared = this.#cleared;
      const result = await work(new Transaction(draft));
      if (cleared !== this.#cleared) throw new HoldfastError("refused", "The database was deleted.");
      this.#rows = draft;
      this.#hooks.committed(durability, draft);
      return result;
    });
  }

  close(): void {
    // Nothing is held.
  }

  #queued<R>(work: () => Promise<R>): Promise<R> {
    const result = this.#tail.then(work);
    this.#tail = result.catch(() => undefined);
    return result;
  }
}

class Transaction implements CatalogWriter {
  readonly #rows: Draft;
  /** Tables that this transaction has its own copy of. */
  readonly #own = new Set<TableName>();

  constructor(rows: Draft) {
    this.#rows = rows;
  }

  get<T extends PlainTable>(table: T, key: string): Promise<Tables[T] | undefined> {
    return Promise.resolve(this.#rows[table].get(key));
  }

  at<T extends NumberedTable>(table: T, run: string, number: number): Promise<Tables[T] | undefined> {
    return Promise.resolve(own(table, this.#rows[table].get(numberedKey(run, number))));
  }

  all<T extends PlainTable>(table: T): Promise<readonly Tables[T][]> {
    return Promise.resolve(this.#sorted(table, () => true));
  }

  of<T extends NumberedTable>(table: T, run: string, span: Span = {}): Promise<readonly Tables[T][]> {
    return Promise.resolve(own(table, this.#span(table, run, span)));
  }

  last<T extends NumberedTable>(table: T, run: string, to?: number): Promise<Tables[T] | undefined> {
    return Promise.resolve(own(table, this.#span(table, run, to === undefined ? {} : { to }).at(-1)));
  }

  put<T extends TableName>(table: T, row: Tables[T]): Promise<void> {
    this.#writable(table).set(keyOf(table, row), frozen(structuredClone(row)));
    return Promise.resolve();
  }

  remove(table: PlainTable, key: string): Promise<void> {
    this.#writable(table).delete(key);
    return Promise.resolve();
  }

  removeAt(table: NumberedTable, run: string, number: number): Promise<void> {
    this.#writable(table).delete(numberedKey(run, number));
    return Promise.resolve();
  }

  removeOf(table: NumberedTable, run: string): Promise<void> {
    const rows = this.#writable(table);
    for (const key of [...rows.keys()]) if (key.startsWith(`${run} `)) rows.delete(key);
    return Promise.resolve();
  }

  #writable<T extends TableName>(table: T): Map<string, Tables[T]> {
    const rows: Map<string, Tables[T]> = this.#own.has(table)
      ? (this.#rows[table] as Map<string, Tables[T]>)
      : new Map<string, Tables[T]>(this.#rows[table]);
    this.#own.add(table);
    Object.assign(this.#rows, { [table]: rows });
    return rows;
  }

  #span<T extends NumberedTable>(table: T, run: string, span: Span): Tables[T][] {
    const least = numberedKey(run, span.from ?? 0);
    const most = numberedKey(run, span.to ?? Number.MAX_SAFE_INTEGER);
    return this.#sorted(table, (key) => key >= least && key <= most);
  }

  #sorted<T extends TableName>(table: T, wanted: (key: string) => boolean): Tables[T][] {
    const rows: ReadonlyMap<string, Tables[T]> = this.#rows[table];
    const found = [...rows].filter(([key]) => wanted(key));
    return found.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
  }
}

/** Arrays of numbers cannot be frozen, so rows that have some are copied; the others nobody can change. */
function own<Value>(table: TableName, value: Value): Value {
  return table === "journal" ? structuredClone(value) : value;
}

function frozen<Value>(value: Value): Value {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return value;
  for (const part of Object.values(value)) frozen(part);
  return Object.freeze(value);
}

/** Sorts as the pair (run, number) does. */
function numberedKey(run: string, number: number): string {
  return `${run} ${String(number).padStart(16, "0")}`;
}

function keyOf<T extends TableName>(table: T, row: Tables[T]): string {
  const fields = new Map<string, unknown>(Object.entries(row));
  const key = TABLE_KEYS[table];
  if (typeof key === "string") return String(fields.get(key));
  return numberedKey(String(fields.get(key[0])), Number(fields.get(key[1])));
}

/** All rows as text, for a hash: equal rows have equal text. */
export function textOf(rows: Snapshot): string {
  const plain = TABLE_NAMES.map((table) => [...rows[table]].sort(([a], [b]) => (a < b ? -1 : 1)));
  return JSON.stringify(plain, (_, value: unknown) =>
    value instanceof Float32Array
      ? [...new Uint32Array(value.buffer, value.byteOffset, value.length)]
      : value,
  );
}
