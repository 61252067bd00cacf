/** A cursor to write fields with, and one to read them: little endian, every bound checked. */
import { HoldfastError } from "../errors";
import type { Bytes } from "./bytes";

const U32_RANGE = 2 ** 32;

/** Writes fields one after the other into a buffer that grows. A value out of range is `invalid`. */
export class ByteWriter {
  #bytes: Bytes;
  #view: DataView<ArrayBuffer>;
  #length = 0;

  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }

  get length(): number {
    return this.#length;
  }

  u8(value: number): this {
    const at = this.#claim(1, value, 0xff);
    this.#view.setUint8(at, value);
    return this;
  }

  u16(value: number): this {
    const at = this.#claim(2, value, 0xffff);
    this.#view.setUint16(at, value, true);
    return this;
  }

  u32(value: number): this {
    const at = this.#claim(4, value, U32_RANGE - 1);
    this.#view.setUint32(at, value, true);
    return this;
  }

  /** 0 … 2^53 - 1, in eight bytes. */
  u64(value: number): this {
    const at = this.#claim(8, value, Number.MAX_SAFE_INTEGER);
    this.#view.setUint32(at, value % U32_RANGE, true);
    this.#view.setUint32(at + 4, Math.floor(value / U32_RANGE), true);
    return this;
  }

  f64(value: number): this {
    const at = this.#grow(8);
    this.#view.setFloat64(at, value, true);
    return this;
  }

  bytes(bytes: Uint8Array): this {
    const at = this.#grow(bytes.length);
    this.#bytes.set(bytes, at);
    return this;
  }

  zeros(count: number): this {
    this.#grow(count);
    return this;
  }

  /** What was written so far: a view. */
  view(): Bytes {
    return this.#bytes.subarray(0, this.#length);
  }

  /** What was written, in a buffer of its own. */
  finish(): Bytes {
    return this.#bytes.slice(0, this.#length);
  }

  #claim(count: number, value: number, highest: number): number {
    if (!Number.isSafeInteger(value) || value < 0 || value > highest) {
      throw new HoldfastError("invalid", `${value} does not fit a field of ${count} bytes.`);
    }
    return this.#grow(count);
  }

  #grow(count: number): number {
    const at = this.#length;
    this.#length += count;
    if (this.#length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#length, 2 * this.#bytes.length));
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return at;
  }
}

/** Reads fields one after the other. Past the end is `corrupt` and names `what`, the thing that is read. */
export class ByteReader {
  readonly #bytes: Bytes;
  readonly #view: DataView<ArrayBuffer>;
  readonly #what: string;
  #at: number;

  constructor(bytes: Bytes, what: string, offset = 0) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#what = what;
    this.#at = offset;
  }

  get offset(): number {
    return this.#at;
  }

  get remaining(): number {
    return this.#bytes.length - this.#at;
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2), true);
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  /** `corrupt` above 2^53 - 1. */
  u64(): number {
    const at = this.#take(8);
    const value = this.#view.getUint32(at + 4, true) * U32_RANGE + this.#view.getUint32(at, true);
    if (!Number.isSafeInteger(value))
      throw new HoldfastError("corrupt", `${this.#what}: a number at byte ${at} is too large.`);
    return value;
  }

  f64(): number {
    return this.#view.getFloat64(this.#take(8), true);
  }

  /** A view of the next `count` bytes. */
  bytes(count: number): Bytes {
    const at = this.#take(count);
    return this.#bytes.subarray(at, at + count);
  }

  /** The same, without stepping over them. */
  peek(count: number): Bytes {
    const at = this.#take(count);
    this.#at = at;
    return this.#bytes.subarray(at, at + count);
  }

  #take(count: number): number {
    const at = this.#at;
    if (!(count >= 0 && at + count <= this.#bytes.length)) {
      throw new HoldfastError(
        "corrupt",
        `${this.#what} ends at byte ${this.#bytes.length}, but ${count} more are needed at ${at}.`,
      );
    }
    this.#at = at + count;
    return at;
  }
}
