import { histogram } from "./counts";

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
/** For each symbol 16 bytes: the state above which bits move out, reciprocal, bias, and complement with shift. */
const encoders = memory.data(256 * 16, 16);
/** For each of the 4096 slots: frequency, place within the symbol's slots, symbol: 13, 12 and 8 bits, in 8 bytes. */
const slots = memory.data(4096 * 8, 16);
/** Words of a block come out backwards. */
const words = memory.data(65536 * 2 + 64, 16);
const WORDS_END: usize = 65536 * 2 + 64;

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
