/**
 * Random numbers that are a function of (seed, stream, step, index) and of nothing else.
 *
 * There is no generator and so no generator state: nothing to save, nothing to restore wrongly, and drawing for
 * an evaluation or a picture moves nobody else's numbers. The function is Philox4x32-10 (Salmon, Moraes, Dror,
 * Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC'11), which makes a block of four 32-bit words:
 *
 *   key     = [seed mod 2^32, seed div 2^32]
 *   counter = [block mod 2^32, block div 2^32, step, streamId(stream)]
 *   word i of a stream at a step = word (i & 3) of block (i >> 2)
 *
 * GPU kernels make the same words from the same layout, so it must never change.
 */
import { HoldfastError } from "../errors";

const MULTIPLIER_0 = 0xd2511f53;
const MULTIPLIER_1 = 0xcd9e8d57;
const KEY_BUMP_0 = 0x9e3779b9;
const KEY_BUMP_1 = 0xbb67ae85;
const ROUNDS = 10;

const WORDS_PER_BLOCK = 4;
const TWO_32 = 2 ** 32;
/** Float32 holds 24 bits of a uniform number exactly, so that it never rounds up to 1. */
const UNIFORM_UNIT = 2 ** -24;

/** High half of the 64-bit product of two unsigned 32-bit words, by 16-bit halves: a double cannot hold it. */
function highProduct(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const carry = aLow * bHigh + (middle & 0xffff);
  return aHigh * bHigh + (middle >>> 16) + (carry >>> 16);
}

/** Philox4x32-10: writes the block of `counter` (4 words) under `key` (2 words) to `out`, 4 words from `offset` on. */
export function philox4x32(counter: Uint32Array, key: Uint32Array, out: Uint32Array, offset = 0): void {
  let c0 = counter[0] ?? 0;
  let c1 = counter[1] ?? 0;
  let c2 = counter[2] ?? 0;
  let c3 = counter[3] ?? 0;
  let k0 = key[0] ?? 0;
  let k1 = key[1] ?? 0;
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = highProduct(MULTIPLIER_0, c0);
    const low0 = Math.imul(MULTIPLIER_0, c0);
    const high1 = highProduct(MULTIPLIER_1, c2);
    const low1 = Math.imul(MULTIPLIER_1, c2);
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0;
    k0 = (k0 + KEY_BUMP_0) >>> 0;
    k1 = (k1 + KEY_BUMP_1) >>> 0;
  }
  out[offset] = c0;
  out[offset + 1] = c1;
  out[offset + 2] = c2;
  out[offset + 3] = c3;
}

/** FNV-1a, 32 bits, over the UTF-8 bytes of a stream's name: the last word of its counters. */
export function streamId(name: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(name)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/** The key of a seed, 0 … 2^53 - 1. Throws `invalid` for any other number. */
export function keyOf(seed: number): Uint32Array<ArrayBuffer> {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new HoldfastError(
      "invalid",
      `The seed ${seed} is not a whole number from 0 to 2^53 - 1; choose one that is.`,
    );
  }
  return Uint32Array.of(seed % TWO_32, Math.floor(seed / TWO_32));
}

/** The counter of a block of four words. `step` is 0 … 2^32 - 1, `block` 0 … 2^53 - 1. */
export function counterOf(stream: string, step: number, block = 0): Uint32Array<ArrayBuffer> {
  if (!Number.isInteger(step) || step < 0 || step >= TWO_32) {
    throw new HoldfastError(
      "invalid",
      `The step ${step} is not a whole number below 2^32, so it has no random numbers.`,
    );
  }
  return Uint32Array.of(block % TWO_32, Math.floor(block / TWO_32), step, streamId(stream));
}

/** The first `count` words of a stream at a step. */
export function words(seed: number, stream: string, step: number, count: number): Uint32Array<ArrayBuffer> {
  const key = keyOf(seed);
  const counter = counterOf(stream, step);
  const blocks = Math.ceil(count / WORDS_PER_BLOCK);
  const result = new Uint32Array(blocks * WORDS_PER_BLOCK);
  for (let block = 0; block < blocks; block++) {
    counter[0] = block;
    philox4x32(counter, key, result, block * WORDS_PER_BLOCK);
  }
  return result.length === count ? result : result.slice(0, count);
}

/**
 * One uniform number in [0, 1), equal to element `index` of `uniforms`.
 *
 * @example
 * const flip = random(run.seed, "augment", run.step, 0) < 0.5;
 */
export function random(seed: number, stream: string, step: number, index: number): number {
  const out = new Uint32Array(WORDS_PER_BLOCK);
  philox4x32(counterOf(stream, step, Math.floor(index / WORDS_PER_BLOCK)), keyOf(seed), out);
  return uniformOf(out[index % WORDS_PER_BLOCK] ?? 0);
}

/**
 * Uniform numbers in [0, 1), multiples of 2^-24: a function of seed, name of the stream and step, so that there is no
 * generator to save. `step`: 0 … 2^32 - 1.
 *
 * @example
 * const x = uniforms(run.seed, "batch", run.step, 32);
 */
export function uniforms(
  seed: number,
  stream: string,
  step: number,
  count: number,
): Float32Array<ArrayBuffer> {
  const drawn = words(seed, stream, step, count);
  const result = new Float32Array(count);
  for (let index = 0; index < count; index++) result[index] = uniformOf(drawn[index] ?? 0);
  return result;
}

function uniformOf(word: number): number {
  return (word >>> 8) * UNIFORM_UNIT;
}

/**
 * Normal numbers, mean 0 and standard deviation 1, by Box and Muller's transform: elements 2k and 2k + 1 are the
 * two results of words 2k and 2k + 1, so at most 6.7 in size.
 *
 * The words are the same everywhere; `Math.log`, `cos` and `sin` may differ in the last bit from one browser
 * engine to the next. What is drawn here must be stored, not drawn again on another machine.
 *
 * @example
 * const weights = normals(seed, "init/kernel", 0, 3 * 4);
 */
export function normals(
  seed: number,
  stream: string,
  step: number,
  count: number,
): Float32Array<ArrayBuffer> {
  const drawn = words(seed, stream, step, count + (count % 2));
  const result = new Float32Array(count);
  for (let index = 0; index < count; index += 2) {
    // One is added so that the logarithm never sees 0.
    const radius = Math.sqrt(-2 * Math.log(((drawn[index] ?? 0) + 1) / TWO_32));
    const angle = (2 * Math.PI * (drawn[index + 1] ?? 0)) / TWO_32;
    result[index] = radius * Math.cos(angle);
    if (index + 1 < count) result[index + 1] = radius * Math.sin(angle);
  }
  return result;
}

/** Element i is kept where word i is at least this. Throws `invalid` for a rate outside [0, 1). */
export function keepThreshold(rate: number): number {
  if (!(rate >= 0 && rate < 1)) {
    throw new HoldfastError("invalid", `The dropout rate ${rate} is not in [0, 1); choose one that is.`);
  }
  return Math.floor(rate * TWO_32);
}

/** What a kept element is multiplied by, as float32. */
export function keepScale(rate: number): number {
  return Math.fround(1 / (1 - rate));
}

/** A dropout mask: 0, or 1 / (1 - rate) where the element is kept. */
export function keepMask(
  seed: number,
  stream: string,
  step: number,
  count: number,
  rate: number,
): Float32Array<ArrayBuffer> {
  const threshold = keepThreshold(rate);
  const scale = keepScale(rate);
  const drawn = words(seed, stream, step, count);
  const mask = new Float32Array(count);
  for (let index = 0; index < count; index++) mask[index] = (drawn[index] ?? 0) >= threshold ? scale : 0;
  return mask;
}

/**
 * A whole number in [0, bound), from the first two words of block `index`: 53 bits, so no value is likelier than
 * another by more than bound / 2^53.
 *
 * @example
 * const sample = randomInteger(run.seed, "order", run.step, 0, samples.length);
 */
export function randomInteger(
  seed: number,
  stream: string,
  step: number,
  index: number,
  bound: number,
): number {
  if (!Number.isSafeInteger(bound) || bound < 1) {
    throw new HoldfastError(
      "invalid",
      `A random integer below ${bound} does not exist; the bound must be at least 1.`,
    );
  }
  const out = new Uint32Array(WORDS_PER_BLOCK);
  philox4x32(counterOf(stream, step, index), keyOf(seed), out);
  const bits = ((out[0] ?? 0) >>> 5) * 2 ** 26 + ((out[1] ?? 0) >>> 6);
  return Math.floor((bits / 2 ** 53) * bound);
}
