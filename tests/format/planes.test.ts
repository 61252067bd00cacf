import fc from "fast-check";
import { expect, suite, test } from "vitest";
import type { Bytes } from "../../src/format/bytes";
import { CHUNK_BYTES } from "../../src/format/chunks";
import { thePlanes } from "../../src/format/planes";
import { words } from "./support";

const BLOCK = 65_536;

/** `count` bytes put where a plane is. */
function planeOf(bytes: ArrayLike<number>): Bytes {
  thePlanes().values.set(bytes);
  const [plane] = thePlanes().split("byte", bytes.length);
  if (plane === undefined) throw new Error("no plane");
  return plane;
}

/** Order-0 entropy, in bytes. */
function entropyOf(bytes: Bytes): number {
  const counts = new Map<number, number>();
  for (const byte of bytes) counts.set(byte, (counts.get(byte) ?? 0) + 1);
  return [...counts.values()].reduce((sum, count) => sum - count * Math.log2(count / bytes.length), 0) / 8;
}

/** Length of the packed plane, after it was unpacked and compared. */
function roundTrip(bytes: Bytes): number | null {
  const packed = thePlanes().pack(planeOf(bytes))?.slice();
  if (packed === undefined) return null;
  const plane = thePlanes().plane(0, bytes.length);
  plane.fill(0xaa);
  expect(thePlanes().unpack(packed, plane)).toBe(true);
  expect(Buffer.compare(plane, bytes)).toBe(0);
  return packed.length;
}

/** Symbols whose frequencies fall off, the faster the higher `slope` is. */
function skewed(count: number, slope: number, seed = 1): Bytes {
  const next = words(seed);
  return Uint8Array.from({ length: count }, () => Math.min(255, -Math.log(next() / 2 ** 32 + 1e-12) * slope));
}

suite("a plane in fewer bytes", () => {
  test.each([1, 2, 3, 63, 64, 65, 4095, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK + 3, CHUNK_BYTES])(
    "of %d bytes comes back, within two percent of its entropy and its tables",
    (count) => {
      for (const slope of [0.1, 1, 5, 30]) {
        const bytes = skewed(count, slope);
        const length = roundTrip(bytes);
        const tables = Math.ceil(count / BLOCK) * (52 + 1.5 * new Set(bytes).size + 8);
        if (length === null) expect(count).toBeLessThan(tables + entropyOf(bytes) * 1.02 + 1);
        else expect(length).toBeLessThan(entropyOf(bytes) * 1.02 + tables);
      }
    },
  );

  test("of one symbol takes next to nothing", () => {
    expect(roundTrip(new Uint8Array(BLOCK).fill(255))).toBeLessThan(60);
  });

  test("of one symbol and a single other one", () => {
    for (const at of [0, 1, 2, 3, 4, BLOCK - 1])
      expect(roundTrip(new Uint8Array(BLOCK).map((_, index) => (index === at ? 7 : 0)))).toBeLessThan(90);
  });

  test("with all symbols, most of them once, has a frequency for each", () => {
    const bytes = new Uint8Array(BLOCK).map((_, at) => (at < 256 ? at : 9));
    expect(roundTrip(bytes)).toBeLessThan(2000);
  });

  test("noise is not made smaller, and said so", () => {
    const next = words(4);
    expect(roundTrip(Uint8Array.from({ length: BLOCK }, () => next() >>> 24))).toBe(null);
  });

  test("any bytes come back", () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(255), { maxLength: 12 }),
        fc.array(fc.nat(11), { maxLength: 300 }),
        (alphabet, picks) => {
          const symbols = alphabet.length === 0 ? [0] : alphabet;
          const bytes = Uint8Array.from(
            { length: picks.length * 4 },
            (_, at) => symbols[(picks[at % picks.length] ?? 0) % symbols.length] ?? 0,
          );
          roundTrip(bytes);
        },
      ),
      { numRuns: 500 },
    );
  });

  test("damage is seen, or gives as many other bytes; nothing else is touched", () => {
    const bytes = skewed(3000, 6);
    const packed = thePlanes().pack(planeOf(bytes))?.slice() ?? new Uint8Array(0);
    const plane = thePlanes().plane(0, bytes.length);
    thePlanes().values.fill(0x55);
    let seen = 0;
    for (let bit = 0; bit < packed.length * 8; bit++) {
      const bad = packed.slice();
      bad[bit >> 3] = (bad[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      if (!thePlanes().unpack(bad, plane)) seen++;
    }
    expect(thePlanes().values.every((byte) => byte === 0x55)).toBe(true);
    expect(seen).toBeGreaterThan(0.99 * packed.length * 8);
    for (let length = 0; length < packed.length; length++)
      expect(thePlanes().unpack(packed.subarray(0, length), plane)).toBe(false);
    expect(thePlanes().unpack(new Uint8Array(CHUNK_BYTES + 1), plane)).toBe(false);
  });
});
