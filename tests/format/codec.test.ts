import fc from "fast-check";
import { beforeAll, expect, suite, test } from "vitest";
import { HoldfastError } from "../../src/errors";
import { CHUNK_BYTES, type ElementKind } from "../../src/format/chunks";
import {
  ChunkEncoder,
  CODEC_DIFFERENCE,
  CODEC_PLANES,
  CODEC_STORED,
  decodeChunk,
  type EncodedChunk,
} from "../../src/format/codec";
import { readyZstd } from "../../src/format/zstd";
import { concat, equalBytes, type Bytes } from "../../src/format/bytes";
import { failure, withBitFlipped, words } from "./support";

beforeAll(readyZstd);

const encoder = new ChunkEncoder();

/** As the encoder gives it, in memory of its own. */
function encode(raw: Bytes, kind: ElementKind = "float32", reference: Bytes | null = null): EncodedChunk {
  const { codec, bytes } = encoder.encode(raw, kind, reference);
  return { codec, bytes: bytes.slice() };
}

function decode(codec: number, bytes: Bytes, length: number, reference: Bytes | null = null): Bytes {
  const raw = new Uint8Array(length);
  decodeChunk(codec, bytes, raw, reference);
  return raw;
}

/** Like weights: normal, small, in a narrow range of exponents. */
function weights(count: number, seed = 1): Bytes {
  const next = words(seed);
  const values = Float32Array.from({ length: count }, () => {
    const sum = Array.from({ length: 4 }, () => next() / 2 ** 32).reduce((a, b) => a + b, 0);
    return (sum - 2) * 0.02;
  });
  return new Uint8Array(values.buffer);
}

/** The same weights some steps later: each moved a little. */
function moved(raw: Bytes, seed = 2): Bytes {
  const next = words(seed);
  const values = new Float32Array(raw.slice().buffer);
  return new Uint8Array(values.map((value) => value + (next() / 2 ** 32 - 0.5) * 1e-6).buffer);
}

function roundTrip(raw: Bytes, kind: ElementKind, reference: Bytes | null = null): number {
  const { codec, bytes } = encode(raw, kind, reference);
  expect(bytes.length).toBeLessThanOrEqual(raw.length);
  // Not `toEqual`, which takes seconds over megabytes.
  expect(equalBytes(decode(codec, bytes, raw.length, reference), raw)).toBe(true);
  return codec;
}

suite("the codec", () => {
  test("gives back any bytes, for any kind of element and any length, with a reference and without", () => {
    const codecs = new Set<number>();
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 700 }),
        fc.uint8Array({ maxLength: 700 }),
        fc.constantFrom<ElementKind>("byte", "int32", "float32"),
        fc.nat(600),
        (some, other, kind, pad) => {
          const length = (some.length + pad) & ~3;
          const raw = new Uint8Array(length);
          raw.set(some.subarray(0, length), Math.max(0, length - some.length));
          const reference = new Uint8Array(length);
          reference.set(other.subarray(0, length));
          codecs.add(roundTrip(raw, kind));
          codecs.add(roundTrip(raw, kind, reference));
          codecs.add(roundTrip(raw, kind, raw));
        },
      ),
      { numRuns: 1500 },
    );
    expect([...codecs].sort()).toEqual([CODEC_STORED, CODEC_PLANES, CODEC_DIFFERENCE]);
  });

  test("gives back any float bits: NaN payloads, -0, denormals, infinities", () => {
    const special = fc.constantFrom(
      0x7fc00001,
      0xffc0dead,
      0x7f800001,
      0x80000000,
      1,
      0x807fffff,
      0x7f800000,
      0xff800000,
    );
    const bits = fc.oneof(special, fc.integer({ min: 0, max: 0xffffffff }));
    fc.assert(
      fc.property(fc.array(bits, { minLength: 1, maxLength: 400 }), fc.nat(3), (list, repeat) => {
        const all = Array.from({ length: repeat + 1 }, () => list).flat();
        const raw = new Uint8Array(Uint32Array.from(all).buffer);
        roundTrip(raw, "float32");
        roundTrip(raw, "float32", new Uint8Array(Uint32Array.from(all.toReversed()).buffer));
      }),
      { numRuns: 500 },
    );
  });

  test("gives back a view that begins at an odd place", () => {
    const whole = weights(3000);
    for (const start of [1, 2, 3, 4]) {
      const raw = whole.subarray(start, 9000 + start);
      roundTrip(raw, "float32");
      expect(
        roundTrip(
          raw,
          "float32",
          whole.slice(start, 9000 + start).map((byte, at) => (at % 4 === 0 ? byte ^ 1 : byte)),
        ),
      ).toBe(CODEC_DIFFERENCE);
    }
  });

  test("splits weights into planes and gains; the noise is stored as it is", () => {
    const raw = weights(100_000);
    const { codec, bytes } = encode(raw);
    expect(codec).toBe(CODEC_PLANES);
    expect(bytes.length / raw.length).toBeLessThan(0.92);
    expect([bytes[1], bytes[6]]).toEqual([0, 0]);
    expect(bytes[16]).toBe(2);
  });

  test("text is one plane", () => {
    const raw = new TextEncoder().encode("the same words over and over ".repeat(1000));
    const { codec, bytes } = encode(raw, "byte");
    expect(codec).toBe(CODEC_PLANES);
    expect(bytes.length).toBeLessThan(raw.length / 50);
  });

  test("a difference gains where weights moved a little, and is not used where it does not", () => {
    const raw = weights(100_000);
    const later = moved(raw);
    const { codec, bytes } = encode(later, "float32", raw);
    expect(codec).toBe(CODEC_DIFFERENCE);
    expect(bytes.length).toBeLessThan(0.8 * encode(later).bytes.length);
    expect(encode(later, "float32", weights(100_000, 99)).codec).toBe(CODEC_PLANES);
    expect(equalBytes(decode(codec, bytes, later.length, raw), later)).toBe(true);
  });

  test("a difference is small across zero and across exponents", () => {
    const count = 4096;
    const below = new Uint8Array(
      Float32Array.from({ length: count }, (_, at) => (at % 2 === 0 ? -1e-45 : 1.9999999)).buffer,
    );
    const above = new Uint8Array(
      Float32Array.from({ length: count }, (_, at) => (at % 2 === 0 ? 1e-45 : 2)).buffer,
    );
    const { codec, bytes } = encode(above, "float32", below);
    expect(codec).toBe(CODEC_DIFFERENCE);
    expect(bytes.length).toBeLessThan(above.length / 20);
  });

  test("integers and bytes have differences too", () => {
    const counters = Int32Array.from({ length: 5000 }, (_, at) => Math.imul(at, 0x9e3779b1));
    const next = new Uint8Array(counters.map((value) => value + 1).buffer);
    expect(roundTrip(next, "int32", new Uint8Array(counters.buffer))).toBe(CODEC_DIFFERENCE);
    const random = words(5);
    const pixels = Uint8Array.from({ length: 5000 }, () => random() >>> 24);
    expect(
      roundTrip(
        pixels.map((value) => value - 1),
        "byte",
        pixels,
      ),
    ).toBe(CODEC_DIFFERENCE);
  });

  test("a difference from another chunk, or from none, is never taken for the right one", () => {
    const raw = weights(3000);
    const later = moved(raw);
    const { codec, bytes } = encode(later, "float32", raw);
    expect(equalBytes(decode(codec, bytes, later.length, later), later)).toBe(false);
    expect(failure(() => decode(codec, bytes, later.length)).code).toBe("corrupt");
    expect(failure(() => decode(codec, bytes, later.length, raw.slice(4))).code).toBe("corrupt");
    expect(failure(() => encode(raw, "float32", raw.slice(4))).code).toBe("invalid");
  });

  test("noise is stored, and not copied", () => {
    const next = words(3);
    const raw = Uint8Array.from({ length: 100_000 }, () => next() >>> 24);
    const encoded = encoder.encode(raw, "float32", null);
    expect(encoded.codec).toBe(CODEC_STORED);
    expect(encoded.bytes).toBe(raw);
  });

  test("a full chunk goes there and back, and a longer one is refused", () => {
    const raw = weights(CHUNK_BYTES / 4);
    roundTrip(raw, "float32");
    roundTrip(moved(raw), "float32", raw);
    expect(failure(() => encode(new Uint8Array(CHUNK_BYTES + 4))).code).toBe("invalid");
    expect(failure(() => encode(new Uint8Array(6))).code).toBe("invalid");
  });

  test("a codec that is not known yet is unsupported", () => {
    expect(failure(() => decode(3, new Uint8Array(4), 4)).code).toBe("unsupported");
  });

  test("a wrong length is corrupt", () => {
    const raw = weights(1000);
    const { codec, bytes } = encode(raw);
    for (const length of [0, 3996, 3999, 4001, 4004, CHUNK_BYTES, CHUNK_BYTES + 1]) {
      expect(failure(() => decode(codec, bytes, length)).code).toBe("corrupt");
      expect(failure(() => decode(CODEC_STORED, raw, length)).code).toBe("corrupt");
    }
  });

  test("every truncation is corrupt", () => {
    const raw = weights(300);
    const { bytes } = encode(raw);
    for (let length = 0; length < bytes.length; length++) {
      expect(failure(() => decode(CODEC_PLANES, bytes.subarray(0, length), raw.length)).code).toBe("corrupt");
    }
  });

  test("bytes behind the planes are corrupt", () => {
    const raw = weights(300);
    const longer = concat([encode(raw).bytes, Uint8Array.of(0)]);
    expect(failure(() => decode(CODEC_PLANES, longer, raw.length)).code).toBe("corrupt");
  });

  test("damage of any kind gives a typed error or as many bytes as recorded", () => {
    const raw = weights(300);
    const { bytes } = encode(raw);
    for (let bit = 0; bit < 8 * bytes.length; bit++) onlyTyped(withBitFlipped(bytes, bit), raw.length);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(100), (garbage, length) =>
        onlyTyped(garbage, length),
      ),
      { numRuns: 2000 },
    );
  });
});

function onlyTyped(bytes: Uint8Array, rawLength: number): void {
  try {
    expect(decode(CODEC_PLANES, new Uint8Array(bytes), rawLength).length).toBe(rawLength);
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    // A way of storing a plane that is not known: a newer version may have it.
    expect(["corrupt", "unsupported"]).toContain(error.code);
  }
}
