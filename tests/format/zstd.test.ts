import { expect, suite, test } from "vitest";
import { HoldfastError } from "../../src/errors";
import { equalBytes } from "../../src/format/bytes";
import { CHUNK_BYTES } from "../../src/format/chunks";
import { compress, decompress, readyZstd } from "../../src/format/zstd";
import { failure, withBitFlipped, words } from "./support";

const sample = new TextEncoder().encode("To be, or not to be, that is the question. ".repeat(40));

suite("zstd", () => {
  test("says so where it is used before it is ready", () => {
    expect(failure(() => compress(sample)).code).toBe("internal");
  });

  test("goes there and back for lengths of every kind", async () => {
    await Promise.all([readyZstd(), readyZstd()]);
    const next = words(7);
    for (const length of [0, 1, 2, 255, 256, 257, 65_535, 65_536, 65_792, 1_000_003, CHUNK_BYTES]) {
      const raw = Uint8Array.from({ length }, () => next() % 7);
      const packed = compress(raw);
      expect(equalBytes(decompress(packed, length), raw)).toBe(true);
      expect(packed.length).toBeLessThan(Math.max(32, length));
    }
  });

  test("takes a view, and gives a buffer of its own", async () => {
    await readyZstd();
    const packed = compress(sample.subarray(10, 500));
    const shifted = new Uint8Array(packed.length + 3);
    shifted.set(packed, 3);
    const raw = decompress(shifted.subarray(3), 490);
    expect(raw).toEqual(sample.slice(10, 500));
    expect(raw.buffer.byteLength).toBe(490);
    expect(packed.buffer.byteLength).toBe(packed.length);
  });

  test("a wrong length is corrupt, in both directions", async () => {
    await readyZstd();
    const packed = compress(sample);
    for (const length of [
      0,
      1,
      sample.length - 1,
      sample.length + 1,
      CHUNK_BYTES,
      CHUNK_BYTES + 1,
      2 ** 40,
    ]) {
      expect(failure(() => decompress(packed, length)).code).toBe("corrupt");
    }
  });

  test("a header that promises more than there is never reaches the module", async () => {
    await readyZstd();
    // Single segment, four bytes of content size: 0xffffffff.
    const bomb = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0xff, 0xff, 0xff, 0xff, 1, 0, 0);
    expect(failure(() => decompress(bomb, 2 ** 32 - 1)).code).toBe("corrupt");
    expect(failure(() => decompress(bomb, 12)).code).toBe("corrupt");
    expect(decompress(compress(sample), sample.length)).toEqual(sample);
  });

  test("a small frame that unpacks to half a gigabyte is refused by its header, not by its memory", async () => {
    await readyZstd();
    // Single segment, four bytes of content size, then blocks of one repeated byte, 128 KiB each.
    const blocks = 4096;
    const bomb = new Uint8Array(9 + 4 * blocks);
    const view = new DataView(bomb.buffer);
    view.setUint32(0, 0xfd2fb528, true);
    view.setUint8(4, 0xa0);
    view.setUint32(5, blocks * 131_072, true);
    for (let block = 0; block < blocks; block++) {
      view.setUint32(9 + 4 * block, (131_072 << 3) | (1 << 1) | (block === blocks - 1 ? 1 : 0), true);
    }
    const before = process.memoryUsage.rss();
    expect(failure(() => decompress(bomb, 1000)).code).toBe("corrupt");
    expect(process.memoryUsage.rss() - before).toBeLessThan(256 * 1024 * 1024);
  });

  test("every truncation is corrupt", async () => {
    await readyZstd();
    const packed = compress(sample);
    for (let length = 0; length < packed.length; length++) {
      expect(failure(() => decompress(packed.subarray(0, length), sample.length)).code).toBe("corrupt");
    }
  });

  test("flipped bits give a typed error or the right length, and the module works on", async () => {
    await readyZstd();
    const packed = compress(sample);
    let refused = 0;
    for (let bit = 0; bit < 8 * packed.length; bit++) {
      try {
        expect(decompress(withBitFlipped(packed, bit), sample.length).length).toBe(sample.length);
      } catch (error) {
        if (!(error instanceof HoldfastError)) throw error;
        expect(error.code).toBe("corrupt");
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(40);
    expect(decompress(packed, sample.length)).toEqual(sample);
  });

  test("does not leak: a gigabyte passes through the largest chunks, damaged ones too", async () => {
    await readyZstd();
    const raw = new Uint8Array(CHUNK_BYTES);
    const packed = compress(raw);
    const damaged = withBitFlipped(packed, 8 * 12);
    // The module's memory ends at 2 GiB, so 4 MiB lost per call would fail after 512 of them.
    for (let round = 0; round < 130; round++) {
      compress(raw);
      decompress(packed, raw.length);
      try {
        decompress(damaged, raw.length);
      } catch (error) {
        expect(error).toBeInstanceOf(HoldfastError);
      }
    }
    expect(decompress(packed, raw.length).length).toBe(raw.length);
  });

  test("refuses more than a chunk", async () => {
    await readyZstd();
    expect(failure(() => compress(new Uint8Array(CHUNK_BYTES + 1))).code).toBe("invalid");
  });
});
