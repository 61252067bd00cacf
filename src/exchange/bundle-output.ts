/** Where files are written to: whole in the end, or nothing of them is left. */
import type { Bytes } from "../format/bytes";
import type { ZipOutput } from "../format/zip";

export interface BundleOutput extends ZipOutput {
  /** All that was written. */
  finish(): Promise<Blob>;
  /** Nothing stays of what was written. Never fails: there may be nothing left to write to. */
  abandon(): Promise<void>;
}

/** Opens an output for about so many bytes. `quota` where there is no room for them. */
export type OpenOutput = (bytes: number) => Promise<BundleOutput>;

/** A file that `write` has written, or nothing of it. */
export async function written(
  open: OpenOutput,
  bytes: number,
  write: (out: BundleOutput) => Promise<void>,
): Promise<Blob> {
  const out = await open(bytes);
  try {
    await write(out);
    return await out.finish();
  } catch (error) {
    await out.abandon();
    throw error;
  }
}

/** Small pieces are joined to this many bytes before they are handed over. */
const PART_BYTES = 4 * 1024 * 1024;

/** A `Blob`, which the browser keeps wherever it has room. */
export class BlobOutput implements BundleOutput {
  readonly #parts: Blob[] = [];
  #pending: Bytes[] = [];
  #pendingBytes = 0;

  append(bytes: Bytes): Promise<void> {
    this.#pending.push(bytes.slice());
    this.#pendingBytes += bytes.length;
    if (this.#pendingBytes >= PART_BYTES) this.#handOver();
    return Promise.resolve();
  }

  reserve(bytes: number): Promise<(content: Bytes) => Promise<void>> {
    this.#handOver();
    const at = this.#parts.push(new Blob([new Uint8Array(bytes)])) - 1;
    return Promise.resolve((content) => {
      this.#parts[at] = new Blob([content]);
      return Promise.resolve();
    });
  }

  finish(): Promise<Blob> {
    this.#handOver();
    return Promise.resolve(new Blob(this.#parts));
  }

  abandon(): Promise<void> {
    this.#parts.length = 0;
    this.#pending = [];
    return Promise.resolve();
  }

  #handOver(): void {
    if (this.#pending.length === 0) return;
    this.#parts.push(new Blob(this.#pending));
    this.#pending = [];
    this.#pendingBytes = 0;
  }
}
