/** A folder in memory, which can fail at any operation that changes it. */
import { BlobOutput, type BundleOutput } from "../../src/exchange/bundle-output";
import type { Folder } from "../../src/exchange/mirror-folder";
import type { Bytes } from "../../src/format/bytes";

/** What a power cut looks like to who writes. */
export class Cut extends Error {}

export class MemoryFolder implements Folder {
  readonly files = new Map<string, Bytes>();
  /** How many changes go through before one fails, and all after it. */
  left = Infinity;
  changes = 0;

  read = (path: string): Promise<Blob | null> => {
    const bytes = this.files.get(path);
    return Promise.resolve(bytes === undefined ? null : new Blob([bytes]));
  };

  write = (path: string): Promise<BundleOutput> => {
    this.#change();
    const out = new BlobOutput();
    return Promise.resolve({
      append: (bytes: Bytes) => out.append(bytes),
      reserve: (bytes: number) => out.reserve(bytes),
      abandon: () => out.abandon(),
      finish: async () => {
        this.#change();
        const blob = await out.finish();
        this.files.set(path, new Uint8Array(await blob.arrayBuffer()));
        return blob;
      },
    });
  };

  list = (path: string): Promise<readonly string[]> => {
    const names = [...this.files.keys()].flatMap((name) =>
      name.startsWith(`${path}/`) ? name.slice(path.length + 1).split("/", 1) : [],
    );
    return Promise.resolve([...new Set(names)]);
  };

  remove = (path: string): Promise<void> => {
    this.#change();
    this.files.delete(path);
    return Promise.resolve();
  };

  /** Paths that match, in order. */
  named(pattern: RegExp): readonly string[] {
    return [...this.files.keys()].filter((path) => pattern.test(path)).sort();
  }

  /** Another with the same files. */
  copy(): MemoryFolder {
    const copy = new MemoryFolder();
    for (const [path, bytes] of this.files) copy.files.set(path, bytes.slice());
    return copy;
  }

  damage(path: string): void {
    const bytes = this.files.get(path);
    const at = (bytes?.length ?? 0) - 1;
    if (bytes === undefined || at < 0) throw new Error(`no file ${path}`);
    const changed = bytes.slice();
    changed[at] = (changed[at] ?? 0) ^ 1;
    this.files.set(path, changed);
  }

  #change(): void {
    if (this.left === 0) throw new Cut("the power is cut");
    this.left -= 1;
    this.changes += 1;
  }
}
