/** A bundle as a `Blob`, which the browser keeps wherever it has room. */
import type { Bytes } from "../format/bytes";
import type { ZipOutput } from "../format/zip";

/** Small pieces are joined to this many bytes before they are handed over. */
const PART_BYTES = 4 * 1024 * 1024;

export class BlobOutput implements ZipOutput {
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

  /** All that was written. */
  finish(): Blob {
    this.#handOver();
    return new Blob(this.#parts, { type: "application/zip" });
  }

  #handOver(): void {
    if (this.#pending.length === 0) return;
    this.#parts.push(new Blob(this.#pending));
    this.#pending = [];
    this.#pendingBytes = 0;
  }
}
