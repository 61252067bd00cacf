/** The files of one run in its folder. Each is named by its content, so what is there is known without reading it. */
import { hasCode, HoldfastError } from "../errors";
import type { BundleFile, BundlePart } from "../format/bundle";
import type { Bytes } from "../format/bytes";
import { RunningHash } from "../format/running-hash";
import { blobSource } from "./blob-source";
import { written } from "./bundle-output";
import { mirrorPath, type Folder } from "./mirror-folder";

export interface MirrorFilesOptions {
  /** Reads every byte back, instead of looking how long the files are. */
  readonly all: boolean;
  /** Waited for after each piece that was read: what trains comes first. May say that nobody wants to go on, by `cancelled`. */
  readonly pause: () => Promise<void>;
}

export class MirrorFiles {
  readonly #folder: Folder;
  readonly #options: MirrorFilesOptions;
  /** By their names in a bundle. */
  readonly #known = new Map<string, BundleFile>();

  constructor(folder: Folder, options: MirrorFilesOptions) {
    this.#folder = folder;
    this.#options = options;
  }

  /** All that were found or written so far. */
  get known(): readonly BundleFile[] {
    return [...this.#known.values()];
  }

  get(name: string): BundleFile {
    const file = this.#known.get(name);
    if (file === undefined) throw new HoldfastError("internal", `The mirror has no "${name}".`);
    return file;
  }

  /** Was found as it should be. */
  keep(file: BundleFile): void {
    this.#known.set(file.name, file);
  }

  /** Is it there, as far as was asked for? */
  async isThere(file: BundleFile, part: BundlePart): Promise<boolean> {
    const blob = await this.#folder.read(mirrorPath(file.name, part, file.sha256));
    if (blob?.size !== file.bytes) return false;
    if (!this.#options.all) return true;
    try {
      return (await this.hash(blobSource(blob).pieces(0, blob.size))).sha256 === file.sha256;
    } catch (error) {
      // A sector that cannot be read is written anew.
      if (!hasCode(error, "missing")) throw error;
      return false;
    }
  }

  /** As the index says it of a file with these bytes. */
  async hash(pieces: Iterable<Bytes> | AsyncIterable<Bytes>): Promise<Pick<BundleFile, "bytes" | "sha256">> {
    const hash = new RunningHash();
    let bytes = 0;
    for await (const piece of pieces) {
      hash.add(piece);
      bytes += piece.length;
      await this.#options.pause();
    }
    return { bytes, sha256: hash.hex() };
  }

  /** `named`: the hash or digest that its name takes from its content. */
  async write(
    name: string,
    part: BundlePart,
    named: string,
    pieces: Iterable<Bytes> | AsyncIterable<Bytes>,
  ): Promise<void> {
    const hash = new RunningHash();
    let bytes = 0;
    await written(
      () => this.#folder.write(mirrorPath(name, part, named)),
      0,
      async (out) => {
        for await (const piece of pieces) {
          hash.add(piece);
          bytes += piece.length;
          await out.append(piece);
        }
      },
    );
    this.keep({ name, bytes, sha256: hash.hex() });
  }
}
