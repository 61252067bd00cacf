/** Exports that wait in the site's own storage for their download, where the person cannot choose a file beforehand. */
import { HoldfastError } from "../errors";
import { FileOutput } from "./file-output";

const FOLDER = "exports";
/** By then the browser has taken a download. */
export const SPOOLED_MS = 10 * 60_000;

export class Spool {
  readonly #storage: Pick<StorageManager, "getDirectory" | "estimate">;

  constructor(storage: Pick<StorageManager, "getDirectory" | "estimate">) {
    this.#storage = storage;
  }

  /** A new file. `quota` where there is no room for that many bytes. */
  async open(bytes: number): Promise<FileOutput> {
    await this.tidy();
    await this.#checkRoom(bytes);
    const folder = await this.#folder();
    return FileOutput.open(await folder.getFileHandle(`export-${crypto.randomUUID()}`, { create: true }));
  }

  /** Removes files that were downloaded, or never finished. */
  async tidy(): Promise<void> {
    const folder = await this.#folder();
    for await (const [name, entry] of folder.entries()) {
      if (!isFile(entry)) continue;
      const { lastModified } = await entry.getFile();
      // One that is being written cannot be removed.
      if (Date.now() - lastModified > SPOOLED_MS) await folder.removeEntry(name).catch(() => undefined);
    }
  }

  async #checkRoom(bytes: number): Promise<void> {
    const { usage, quota } = await this.#storage.estimate().catch((): StorageEstimate => ({}));
    if (usage === undefined || quota === undefined || usage + bytes <= quota) return;
    throw new HoldfastError(
      "quota",
      `The export needs up to ${megabytes(bytes)}, and the browser has ${megabytes(Math.max(0, quota - usage))} left for this site. Delete runs, free disk space, or export fewer checkpoints.`,
    );
  }

  async #folder(): Promise<FileSystemDirectoryHandle> {
    return (await this.#storage.getDirectory()).getDirectoryHandle(FOLDER, { create: true });
  }
}

function isFile(entry: FileSystemHandle): entry is FileSystemFileHandle {
  return entry.kind === "file";
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
}
