/**
 * Append-only byte files, called packs.
 *
 * Bytes count as stored only after `flush()` resolves and `sizeOf()` has found them by name again. Before that a
 * crash may keep any part of them, so readers check every frame and trust no length.
 *
 * An open pack belongs to one writer: whoever holds it open keeps all others from opening or recycling it, in this
 * tab and in every other. So a pack that nothing refers to and that nobody holds open is free to be used again.
 */

/** What a pack may grow to: browsers reserve quota in powers of two, so a larger file wastes up to half. */
export const PACK_BYTES = 64 * 1024 * 1024;

export interface PackFile {
  readonly name: string;
  readonly size: number;
}

/** A pack that is open for writing. */
export interface PackWriter {
  readonly name: string;
  /** Bytes appended so far. */
  readonly size: number;
  /** Appends all of `bytes` and returns their offset. Fails with `quota`, and then `size` is unchanged. */
  append(bytes: Uint8Array): Promise<number>;
  /** Takes back what was appended after `size`. Only for bytes that nothing refers to. */
  cut(size: number): Promise<void>;
  /** Resolves when everything appended so far is on the device. */
  flush(): Promise<void>;
  /** Lets go of the pack, without a flush. Twice is once. */
  close(): Promise<void>;
}

export interface PackStore {
  readonly mode: "opfs" | "memory";
  /** A pack rolls over at this size. */
  readonly packBytes: number;
  /** An empty pack, open for writing: one that was recycled, or a new one. */
  create(): Promise<PackWriter>;
  /** The pack of this name, open for writing behind what it has; null where it is gone or somebody has it open. */
  open(name: string): Promise<PackWriter | null>;
  /**
   * The size of the file that this name leads to at this moment; null where it leads nowhere. Never answered from
   * an open handle: a handle goes on "working" after site data was cleared under it.
   */
  sizeOf(name: string): Promise<number | null>;
  /**
   * The bytes, in `room` where that is given and large enough. Fails with `corrupt` where the pack is shorter than asked,
   * and with `missing` where there is none.
   */
  read(
    name: string,
    offset: number,
    length: number,
    room?: Uint8Array<ArrayBuffer>,
  ): Promise<Uint8Array<ArrayBuffer>>;
  /** All packs, in the order of their names. Those of size 0 wait to be used again. */
  list(): Promise<readonly PackFile[]>;
  /**
   * Empties a pack for later use, if `isFree` says so. It is asked while the pack is held, when no writer can be
   * between its last frame and its commit; asked before, the answer could be old when it is acted on.
   * False, and nothing done, where it says no or where somebody holds the pack open; true where it is empty or gone.
   */
  recycle(name: string, isFree: () => Promise<boolean>): Promise<boolean>;
}

/** Memory for so many bytes: the room, where it is large enough. */
export function memoryFor(
  length: number,
  room: Uint8Array<ArrayBuffer> | undefined,
): Uint8Array<ArrayBuffer> {
  return room !== undefined && room.length >= length ? room.subarray(0, length) : new Uint8Array(length);
}

/** A copy of the bytes, in the room where it is large enough. */
export function copyInto(
  room: Uint8Array<ArrayBuffer> | undefined,
  bytes: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const copy = memoryFor(bytes.length, room);
  copy.set(bytes);
  return copy;
}

/** A name that no other tab will choose: `p-` and 16 of [a-z0-9]. */
export function newPackName(): string {
  return `p-${randomId(16)}`;
}

/** Is this the name of a pack? Whatever else lies in the folder is left alone. */
export function isPackName(name: string): boolean {
  return /^p-[a-z0-9]{16}$/.test(name);
}

/** `length` characters of [a-z0-9] from the platform's secure generator. */
export function randomId(length: number): string {
  const alphabet = "abcdefghijklmnopqrstuvwxyz0123456789";
  // 252 is the largest multiple of 36 in a byte; what lies above would favour the first letters.
  let id = "";
  while (id.length < length) {
    for (const byte of crypto.getRandomValues(new Uint8Array(length))) {
      if (byte < 252 && id.length < length) id += alphabet.charAt(byte % alphabet.length);
    }
  }
  return id;
}
