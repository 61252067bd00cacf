/** Packs in memory, for Node and for browsers that refuse to store. Nothing survives the page. */
import { HoldfastError } from "../errors";
import {
  copyInto,
  newPackName,
  PACK_BYTES,
  type PackFile,
  type PackStore,
  type PackWriter,
} from "./pack-store";

interface MemoryFile {
  /** Grows by doubling; only the first `size` bytes count. */
  bytes: Uint8Array<ArrayBuffer>;
  size: number;
  open: boolean;
}

/** A pack store that keeps everything in memory. */
export class MemoryPacks implements PackStore {
  readonly mode = "memory";
  readonly packBytes = PACK_BYTES;
  readonly #files = new Map<string, MemoryFile>();

  create(): Promise<PackWriter> {
    const free = [...this.#files].find(([, file]) => file.size === 0 && !file.open);
    const name = free?.[0] ?? newPackName();
    const file: MemoryFile = free?.[1] ?? { bytes: new Uint8Array(0), size: 0, open: true };
    file.open = true;
    this.#files.set(name, file);
    return Promise.resolve(new MemoryWriter(name, file));
  }

  open(name: string): Promise<PackWriter | null> {
    const file = this.#files.get(name);
    if (file === undefined || file.open) return Promise.resolve(null);
    file.open = true;
    return Promise.resolve(new MemoryWriter(name, file));
  }

  sizeOf(name: string): Promise<number | null> {
    return Promise.resolve(this.#files.get(name)?.size ?? null);
  }

  async read(
    name: string,
    offset: number,
    length: number,
    room?: Uint8Array<ArrayBuffer>,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const file = this.#files.get(name);
    if (file === undefined) throw new HoldfastError("missing", `There is no pack ${name}.`);
    if (offset + length > file.size) {
      throw new HoldfastError(
        "corrupt",
        `Pack ${name} ends at byte ${file.size}; bytes to ${offset + length} are asked.`,
      );
    }
    return Promise.resolve(copyInto(room, file.bytes.subarray(offset, offset + length)));
  }

  list(): Promise<readonly PackFile[]> {
    const files = [...this.#files].map(([name, { size }]) => ({ name, size }));
    return Promise.resolve(files.sort((a, b) => (a.name < b.name ? -1 : 1)));
  }

  async recycle(name: string, isFree: () => Promise<boolean>): Promise<boolean> {
    const file = this.#files.get(name);
    if (file === undefined) return true;
    if (file.open) return false;
    file.open = true;
    try {
      if (!(await isFree())) return false;
      // Forgotten, not kept for later: in memory a name costs nothing, and the buffer should go.
      this.#files.delete(name);
      return true;
    } finally {
      file.open = false;
    }
  }
}

class MemoryWriter implements PackWriter {
  readonly #file: MemoryFile;
  constructor(
    readonly name: string,
    file: MemoryFile,
  ) {
    this.#file = file;
  }

  get size(): number {
    return this.#file.size;
  }

  append(bytes: Uint8Array): Promise<number> {
    const file = this.#file;
    const offset = file.size;
    const needed = offset + bytes.length;
    if (needed > file.bytes.length) {
      const grown = new Uint8Array(Math.max(needed, file.bytes.length * 2));
      grown.set(file.bytes.subarray(0, offset));
      file.bytes = grown;
    }
    file.bytes.set(bytes, offset);
    file.size = needed;
    return Promise.resolve(offset);
  }

  cut(size: number): Promise<void> {
    this.#file.size = size;
    return Promise.resolve();
  }

  flush(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.#file.open = false;
    return Promise.resolve();
  }
}
