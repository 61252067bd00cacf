/**
 * Memory that was read into before, and is free again.
 *
 * The first write to each page of fresh memory is a page fault, some of them milliseconds long where the system is
 * short of free pages; memory that was written to before costs none. So what a save sent away comes back.
 */

/** Beyond that, memory kept for the next save would be missing elsewhere. */
const MOST_BYTES = 64 * 1024 * 1024;

export class SpareBuffers {
  readonly #bySize = new Map<number, ArrayBuffer[]>();
  #bytes = 0;

  /** A buffer of exactly that many bytes; what it holds is anything. */
  take(bytes: number): ArrayBuffer {
    const spare = this.#bySize.get(bytes)?.pop();
    if (spare === undefined) return new ArrayBuffer(bytes);
    this.#bytes -= bytes;
    return spare;
  }

  /** Buffers that nobody else uses any more. */
  give(buffers: readonly ArrayBuffer[]): void {
    for (const buffer of buffers) {
      const { byteLength } = buffer;
      if (byteLength === 0 || this.#bytes + byteLength > MOST_BYTES) continue;
      const same = this.#bySize.get(byteLength);
      if (same === undefined) this.#bySize.set(byteLength, [buffer]);
      else same.push(buffer);
      this.#bytes += byteLength;
    }
  }
}
