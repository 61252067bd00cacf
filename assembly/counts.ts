/** How often bytes occur: for a choice between codecs, and for the frequencies of one. */
import { FLOATS, foldedByte, inOrder } from "./planes";

/** Three more, so that equal symbols in a row do not wait for each other. */
const moreCounts = memory.data(3 * 256 * 4, 16);
/** How often each byte occurs, at `into` as 256 u32. */
export function histogram(bytes: usize, count: i32, into: usize): void {
  memory.fill(into, 0, 256 * 4);
  memory.fill(moreCounts, 0, 3 * 256 * 4);
  const fours = count & ~3;
  for (let at = 0; at < fours; at += 4) {
    const word = load<u32>(bytes + at);
    increment(into + ((<usize>(word & 255)) << 2));
    increment(moreCounts + ((<usize>((word >> 8) & 255)) << 2));
    increment(moreCounts + 1024 + ((<usize>((word >> 16) & 255)) << 2));
    increment(moreCounts + 2048 + ((<usize>(word >> 24)) << 2));
  }
  for (let at = fours; at < count; at++) increment(into + ((<usize>load<u8>(bytes + at)) << 2));
  for (let slot: usize = 0; slot < 1024; slot += 16) {
    const more = moreCounts + slot;
    const sum = i32x4.add(i32x4.add(v128.load(more), v128.load(more + 1024)), v128.load(more + 2048));
    v128.store(into + slot, i32x4.add(v128.load(into + slot), sum));
  }
}

function increment(slot: usize): void {
  store<u32>(slot, load<u32>(slot) + 1);
}

/**
 * How often each byte occurs in each plane of every `stride`-th word, or of its difference where there is a reference:
 * four times 256 u32 at `into`.
 */
export function survey(
  kind: i32,
  words: usize,
  reference: usize,
  count: i32,
  stride: i32,
  into: usize,
): void {
  memory.fill(into, 0, 4 * 1024);
  for (let at = 0; at < count; at += stride) {
    let word = load<i32>(words + ((<usize>at) << 2));
    if (reference != 0) {
      const before = load<i32>(reference + ((<usize>at) << 2));
      const difference = kind == FLOATS ? inOrder(word) - inOrder(before) : word - before;
      word = (difference << 1) ^ (difference >> 31);
    }
    increment(into + ((<usize>(word & 255)) << 2));
    increment(into + 1024 + ((<usize>((word >> 8) & 255)) << 2));
    increment(into + 2048 + ((<usize>((word >> 16) & 255)) << 2));
    increment(into + 3072 + ((<usize>((<u32>word) >> 24)) << 2));
  }
}

/** The same for single bytes: 256 u32. */
export function surveyBytes(bytes: usize, reference: usize, count: i32, stride: i32, into: usize): void {
  memory.fill(into, 0, 1024);
  for (let at = 0; at < count; at += stride) {
    let byte = <i32>load<u8>(bytes + at);
    if (reference != 0) byte = foldedByte(byte, <i32>load<u8>(reference + at));
    increment(into + ((<usize>byte) << 2));
  }
}
