/**
 * A file that is written as a stream. The browser writes it beside the one that it becomes, and puts it in its place when
 * it is whole: until then, and where it is abandoned, the file is what it was.
 */
import { HoldfastError } from "../errors";
import type { Bytes } from "../format/bytes";
import type { BundleOutput } from "../exchange/bundle-output";
import { named, storageError } from "../store/platform-error";

/** Small pieces are joined to this many bytes before they are handed over. */
const PART_BYTES = 1024 * 1024;

/** Not in every browser. */
interface Removable {
  readonly remove?: () => Promise<void>;
}

export class FileOutput implements BundleOutput {
  readonly #file: FileSystemFileHandle;
  readonly #stream: FileSystemWritableFileStream;
  readonly #part = new Uint8Array(PART_BYTES);
  #filled = 0;
  /** Bytes before those in `#part`. */
  #at = 0;

  private constructor(file: FileSystemFileHandle, stream: FileSystemWritableFileStream) {
    this.#file = file;
    this.#stream = stream;
  }

  static async open(file: FileSystemFileHandle): Promise<FileOutput> {
    return new FileOutput(file, await onFile(file.name, () => file.createWritable()));
  }

  async append(bytes: Bytes): Promise<void> {
    if (this.#filled + bytes.length > PART_BYTES) await this.#handOver();
    if (bytes.length >= PART_BYTES) {
      await this.#write(this.#at, bytes);
      this.#at += bytes.length;
      return;
    }
    this.#part.set(bytes, this.#filled);
    this.#filled += bytes.length;
  }

  async reserve(bytes: number): Promise<(content: Bytes) => Promise<void>> {
    await this.append(new Uint8Array(bytes));
    const at = this.#at + this.#filled - bytes;
    return async (content) => {
      // Most files are small, and their header has not left yet.
      if (at >= this.#at) this.#part.set(content, at - this.#at);
      else await this.#write(at, content);
    };
  }

  async finish(): Promise<Blob> {
    await this.#handOver();
    return onFile(this.#file.name, async () => {
      await this.#stream.close();
      return this.#file.getFile();
    });
  }

  async abandon(): Promise<void> {
    await this.#stream.abort().catch(() => undefined);
    await dropEmpty(this.#file);
  }

  async #handOver(): Promise<void> {
    if (this.#filled === 0) return;
    await this.#write(this.#at, this.#part.subarray(0, this.#filled));
    this.#at += this.#filled;
    this.#filled = 0;
  }

  #write(position: number, data: Bytes): Promise<void> {
    return onFile(this.#file.name, () => this.#stream.write({ type: "write", position, data }));
  }
}

/** Removes a file that was made for an export which did not come to be, where the browser lets one. Never fails. */
export async function dropEmpty(file: FileSystemFileHandle & Removable): Promise<void> {
  try {
    if ((await file.getFile()).size === 0) await file.remove?.();
  } catch {
    // An empty file is left, which harms nobody.
  }
}

async function onFile<T>(name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    // The disk that the person chose is not the site's storage.
    if (named(error, "QuotaExceededError"))
      throw new HoldfastError(
        "quota",
        `"${name}" cannot be written: there is no room for it. Free disk space, or export fewer checkpoints.`,
        {
          cause: error,
        },
      );
    throw storageError(error, `"${name}" cannot be written`);
  }
}
