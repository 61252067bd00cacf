/**
 * One site's storage that writes down everything that happens to it, so that any crash can be looked at afterwards:
 * the log of operations, and not the program, is what is cut short.
 */
import { HoldfastError, type ErrorCode } from "../../src/errors";
import {
  copyInto,
  PACK_BYTES,
  type PackFile,
  type PackStore,
  type PackWriter,
} from "../../src/store/pack-store";
import type { Durability } from "../../src/store/tables";
import { ModelCatalog, NO_ROWS, type Snapshot } from "./catalog";

/** What a process finds: files by name, and rows. */
export interface Image {
  readonly files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
  readonly rows: Snapshot;
}

export const EMPTY: Image = { files: new Map(), rows: NO_ROWS };

/** A file is an object of its own: after site data was cleared, an open handle goes on writing to one without a name. */
export type Operation =
  | { readonly kind: "create"; readonly file: number; readonly name: string }
  | {
      readonly kind: "write";
      readonly file: number;
      readonly at: number;
      readonly bytes: Uint8Array<ArrayBuffer>;
    }
  | { readonly kind: "truncate"; readonly file: number; readonly size: number }
  | { readonly kind: "flush"; readonly file: number }
  | { readonly kind: "transaction"; readonly durability: Durability; readonly after: Snapshot }
  | { readonly kind: "clear" }
  | { readonly kind: "clear packs" };

/** The operation that fails, counted from 0 over all that the disk is asked. */
export interface Failure {
  readonly at: number;
  /** From then on, or once. */
  readonly forever: boolean;
  /** `allocation`: there is no memory for it. */
  readonly code: ErrorCode | "allocation";
  /** Of a transaction: it was committed, and only the answer is lost. */
  readonly lostAnswer: boolean;
}

interface OpenFile {
  readonly id: number;
  bytes: Uint8Array<ArrayBuffer>;
  open: boolean;
}

const NO_FAILURE: Failure = { at: Infinity, forever: false, code: "refused", lostAnswer: false };

export class RecordingDisk implements PackStore {
  readonly mode = "memory";
  /** Small, so that a few saves fill a pack. */
  readonly packBytes: number;
  readonly base: Image;
  readonly log: Operation[] = [];
  readonly catalog: ModelCatalog;
  readonly #files = new Map<string, OpenFile>();
  readonly #failure: Failure;
  #ids = 0;
  #names = 0;
  /** How often it was asked for anything. */
  asked = 0;

  constructor(base: Image, { failure = NO_FAILURE, packBytes = PACK_BYTES } = {}) {
    this.base = base;
    this.packBytes = packBytes;
    this.#failure = failure;
    for (const [name, bytes] of base.files) this.#files.set(name, { id: this.#ids++, bytes, open: false });
    this.catalog = new ModelCatalog(base.rows, {
      asked: () => {
        if (!this.#failure.lostAnswer) this.#ask();
      },
      committed: (durability, after) => {
        this.log.push({ kind: "transaction", durability, after });
        if (this.#failure.lostAnswer) this.#ask();
      },
    });
  }

  /** The person clears the site's data while tabs are open. */
  clear(): void {
    this.#files.clear();
    this.catalog.clear();
    this.log.push({ kind: "clear" });
  }

  /** As a process would find it now. */
  image(): Image {
    const files = [...this.#files].map(([name, { bytes }]) => [name, bytes] as const);
    return { files: new Map(files), rows: this.catalog.rows };
  }

  /** A script of this origin removes the packs, and nothing else. */
  clearPacks(): void {
    this.#files.clear();
    this.log.push({ kind: "clear packs" });
  }

  create(): Promise<PackWriter> {
    return this.#asked(() => {
      const names = [...this.#files.keys()].sort();
      for (const name of names) {
        const file = this.#files.get(name);
        if (file === undefined || file.open || file.bytes.length > 0) continue;
        return this.#writer(name, file);
      }
      const name = this.#newName();
      const file: OpenFile = { id: this.#ids++, bytes: new Uint8Array(0), open: false };
      this.#files.set(name, file);
      this.log.push({ kind: "create", file: file.id, name });
      return this.#writer(name, file);
    });
  }

  open(name: string): Promise<PackWriter | null> {
    return this.#asked(() => {
      const file = this.#files.get(name);
      return file === undefined || file.open ? null : this.#writer(name, file);
    });
  }

  sizeOf(name: string): Promise<number | null> {
    return this.#asked(() => this.#files.get(name)?.bytes.length ?? null);
  }

  read(
    name: string,
    offset: number,
    length: number,
    room?: Uint8Array<ArrayBuffer>,
  ): Promise<Uint8Array<ArrayBuffer>> {
    return this.#asked(() => {
      const file = this.#files.get(name);
      if (file === undefined) throw new HoldfastError("missing", `There is no pack ${name}.`);
      if (offset + length > file.bytes.length)
        throw new HoldfastError("corrupt", `Pack ${name} ends at byte ${file.bytes.length}.`);
      return copyInto(room, file.bytes.subarray(offset, offset + length));
    });
  }

  list(): Promise<readonly PackFile[]> {
    return this.#asked(() => {
      const files = [...this.#files].map(([name, { bytes }]) => ({ name, size: bytes.length }));
      return files.sort((a, b) => (a.name < b.name ? -1 : 1));
    });
  }

  async recycle(name: string, isFree: () => Promise<boolean>): Promise<boolean> {
    const file = await this.#asked(() => this.#files.get(name));
    if (file === undefined) return true;
    if (file.open) return false;
    file.open = true;
    try {
      if (!(await isFree())) return false;
      this.#truncate(file, 0);
      this.log.push({ kind: "flush", file: file.id });
      return true;
    } finally {
      file.open = false;
    }
  }

  #newName(): string {
    let name: string;
    do name = `p-sim${String(this.#names++).padStart(13, "0")}`;
    while (this.#files.has(name));
    return name;
  }

  #writer(name: string, file: OpenFile): PackWriter {
    file.open = true;
    return {
      name,
      get size() {
        return file.bytes.length;
      },
      append: (bytes) =>
        this.#asked(() => {
          const at = file.bytes.length;
          const grown = new Uint8Array(at + bytes.length);
          grown.set(file.bytes);
          grown.set(bytes, at);
          file.bytes = grown;
          this.log.push({ kind: "write", file: file.id, at, bytes: Uint8Array.from(bytes) });
          return at;
        }),
      cut: (size) => this.#asked(() => this.#truncate(file, size)),
      flush: () =>
        this.#asked(() => {
          this.log.push({ kind: "flush", file: file.id });
        }),
      close: () => {
        file.open = false;
        return Promise.resolve();
      },
    };
  }

  #truncate(file: OpenFile, size: number): void {
    file.bytes = file.bytes.slice(0, size);
    this.log.push({ kind: "truncate", file: file.id, size });
  }

  /** A turn of the event loop lies behind every answer, as it does in a browser. */
  async #asked<R>(work: () => R): Promise<R> {
    await Promise.resolve();
    this.#ask();
    return work();
  }

  #ask(): void {
    const { at, forever, code } = this.#failure;
    const now = this.asked++;
    if (forever ? now < at : now !== at) return;
    if (code === "allocation") throw new RangeError("Array buffer allocation failed");
    throw new HoldfastError(code, `Operation ${now} fails.`);
  }
}
