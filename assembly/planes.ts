/**
 * The inner loops of the chunk codec, compiled to WebAssembly by `npm run assembly`: byte planes, differences, and
 * entropy coding of a plane. `src/format/planes.ts` calls them and says what they are for; docs/format.md has the bytes.
 *
 * Everything is in one memory that never grows. Callers pass addresses within it, multiples of 16.
 */

/** What a difference is taken of. */
const FLOATS: i32 = 3;

const SIGN: i32 = 0x80000000;

/** Memory that is free for callers begins here. */
export function freeFrom(): usize {
  return (__heap_base + 15) & ~15;
}

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
function inOrder(bits: i32): i32 {
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

function foldedByte(value: i32, before: i32): i32 {
  const difference = ((value - before) << 24) >> 24;
  return ((difference << 1) ^ (difference >> 7)) & 255;
}

export function addBytes(bytes: usize, reference: usize, count: i32): void {
  for (let at = 0; at < count; at++) {
    const fold = <i32>load<u8>(bytes + at);
    store<u8>(bytes + at, <u8>(<i32>load<u8>(reference + at) + ((fold >> 1) ^ -(fold & 1))));
  }
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

/*
 * Range asymmetric numeral systems: J. Duda, "Asymmetric numeral systems", arXiv:1311.2540 (2013); the arithmetic with
 * 31-bit states and reciprocals follows F. Giesen, "Interleaved entropy coders", arXiv:1402.3392 (2014). Four states take
 * turns, so that the processor can work on four symbols at once.
 */

/** Frequencies of a block add up to 1 << PRECISION. */
const PRECISION: u32 = 12;
const TOTAL: u32 = 1 << PRECISION;
/** States stay from here to 2^31, by moving 16 bits out and in. */
const LOWEST: u32 = 1 << 15;
/** Symbols that share a table of frequencies. */
const BLOCK: i32 = 1 << 16;
/** Of a block: length of what follows its table, a bit for each symbol that occurs. */
const HEAD: i32 = 4 + 32;
const STATES: i32 = 4;

const counts = memory.data(256 * 4, 16);
/** Three more, so that equal symbols in a row do not wait for each other. */
const moreCounts = memory.data(3 * 256 * 4, 16);
/** For each symbol 16 bytes: the state above which bits move out, reciprocal, bias, and complement with shift. */
const encoders = memory.data(256 * 16, 16);
/** For each of the 4096 slots: frequency, place within the symbol's slots, symbol: 13, 12 and 8 bits, in 8 bytes. */
const slots = memory.data(4096 * 8, 16);
/** Words of a block come out backwards. */
const words = memory.data(65536 * 2 + 64, 16);
const WORDS_END: usize = 65536 * 2 + 64;

/** How often each byte occurs, at `into` as 256 u32. */
function histogram(bytes: usize, count: i32, into: usize): void {
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
 * Codes the bytes of a plane into `to`. Returns how many that makes; 0 where they would be more than `most`.
 */
export function encode(bytes: usize, count: i32, to: usize, most: i32): i32 {
  let written = 0;
  for (let at = 0; at < count; at += BLOCK) {
    const size = min(BLOCK, count - at);
    // The most that a block can take; what lies behind `most` is the caller's, and is not touched.
    const length = encodeBlock(bytes + at, size, to + written, most - written);
    if (length == 0) return 0;
    written += length;
  }
  return written;
}

function encodeBlock(bytes: usize, count: i32, to: usize, most: i32): i32 {
  histogram(bytes, count, counts);
  const symbols = normalize(count);
  const table = (symbols * 12 + 7) >> 3;
  prepareEncoders();
  let x0 = LOWEST;
  let x1 = LOWEST;
  let x2 = LOWEST;
  let x3 = LOWEST;
  let out = words + WORDS_END;
  let at = count - 1;
  // The last ones by themselves, so that the state of symbol i is number i modulo 4.
  for (; (at & 3) != 3; at--) {
    const symbol = encoders + ((<usize>load<u8>(bytes + at)) << 4);
    const state = (at & 3) == 0 ? x0 : (at & 3) == 1 ? x1 : x2;
    const full = state > load<u32>(symbol);
    store<u16>(out - 2, <u16>state);
    out -= (<usize>full) << 1;
    const next = put(state >> ((<u32>full) << 4), symbol);
    if ((at & 3) == 0) x0 = next;
    else if ((at & 3) == 1) x1 = next;
    else x2 = next;
  }
  for (; at >= 0; at -= 4) {
    const s3 = encoders + ((<usize>load<u8>(bytes + at)) << 4);
    const s2 = encoders + ((<usize>load<u8>(bytes + at - 1)) << 4);
    const s1 = encoders + ((<usize>load<u8>(bytes + at - 2)) << 4);
    const s0 = encoders + ((<usize>load<u8>(bytes + at - 3)) << 4);
    const full3 = x3 > load<u32>(s3);
    const full2 = x2 > load<u32>(s2);
    const full1 = x1 > load<u32>(s1);
    const full0 = x0 > load<u32>(s0);
    // Each is written in any case, which costs less than asking; it counts only where the place moves on.
    store<u16>(out - 2, <u16>x3);
    out -= (<usize>full3) << 1;
    store<u16>(out - 2, <u16>x2);
    out -= (<usize>full2) << 1;
    store<u16>(out - 2, <u16>x1);
    out -= (<usize>full1) << 1;
    store<u16>(out - 2, <u16>x0);
    out -= (<usize>full0) << 1;
    x3 = put(x3 >> ((<u32>full3) << 4), s3);
    x2 = put(x2 >> ((<u32>full2) << 4), s2);
    x1 = put(x1 >> ((<u32>full1) << 4), s1);
    x0 = put(x0 >> ((<u32>full0) << 4), s0);
  }
  const coded = <i32>(words + WORDS_END - out);
  const body = STATES * 4 + coded;
  const length = HEAD + table + body;
  if (length > most) return 0;
  store<u32>(to, body);
  writeTable(to + 4);
  const states = to + HEAD + table;
  store<u32>(states, x0);
  store<u32>(states + 4, x1);
  store<u32>(states + 8, x2);
  store<u32>(states + 12, x3);
  memory.copy(states + 16, out, coded);
  return length;
}

/** The state, from which bits have moved out, with one more symbol in it: state / frequency by its reciprocal. */
function put(state: u32, symbol: usize): u32 {
  const quotient = (<u32>((<u64>state * <u64>load<u32>(symbol + 4)) >> 32)) >> load<u16>(symbol + 14);
  return state + load<u32>(symbol + 8) + quotient * load<u16>(symbol + 12);
}

/** Counts become frequencies that add up to TOTAL, none of them 0 that was not; returns how many symbols there are. */
function normalize(count: i32): i32 {
  let symbols = 0;
  let sum: i32 = 0;
  let largest = 0;
  for (let symbol = 0; symbol < 256; symbol++) {
    const slot = counts + ((<usize>symbol) << 2);
    const found = load<u32>(slot);
    if (found == 0) continue;
    symbols++;
    const frequency = max<u32>(1, <u32>((<u64>found * TOTAL + ((<u64>count) >> 1)) / <u64>count));
    store<u32>(slot, frequency);
    sum += frequency;
    if (frequency > load<u32>(counts + ((<usize>largest) << 2))) largest = symbol;
  }
  // Rounding: what is too much or too little is the most frequent one's, as far as that goes.
  let excess = sum - <i32>TOTAL;
  const slot = counts + ((<usize>largest) << 2);
  const give = min(excess, <i32>load<u32>(slot) - 1);
  store<u32>(slot, load<u32>(slot) - give);
  excess -= give;
  for (let symbol = 0; excess > 0; symbol = (symbol + 1) & 255) {
    const other = counts + ((<usize>symbol) << 2);
    if (load<u32>(other) <= 1) continue;
    store<u32>(other, load<u32>(other) - 1);
    excess--;
  }
  return symbols;
}

function prepareEncoders(): void {
  let start: u32 = 0;
  for (let symbol = 0; symbol < 256; symbol++) {
    const frequency = load<u32>(counts + ((<usize>symbol) << 2));
    if (frequency == 0) continue;
    const entry = encoders + ((<usize>symbol) << 4);
    store<u32>(entry, ((LOWEST >> PRECISION) << 16) * frequency - 1);
    if (frequency == 1) {
      store<u32>(entry + 4, 0xffffffff);
      store<u32>(entry + 8, start + TOTAL - 1);
      store<u16>(entry + 14, 0);
    } else {
      const shift = 32 - clz(frequency - 1);
      store<u32>(entry + 4, <u32>((((<u64>1) << (shift + 31)) + frequency - 1) / frequency));
      store<u32>(entry + 8, start);
      store<u16>(entry + 14, <u16>(shift - 1));
    }
    store<u16>(entry + 12, <u16>(TOTAL - frequency));
    start += frequency;
  }
}

/** A bit for each symbol, then 12 bits for each that is there: its frequency less 1. */
function writeTable(to: usize): void {
  memory.fill(to, 0, 32);
  let bits: u32 = 0;
  let held: i32 = 0;
  let out = to + 32;
  for (let symbol = 0; symbol < 256; symbol++) {
    const frequency = load<u32>(counts + ((<usize>symbol) << 2));
    if (frequency == 0) continue;
    const place = to + (symbol >> 3);
    const marks = (<i32>load<u8>(place)) | (1 << (symbol & 7));
    store<u8>(place, <u8>marks);
    bits |= (frequency - 1) << held;
    held += 12;
    for (; held >= 8; held -= 8) {
      store<u8>(out++, <u8>bits);
      bits >>= 8;
    }
  }
  if (held > 0) store<u8>(out, <u8>bits);
}

/**
 * Fills `count` bytes at `to` from the `length` at `bytes`. False where they are not what `encode` makes. Up to 128 KiB
 * behind them may be read, and must be readable.
 */
export function decode(bytes: usize, length: i32, to: usize, count: i32): bool {
  let at = bytes;
  const end = bytes + length;
  for (let done = 0; done < count; done += BLOCK) {
    const size = min(BLOCK, count - done);
    if (<i32>(end - at) < HEAD) return false;
    const body = load<u32>(at);
    const table = readTable(at + 4, end);
    if (table < 0) return false;
    const states = at + HEAD + table;
    if (states > end || body < <u32>(STATES * 4) || body > <u32>(end - states)) return false;
    if (!decodeBlock(states, states + body, to + done, size)) return false;
    at = states + body;
  }
  return at == end;
}

function decodeBlock(states: usize, end: usize, to: usize, count: i32): bool {
  let x0 = load<u32>(states);
  let x1 = load<u32>(states + 4);
  let x2 = load<u32>(states + 8);
  let x3 = load<u32>(states + 12);
  let from = states + 16;
  const fours = count & ~3;
  let at = 0;
  for (; at < fours; at += 4) {
    const e0 = load<u64>(slots + ((<usize>(x0 & (TOTAL - 1))) << 3));
    const e1 = load<u64>(slots + ((<usize>(x1 & (TOTAL - 1))) << 3));
    const e2 = load<u64>(slots + ((<usize>(x2 & (TOTAL - 1))) << 3));
    const e3 = load<u64>(slots + ((<usize>(x3 & (TOTAL - 1))) << 3));
    store<u32>(
      to + at,
      (<u32>(e0 >> 48)) | ((<u32>(e1 >> 48)) << 8) | ((<u32>(e2 >> 48)) << 16) | ((<u32>(e3 >> 48)) << 24),
    );
    x0 = take(x0, e0);
    const low0 = x0 < LOWEST;
    x0 = select<u32>((x0 << 16) | load<u16>(from), x0, low0);
    from += (<usize>low0) << 1;
    x1 = take(x1, e1);
    const low1 = x1 < LOWEST;
    x1 = select<u32>((x1 << 16) | load<u16>(from), x1, low1);
    from += (<usize>low1) << 1;
    x2 = take(x2, e2);
    const low2 = x2 < LOWEST;
    x2 = select<u32>((x2 << 16) | load<u16>(from), x2, low2);
    from += (<usize>low2) << 1;
    x3 = take(x3, e3);
    const low3 = x3 < LOWEST;
    x3 = select<u32>((x3 << 16) | load<u16>(from), x3, low3);
    from += (<usize>low3) << 1;
  }
  for (; at < count; at++) {
    const turn = at & 3;
    let state = turn == 0 ? x0 : turn == 1 ? x1 : x2;
    const entry = load<u64>(slots + ((<usize>(state & (TOTAL - 1))) << 3));
    store<u8>(to + at, <u8>(entry >> 48));
    state = take(state, entry);
    if (state < LOWEST) {
      state = (state << 16) | load<u16>(from);
      from += 2;
    }
    if (turn == 0) x0 = state;
    else if (turn == 1) x1 = state;
    else x2 = state;
  }
  return from == end && x0 == LOWEST && x1 == LOWEST && x2 == LOWEST && x3 == LOWEST;
}

/** The state without its newest symbol. */
function take(state: u32, entry: u64): u32 {
  return ((<u32>entry) & 0xffff) * (state >> PRECISION) + ((<u32>(entry >> 16)) & 0xffff);
}

/** Fills the slots; returns the length of the packed frequencies, -1 where there is no such table. */
function readTable(from: usize, end: usize): i32 {
  let bits: u32 = 0;
  let held: i32 = 0;
  let at = from + 32;
  let sum: u32 = 0;
  for (let symbol = 0; symbol < 256; symbol++) {
    const marks = <i32>load<u8>(from + (symbol >> 3));
    if (((marks >> (symbol & 7)) & 1) == 0) continue;
    for (; held < 12; held += 8) {
      if (at >= end) return -1;
      bits |= (<u32>load<u8>(at++)) << held;
    }
    const frequency = (bits & 0xfff) + 1;
    bits >>= 12;
    held -= 12;
    if (sum + frequency > TOTAL) return -1;
    for (let place: u32 = 0; place < frequency; place++)
      store<u64>(
        slots + ((<usize>(sum + place)) << 3),
        (<u64>frequency) | ((<u64>place) << 16) | ((<u64>symbol) << 48),
      );
    sum += frequency;
  }
  return sum == TOTAL ? <i32>(at - from - 32) : -1;
}
