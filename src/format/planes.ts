/**
 * Numbers as byte planes: plane k holds byte k of every element. And numbers as differences from a reference.
 *
 * The high bytes of neighbouring floats (sign, exponent) are alike, and the low ones are noise; of the difference
 * from what a float was some steps ago, more bytes are alike. For a difference, bit patterns become integers in the
 * order of the numbers they stand for (so that small changes of a value are small differences, across zero and
 * exponents too), are subtracted modulo 2^32, and folded so that small negative ones are small as well (zig-zag).
 * Every step of that is one-to-one on all bit patterns: NaN payloads, -0 and denormals come back as they were.
 *
 * All arrays begin at a multiple of 4 and are little-endian, as every machine is that browsers run on.
 */
import type { Bytes } from "./bytes";

/** The integers of 4 bytes that stand there; up to three bytes at the end are left out. */
export function wordsOf(bytes: Bytes): Int32Array<ArrayBuffer> {
  return new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >>> 2);
}

/** Bits of float32s, minus those of the reference. `out` may be `values` or `reference`. */
export function subtractFloats(values: Int32Array, reference: Int32Array, out: Int32Array): void {
  for (let at = 0; at < values.length; at++) {
    const difference = (inOrder(values[at]!) - inOrder(reference[at]!)) | 0;
    out[at] = (difference << 1) ^ (difference >> 31);
  }
}

/** Undoes `subtractFloats`. */
export function addFloats(differences: Int32Array, reference: Int32Array, out: Int32Array): void {
  for (let at = 0; at < differences.length; at++) {
    const fold = differences[at]!;
    const order = (inOrder(reference[at]!) + ((fold >>> 1) ^ -(fold & 1))) | 0;
    out[at] = order ^ ((~order >> 31) | SIGN);
  }
}

export function subtractIntegers(values: Int32Array, reference: Int32Array, out: Int32Array): void {
  for (let at = 0; at < values.length; at++) {
    const difference = (values[at]! - reference[at]!) | 0;
    out[at] = (difference << 1) ^ (difference >> 31);
  }
}

export function addIntegers(differences: Int32Array, reference: Int32Array, out: Int32Array): void {
  for (let at = 0; at < differences.length; at++) {
    const fold = differences[at]!;
    out[at] = (reference[at]! + ((fold >>> 1) ^ -(fold & 1))) | 0;
  }
}

export function subtractBytes(values: Bytes, reference: Bytes, out: Bytes): void {
  for (let at = 0; at < values.length; at++) {
    const difference = ((values[at]! - reference[at]!) << 24) >> 24;
    out[at] = (difference << 1) ^ (difference >> 7);
  }
}

export function addBytes(differences: Bytes, reference: Bytes, out: Bytes): void {
  for (let at = 0; at < differences.length; at++) {
    const fold = differences[at]!;
    out[at] = reference[at]! + ((fold >>> 1) ^ -(fold & 1));
  }
}

/**
 * Words into four planes, each as long as there are words. Four words at a time: a transposition in registers instead
 * of sixteen stores.
 */
export function toPlanes(words: Int32Array, planes: readonly Bytes[]): void {
  const [bytes0, bytes1, bytes2, bytes3] = planes as readonly [Bytes, Bytes, Bytes, Bytes];
  const [plane0, plane1, plane2, plane3] = planes.map(wordsOf) as [
    Int32Array,
    Int32Array,
    Int32Array,
    Int32Array,
  ];
  const fours = words.length >>> 2;
  for (let to = 0, at = 0; to < fours; to++, at += 4) {
    const a = words[at]!;
    const b = words[at + 1]!;
    const c = words[at + 2]!;
    const d = words[at + 3]!;
    plane0[to] = (a & 0xff) | ((b & 0xff) << 8) | ((c & 0xff) << 16) | (d << 24);
    plane1[to] = ((a >>> 8) & 0xff) | (b & 0xff00) | ((c & 0xff00) << 8) | ((d & 0xff00) << 16);
    plane2[to] = ((a >>> 16) & 0xff) | ((b >>> 8) & 0xff00) | (c & 0xff0000) | ((d & 0xff0000) << 8);
    plane3[to] = (a >>> 24) | ((b >>> 16) & 0xff00) | ((c >>> 8) & 0xff0000) | (d & 0xff000000);
  }
  for (let at = fours * 4; at < words.length; at++) {
    const word = words[at]!;
    bytes0[at] = word;
    bytes1[at] = word >>> 8;
    bytes2[at] = word >>> 16;
    bytes3[at] = word >>> 24;
  }
}

/** Undoes `toPlanes`. */
export function fromPlanes(planes: readonly Bytes[], words: Int32Array): void {
  const [bytes0, bytes1, bytes2, bytes3] = planes as readonly [Bytes, Bytes, Bytes, Bytes];
  const [plane0, plane1, plane2, plane3] = planes.map(wordsOf) as [
    Int32Array,
    Int32Array,
    Int32Array,
    Int32Array,
  ];
  const fours = words.length >>> 2;
  for (let from = 0, at = 0; from < fours; from++, at += 4) {
    const a = plane0[from]!;
    const b = plane1[from]!;
    const c = plane2[from]!;
    const d = plane3[from]!;
    words[at] = (a & 0xff) | ((b & 0xff) << 8) | ((c & 0xff) << 16) | (d << 24);
    words[at + 1] = ((a >>> 8) & 0xff) | (b & 0xff00) | ((c & 0xff00) << 8) | ((d & 0xff00) << 16);
    words[at + 2] = ((a >>> 16) & 0xff) | ((b >>> 8) & 0xff00) | (c & 0xff0000) | ((d & 0xff0000) << 8);
    words[at + 3] = (a >>> 24) | ((b >>> 16) & 0xff00) | ((c >>> 8) & 0xff0000) | (d & 0xff000000);
  }
  for (let at = fours * 4; at < words.length; at++) {
    words[at] = bytes0[at]! | (bytes1[at]! << 8) | (bytes2[at]! << 16) | (bytes3[at]! << 24);
  }
}

const SIGN = 0x80000000 | 0;

/** The bits of a float32 as an integer in the order of the numbers. */
function inOrder(bits: number): number {
  return bits ^ ((bits >> 31) | SIGN);
}
