/** Numbers as byte planes, and as differences. */

/** What a difference is taken of. */
export const FLOATS: i32 = 3;

const SIGN: i32 = 0x80000000;

/** Words into four planes of `count` bytes each, plane k at `planes + k * stride`. */
export function split(words: usize, count: i32, planes: usize, stride: i32): void {
  const sixteens = count & ~15;
  for (let at = 0; at < sixteens; at += 16) {
    const from = words + ((<usize>at) << 2);
    const a = v128.load(from);
    const b = v128.load(from, 16);
    const c = v128.load(from, 32);
    const d = v128.load(from, 48);
    // The low two bytes of each word, plane by plane; then the high two.
    const abLow = v128.shuffle<u8>(a, b, 0, 4, 8, 12, 16, 20, 24, 28, 1, 5, 9, 13, 17, 21, 25, 29);
    const cdLow = v128.shuffle<u8>(c, d, 0, 4, 8, 12, 16, 20, 24, 28, 1, 5, 9, 13, 17, 21, 25, 29);
    const abHigh = v128.shuffle<u8>(a, b, 2, 6, 10, 14, 18, 22, 26, 30, 3, 7, 11, 15, 19, 23, 27, 31);
    const cdHigh = v128.shuffle<u8>(c, d, 2, 6, 10, 14, 18, 22, 26, 30, 3, 7, 11, 15, 19, 23, 27, 31);
    const to = planes + at;
    v128.store(to, v128.shuffle<u64>(abLow, cdLow, 0, 2));
    v128.store(to + stride, v128.shuffle<u64>(abLow, cdLow, 1, 3));
    v128.store(to + 2 * stride, v128.shuffle<u64>(abHigh, cdHigh, 0, 2));
    v128.store(to + 3 * stride, v128.shuffle<u64>(abHigh, cdHigh, 1, 3));
  }
  for (let at = sixteens; at < count; at++) {
    const word = load<u32>(words + ((<usize>at) << 2));
    for (let plane = 0; plane < 4; plane++)
      store<u8>(planes + plane * stride + at, <u8>(word >> (8 * plane)));
  }
}

/** Undoes `split`. */
export function join(planes: usize, stride: i32, count: i32, words: usize): void {
  const sixteens = count & ~15;
  for (let at = 0; at < sixteens; at += 16) {
    const from = planes + at;
    const p0 = v128.load(from);
    const p1 = v128.load(from + stride);
    const p2 = v128.load(from + 2 * stride);
    const p3 = v128.load(from + 3 * stride);
    const low = v128.shuffle<u8>(p0, p1, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    const lowEnd = v128.shuffle<u8>(p0, p1, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    const high = v128.shuffle<u8>(p2, p3, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    const highEnd = v128.shuffle<u8>(p2, p3, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    const to = words + ((<usize>at) << 2);
    v128.store(to, v128.shuffle<u16>(low, high, 0, 8, 1, 9, 2, 10, 3, 11));
    v128.store(to, v128.shuffle<u16>(low, high, 4, 12, 5, 13, 6, 14, 7, 15), 16);
    v128.store(to, v128.shuffle<u16>(lowEnd, highEnd, 0, 8, 1, 9, 2, 10, 3, 11), 32);
    v128.store(to, v128.shuffle<u16>(lowEnd, highEnd, 4, 12, 5, 13, 6, 14, 7, 15), 48);
  }
  for (let at = sixteens; at < count; at++) {
    let word: u32 = 0;
    for (let plane = 0; plane < 4; plane++)
      word |= (<u32>load<u8>(planes + plane * stride + at)) << (8 * plane);
    store<u32>(words + ((<usize>at) << 2), word);
  }
}

/** The bits of a float32 as an integer in the order of the numbers. Its own inverse but for the test of the sign. */
export function inOrder(bits: i32): i32 {
  return bits ^ ((bits >> 31) | SIGN);
}

/** Words minus those of the reference, folded so that small negative differences are small; in place. */
export function subtract(kind: i32, words: usize, reference: usize, count: i32): void {
  const sign = i32x4.splat(SIGN);
  const fours = count & ~3;
  for (let at = 0; at < fours; at += 4) {
    const offset = (<usize>at) << 2;
    let value = v128.load(words + offset);
    let before = v128.load(reference + offset);
    if (kind == FLOATS) {
      value = v128.xor(value, v128.or(i32x4.shr_s(value, 31), sign));
      before = v128.xor(before, v128.or(i32x4.shr_s(before, 31), sign));
    }
    const difference = i32x4.sub(value, before);
    v128.store(words + offset, v128.xor(i32x4.shl(difference, 1), i32x4.shr_s(difference, 31)));
  }
  for (let at = fours; at < count; at++) {
    const offset = (<usize>at) << 2;
    const value = load<i32>(words + offset);
    const before = load<i32>(reference + offset);
    const difference = kind == FLOATS ? inOrder(value) - inOrder(before) : value - before;
    store<i32>(words + offset, (difference << 1) ^ (difference >> 31));
  }
}

/** Undoes `subtract`, in place. */
export function add(kind: i32, words: usize, reference: usize, count: i32): void {
  const sign = i32x4.splat(SIGN);
  const one = i32x4.splat(1);
  const fours = count & ~3;
  for (let at = 0; at < fours; at += 4) {
    const offset = (<usize>at) << 2;
    const fold = v128.load(words + offset);
    let before = v128.load(reference + offset);
    if (kind == FLOATS) before = v128.xor(before, v128.or(i32x4.shr_s(before, 31), sign));
    const difference = v128.xor(i32x4.shr_u(fold, 1), i32x4.neg(v128.and(fold, one)));
    let value = i32x4.add(before, difference);
    if (kind == FLOATS) value = v128.xor(value, v128.or(i32x4.shr_s(v128.not(value), 31), sign));
    v128.store(words + offset, value);
  }
  for (let at = fours; at < count; at++) {
    const offset = (<usize>at) << 2;
    const fold = load<u32>(words + offset);
    const before = load<i32>(reference + offset);
    const difference = (<i32>(fold >> 1)) ^ -(<i32>(fold & 1));
    if (kind == FLOATS) {
      const order = inOrder(before) + difference;
      store<i32>(words + offset, order ^ ((~order >> 31) | SIGN));
    } else store<i32>(words + offset, before + difference);
  }
}

/** The same for single bytes. */
export function subtractBytes(bytes: usize, reference: usize, count: i32): void {
  for (let at = 0; at < count; at++)
    store<u8>(bytes + at, <u8>foldedByte(load<u8>(bytes + at), load<u8>(reference + at)));
}

export function foldedByte(value: i32, before: i32): i32 {
  const difference = ((value - before) << 24) >> 24;
  return ((difference << 1) ^ (difference >> 7)) & 255;
}

export function addBytes(bytes: usize, reference: usize, count: i32): void {
  for (let at = 0; at < count; at++) {
    const fold = <i32>load<u8>(bytes + at);
    store<u8>(bytes + at, <u8>(<i32>load<u8>(reference + at) + ((fold >> 1) ^ -(fold & 1))));
  }
}
