/** Exports that wait in the site's own storage for their download, where the person cannot choose a file beforehand. */
import { HoldfastError } from "../errors";
import type { BundleOutput } from "../exchange/bundle-output";
import { named } from "../store/platform-error";
import { FileOutput } from "./file-output";

const FOLDER = "exports";
/** By then the browser has taken a download. */
const SPOOLED_MS = 10 * 60_000;
const A_LITTLE_MS = 1000;

export class Spool {
  readonly #storage: Pick<StorageManager, "getDirectory" | "estimate">;

  private constructor(storage: Pick<StorageManager, "getDirectory" | "estimate">) {
    this.#storage = storage;
  }

  /** What another tab left behind goes at once. */
  static over(storage: Pick<StorageManager, "getDirectory" | "estimate">): Spool {
    const spool = new Spool(storage);
    spool.#tidyLater(0);
    return spool;
  }

  /** A new file. `quota` where there is no room for about that many bytes. */
  async open(bytes: number): Promise<BundleOutput> {
    await this.tidy();
    await this.#checkRoom(bytes);
    const folder = await this.#folder();
    const name = `export-${crypto.randomUUID()}`;
    const out = await FileOutput.open(await folder.getFileHandle(name, { create: true }));
    return {
      append: (piece) => out.append(piece),
      reserve: (length) => out.reserve(length),
      abandon: () => out.abandon(),
      finish: async () => {
        const file = await out.finish();
        this.#tidyLater(SPOOLED_MS + A_LITTLE_MS);
        return file;
      },
    };
  }

  #tidyLater(ms: number): void {
    setTimeout(() => {
      // What could not be removed now goes with the next export.
      this.tidy().catch(() => undefined);
    }, ms);
  }

  /** Removes files that were downloaded, or never finished. */
  async tidy(): Promise<void> {
    const folder = await this.#folder();
    for await (const [name, entry] of folder.entries()) {
      if (!isFile(entry)) continue;
      try {
        const { lastModified } = await entry.getFile();
        if (Date.now() - lastModified > SPOOLED_MS) await folder.removeEntry(name);
      } catch (error) {
        // Another tab has removed it, or is writing it.
        if (!named(error, "NotFoundError") && !named(error, "NoModificationAllowedError")) throw error;
      }
    }
  }

  async #checkRoom(bytes: number): Promise<void> {
    const { usage, quota } = await this.#storage.estimate().catch((): StorageEstimate => ({}));
    if (usage === undefined || quota === undefined || usage + bytes <= quota) return;
    throw new HoldfastError(
      "quota",
      `The export needs about ${megabytes(bytes)}, and the browser has ${megabytes(Math.max(0, quota - usage))} left for this site. Delete runs, free disk space, or export fewer checkpoints.`,
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
