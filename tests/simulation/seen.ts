/** Which images were examined, known to all threads of a drill at once. */

/** True where this one is new. */
export interface Seen {
  add(hash: string): boolean;
}

export class LocalSeen implements Seen {
  readonly #hashes = new Set<string>();

  add(hash: string): boolean {
    if (this.#hashes.has(hash)) return false;
    this.#hashes.add(hash);
    return true;
  }
}

/**
 * The first 64 bits of each hash in an open-addressed table that threads share. Two images of a million would be taken
 * for one with a probability of 3 in 10^8.
 */
export class SharedSeen implements Seen {
  readonly #slots: BigUint64Array;

  /** `memory`: 8 bytes for each slot, all zero; at least twice as many slots as images. */
  constructor(memory: SharedArrayBuffer) {
    this.#slots = new BigUint64Array(memory);
  }

  add(hash: string): boolean {
    const key = BigInt(`0x${hash.slice(0, 16)}`) || 1n;
    const { length } = this.#slots;
    for (let probe = Number(key % BigInt(length)), tries = 0; tries < length; tries++) {
      const found = Atomics.compareExchange(this.#slots, probe, 0n, key);
      if (found === 0n) return true;
      if (found === key) return false;
      probe = (probe + 1) % length;
    }
    throw new Error("the table of images is full");
  }
}
