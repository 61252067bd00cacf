/**
 * Packs in the origin private file system, through synchronous access handles: the only interface whose `flush()`
 * reaches the device (fdatasync in Chromium). It exists in dedicated workers only.
 *
 * A flush does not cover the file's *name*: nothing does, in any browser, until the browser syncs its directory
 * database by itself. Recycled packs keep names that have been durable for long, which is why packs are emptied for
 * reuse and never removed. (Nor could they be safely: a file cannot be removed while its handle is held, and once the
 * handle is gone another tab may fill it.)
 *
 * Once site data was cleared, `close()` of a handle from before never returns in Chromium, and holds its thread for
 * ever. So a handle is closed only while its name leads somewhere; any other ends with its worker.
 */
import { HoldfastError } from "../errors";
import { named, storageError } from "./platform-error";
import {
  copyInto,
  isPackName,
  memoryFor,
  newPackName,
  PACK_BYTES,
  type PackFile,
  type PackStore,
  type PackWriter,
} from "./pack-store";

const FOLDER = "packs";
const PROBE = "probe";
/** Another tab may be reading the pack just now. */
const READ_WAITS_MS = [0, 5, 20, 50, 100];
/** A handle of a tab that was just killed is free again within milliseconds, at worst seconds. 6.35 s in all. */
const BUSY_WAITS_MS = [50, 100, 200, 400, 800, 1600, 1600, 1600];

export type Sleep = (ms: number) => Promise<void>;

/**
 * Opens the packs of this site. `refused` where the browser stores nothing, found out by writing. A full disk is no
 * reason to refuse: what is there must stay readable, and deletable.
 */
export async function openOpfs(storage: StorageManager): Promise<OpfsPacks> {
  const packs = new OpfsPacks(() => storage.getDirectory());
  await packs.probe();
  return packs;
}

/** A pack store on a folder of the origin private file system. */
export class OpfsPacks implements PackStore {
  readonly mode = "opfs";
  readonly packBytes = PACK_BYTES;
  readonly #root: () => Promise<FileSystemDirectoryHandle>;
  /** Of packs that are open for writing here. */
  readonly #open = new Map<string, FileSystemSyncAccessHandle>();
  readonly #sleep: Sleep;
  /** Packs that were empty when last heard of; null before they were looked for, which looks at every pack there is. */
  #empty: Set<string> | null = null;

  /** `root` is asked anew for each call: after site data was cleared an old folder handle leads nowhere. */
  constructor(root: () => Promise<FileSystemDirectoryHandle>, sleep: Sleep = wait) {
    this.#root = root;
    this.#sleep = sleep;
  }

  /** Writes and flushes a byte, in a file that is no pack: looking for a free one would look at all of them. */
  async probe(): Promise<void> {
    const handle = await this.#tryOpen(await this.#folder(), PROBE, true);
    // Another tab is at it: then it can be written.
    if (handle === null) return;
    try {
      handle.write(new Uint8Array(1), { at: 0 });
      handle.flush();
      handle.truncate(0);
    } catch (error) {
      if (!named(error, "QuotaExceededError"))
        throw storageError(error, "The browser stores nothing for this site");
    } finally {
      handle.close();
    }
  }

  async create(): Promise<PackWriter> {
    const folder = await this.#folder();
    this.#empty ??= new Set(
      (await this.#listIn(folder)).filter(({ size }) => size === 0).map(({ name }) => name),
    );
    for (const name of this.#empty) {
      this.#empty.delete(name);
      const handle = await this.#tryOpen(folder, name, false);
      if (handle === null) continue;
      // Another tab may have filled and closed it since.
      if (handle.getSize() === 0) return this.#writer(name, handle);
      handle.close();
    }
    const name = newPackName();
    return this.#writer(name, await this.#openPatiently(folder, name));
  }

  async open(name: string): Promise<PackWriter | null> {
    const handle = await this.#openSoon(await this.#folder(), name);
    return handle === null ? null : this.#writer(name, handle);
  }

  async sizeOf(name: string): Promise<number | null> {
    try {
      const folder = await this.#folder();
      return (await (await folder.getFileHandle(name)).getFile()).size;
    } catch (error) {
      if (named(error, "NotFoundError")) return null;
      throw storageError(error, `Pack ${name} cannot be looked up`);
    }
  }

  /**
   * Through a handle: that takes a fraction of the time that a File takes, and no memory of its own. A File only where
   * another tab has the pack open for writing.
   */
  async read(
    name: string,
    offset: number,
    length: number,
    room?: Uint8Array<ArrayBuffer>,
  ): Promise<Uint8Array<ArrayBuffer>> {
    try {
      const own = this.#open.get(name);
      if (own !== undefined) return readThrough(own, name, { offset, length, room });
      const file = await (await this.#folder()).getFileHandle(name);
      const handle = await forReading(file);
      if (handle === null) return await readFile(await file.getFile(), name, { offset, length, room });
      try {
        return readThrough(handle, name, { offset, length, room });
      } finally {
        handle.close();
      }
    } catch (error) {
      if (named(error, "NotFoundError")) {
        throw new HoldfastError("missing", `There is no pack ${name}.`, { cause: error });
      }
      throw storageError(error, `Pack ${name} cannot be read`);
    }
  }

  async list(): Promise<readonly PackFile[]> {
    return this.#listIn(await this.#folder());
  }

  async recycle(name: string, isFree: () => Promise<boolean>): Promise<boolean> {
    const folder = await this.#folder();
    const handle = await this.#openSoon(folder, name);
    if (handle === null) return (await this.sizeOf(name)) === null;
    try {
      if (!(await isFree())) return false;
      handle.truncate(0);
      handle.flush();
    } catch (error) {
      throw storageError(error, `Pack ${name} cannot be emptied`);
    } finally {
      await this.#writer(name, handle).close();
    }
    this.#empty?.add(name);
    return true;
  }

  #writer(name: string, handle: FileSystemSyncAccessHandle): PackWriter {
    this.#open.set(name, handle);
    return new OpfsWriter(name, handle, async () => {
      this.#open.delete(name);
      if ((await this.sizeOf(name)) !== null) handle.close();
    });
  }

  async #folder(): Promise<FileSystemDirectoryHandle> {
    try {
      return await (await this.#root()).getDirectoryHandle(FOLDER, { create: true });
    } catch (error) {
      throw storageError(error, "The browser opens no private file system for this site");
    }
  }

  async #listIn(folder: FileSystemDirectoryHandle): Promise<PackFile[]> {
    const files: PackFile[] = [];
    for await (const [name, entry] of folder.entries()) {
      if (!isPackName(name) || !isFile(entry)) continue;
      try {
        files.push({ name, size: (await entry.getFile()).size });
      } catch (error) {
        if (!named(error, "NotFoundError")) throw storageError(error, `Pack ${name} cannot be looked up`);
      }
    }
    return files.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Null where somebody else holds it open, or where it is gone. */
  async #tryOpen(
    folder: FileSystemDirectoryHandle,
    name: string,
    create: boolean,
  ): Promise<FileSystemSyncAccessHandle | null> {
    try {
      return await (await folder.getFileHandle(name, { create })).createSyncAccessHandle();
    } catch (error) {
      if (named(error, "NoModificationAllowedError") || named(error, "NotFoundError")) return null;
      throw storageError(error, `Pack ${name} cannot be opened`);
    }
  }

  /** Null where a writer holds it, or where it is gone. A reader is done within milliseconds. */
  async #openSoon(
    folder: FileSystemDirectoryHandle,
    name: string,
  ): Promise<FileSystemSyncAccessHandle | null> {
    for (const ms of READ_WAITS_MS) {
      if (ms > 0) await this.#sleep(ms);
      const handle = await this.#tryOpen(folder, name, false);
      if (handle !== null) return handle;
    }
    return null;
  }

  async #openPatiently(folder: FileSystemDirectoryHandle, name: string): Promise<FileSystemSyncAccessHandle> {
    for (const ms of [0, ...BUSY_WAITS_MS]) {
      if (ms > 0) await this.#sleep(ms);
      const handle = await this.#tryOpen(folder, name, true);
      if (handle !== null) return handle;
    }
    throw new HoldfastError(
      "busy",
      `The browser keeps pack ${name} locked. Close other tabs of this site, or restart the browser.`,
    );
  }
}

class OpfsWriter implements PackWriter {
  readonly name: string;
  readonly #handle: FileSystemSyncAccessHandle;
  readonly #release: () => Promise<void>;
  #size: number;

  /** `release` closes the handle, unless its name leads nowhere. */
  constructor(name: string, handle: FileSystemSyncAccessHandle, release: () => Promise<void>) {
    this.name = name;
    this.#handle = handle;
    this.#release = release;
    this.#size = handle.getSize();
  }

  get size(): number {
    return this.#size;
  }

  async append(bytes: Uint8Array): Promise<number> {
    const offset = this.#size;
    let written = 0;
    try {
      while (written < bytes.length) {
        // The standard allows short writes. A write of nothing would loop for ever.
        const count = this.#handle.write(bytes.subarray(written), { at: offset + written });
        if (count === 0) throw new HoldfastError("quota", `The browser wrote nothing to pack ${this.name}.`);
        written += count;
      }
    } catch (error) {
      if (written > 0) this.#handle.truncate(offset);
      throw storageError(error, `${bytes.length} bytes cannot be written to pack ${this.name}`);
    }
    this.#size = offset + written;
    return Promise.resolve(offset);
  }

  async cut(size: number): Promise<void> {
    try {
      this.#handle.truncate(size);
    } catch (error) {
      throw storageError(error, `Pack ${this.name} cannot be cut`);
    }
    this.#size = size;
    return Promise.resolve();
  }

  async flush(): Promise<void> {
    try {
      this.#handle.flush();
    } catch (error) {
      throw storageError(error, `Pack ${this.name} cannot be flushed`);
    }
    return Promise.resolve();
  }

  async close(): Promise<void> {
    try {
      await this.#release();
    } catch (error) {
      // It cannot be looked up: the handle ends with its worker.
      if (!(error instanceof HoldfastError)) throw error;
    }
  }
}

interface Stretch {
  readonly offset: number;
  readonly length: number;
  readonly room: Uint8Array<ArrayBuffer> | undefined;
}

function readThrough(
  handle: FileSystemSyncAccessHandle,
  name: string,
  { offset, length, room }: Stretch,
): Uint8Array<ArrayBuffer> {
  checkEnd(name, handle.getSize(), offset + length);
  const bytes = memoryFor(length, room);
  const read = handle.read(bytes, { at: offset });
  if (read === length) return bytes;
  throw new HoldfastError("refused", `The browser read ${read} of ${length} bytes of pack ${name}.`);
}

async function readFile(
  file: File,
  name: string,
  { offset, length, room }: Stretch,
): Promise<Uint8Array<ArrayBuffer>> {
  checkEnd(name, file.size, offset + length);
  const read = new Uint8Array(await file.slice(offset, offset + length).arrayBuffer());
  return room === undefined ? read : copyInto(room, read);
}

function checkEnd(name: string, size: number, end: number): void {
  if (end > size)
    throw new HoldfastError("corrupt", `Pack ${name} ends at byte ${size}; bytes to ${end} are asked.`);
}

/** Not in the standard yet; where a browser does not know it, the handle is one for writing. */
interface ReadableFile {
  createSyncAccessHandle(options: { readonly mode: "read-only" }): Promise<FileSystemSyncAccessHandle>;
}

/** Null where somebody has it open for writing. */
async function forReading(
  file: FileSystemFileHandle & ReadableFile,
): Promise<FileSystemSyncAccessHandle | null> {
  try {
    return await file.createSyncAccessHandle({ mode: "read-only" });
  } catch (error) {
    if (named(error, "NoModificationAllowedError")) return null;
    throw error;
  }
}

function isFile(entry: FileSystemHandle): entry is FileSystemFileHandle {
  return entry.kind === "file";
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
