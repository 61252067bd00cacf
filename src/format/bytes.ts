/**
 * Bytes: hashes, hexadecimal, joining and comparing.
 *
 * Everything that Holdfast writes is little endian. So is every processor that runs WebGPU, which is why a
 * typed array's own bytes count as its portable form.
 */
import { HoldfastError } from "../errors";
import type { TensorValues } from "./tensors";

/** Bytes that are not shared with another thread; what crypto, files and messages accept. */
export type Bytes = Uint8Array<ArrayBuffer>;

export const SHA256_BYTES = 32;

/** SHA-256 of `bytes`. The platform copies them first, so hand it no more than a chunk at a time. */
export async function sha256(bytes: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

const HEX_DIGITS = "0123456789abcdef";

/** Lower-case hexadecimal. */
export function toHex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += HEX_DIGITS.charAt(byte >>> 4) + HEX_DIGITS.charAt(byte & 15);
  return text;
}

/** The inverse of `toHex`. Upper case is `corrupt`: one value has one text. */
export function fromHex(text: string): Bytes {
  if (text.length % 2 !== 0)
    throw new HoldfastError("corrupt", "A hexadecimal value has an odd number of digits.");
  const bytes = new Uint8Array(text.length / 2);
  for (let at = 0; at < bytes.length; at++) {
    const high = HEX_DIGITS.indexOf(text.charAt(2 * at));
    const low = HEX_DIGITS.indexOf(text.charAt(2 * at + 1));
    if (high < 0 || low < 0)
      throw new HoldfastError("corrupt", `A hexadecimal value has a wrong digit at ${2 * at}.`);
    bytes[at] = (high << 4) | low;
  }
  return bytes;
}

/** The bytes of a typed array: a view, no copy. */
export function bytesOf(values: TensorValues): Bytes {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/** All parts, one after the other, in a buffer of their own. */
export function concat(parts: readonly Uint8Array[]): Bytes {
  let length = 0;
  for (const part of parts) length += part.length;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Are both the same, byte for byte? */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false;
  return true;
}

/** The next multiple of 8 at or above `length`. */
export function align8(length: number): number {
  return Math.ceil(length / 8) * 8;
}
