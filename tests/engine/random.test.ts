import { expect, suite, test } from "vitest";
import {
  counterOf,
  keepMask,
  keepScale,
  keepThreshold,
  keyOf,
  normals,
  philox4x32,
  random,
  randomInteger,
  streamId,
  uniforms,
  words,
} from "../../src/engine/random";
import { hasCode } from "../../src/errors";

function block(counter: readonly number[], key: readonly number[]): string[] {
  const out = new Uint32Array(4);
  philox4x32(Uint32Array.from(counter), Uint32Array.from(key), out);
  return [...out].map((word) => word.toString(16).padStart(8, "0"));
}

const ONES = 0xffffffff;

suite("Philox4x32-10 gives the known answers of Random123 (kat_vectors)", () => {
  test("zeros", () => {
    expect(block([0, 0, 0, 0], [0, 0])).toEqual(["6627e8d5", "e169c58d", "bc57ac4c", "9b00dbd8"]);
  });
  test("ones", () => {
    expect(block([ONES, ONES, ONES, ONES], [ONES, ONES])).toEqual([
      "408f276d",
      "41c83b0e",
      "a20bc7c6",
      "6d5451fd",
    ]);
  });
  test("digits of pi", () => {
    expect(block([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0])).toEqual([
      "d16cfe09",
      "94fdcceb",
      "5001e420",
      "24126ea1",
    ]);
  });
  test("and others where one bit of the counter or the key differs", () => {
    expect(block([1, 0, 0, 0], [0, 0])).not.toEqual(block([0, 0, 0, 0], [0, 0]));
    expect(block([0, 0, 0, 0], [0, 1])).not.toEqual(block([0, 0, 0, 0], [0, 0]));
  });
});

suite("the layout of key and counter", () => {
  test("FNV-1a gives its published answers", () => {
    expect(streamId("")).toBe(0x811c9dc5);
    expect(streamId("a")).toBe(0xe40c292c);
    expect(streamId("foobar")).toBe(0xbf9cf968);
  });

  test("key is the seed's two halves, counter is block, step and stream", () => {
    expect([...keyOf(2 ** 53 - 1)]).toEqual([0xffffffff, 0x1fffff]);
    expect([...counterOf("a", 7, 2 ** 33 + 5)]).toEqual([5, 2, 7, 0xe40c292c]);
  });

  test("word i is word i & 3 of block i >> 2", () => {
    const all = words(42, "init/weight", 3, 23);
    const out = new Uint32Array(4);
    for (const [index, word] of all.entries()) {
      philox4x32(counterOf("init/weight", 3, index >> 2), keyOf(42), out);
      expect(word).toBe(out[index & 3]);
    }
  });

  test("a shorter draw is the beginning of a longer one", () => {
    const long = words(1, "s", 0, 41);
    for (let count = 0; count <= 41; count++) expect(words(1, "s", 0, count)).toEqual(long.slice(0, count));
  });

  test("seed 0 is a seed like any other, and both halves of a seed count", () => {
    const zero = words(0, "s", 0, 64);
    expect(words(0, "s", 0, 64)).toEqual(zero);
    expect(new Set(zero).size).toBe(64);
    for (const seed of [1, 2 ** 32, 2 ** 52]) expect(words(seed, "s", 0, 64)).not.toEqual(zero);
  });

  test("step and stream count", () => {
    expect(words(1, "s", 1, 8)).not.toEqual(words(1, "s", 0, 8));
    expect(words(1, "t", 0, 8)).not.toEqual(words(1, "s", 0, 8));
  });

  test.each([-1, 0.5, NaN, Infinity, 2 ** 53])("the seed %s is refused", (seed) => {
    expect(() => words(seed, "s", 0, 1)).toThrow(expect.toSatisfy((error) => hasCode(error, "invalid")));
  });

  test.each([-1, 0.5, NaN, 2 ** 32])("the step %s is refused", (step) => {
    expect(() => words(0, "s", step, 1)).toThrow(expect.toSatisfy((error) => hasCode(error, "invalid")));
  });
});

const COUNT = 100_000;

suite("uniform and normal numbers", () => {
  test("uniform numbers are multiples of 2^-24 in [0, 1) and fill it evenly", () => {
    const drawn = uniforms(7, "u", 0, COUNT);
    const bins = new Uint32Array(20);
    for (const value of drawn) {
      expect(value >= 0 && value < 1 && Number.isInteger(value * 2 ** 24)).toBe(true);
      bins[Math.floor(value * 20)]! += 1;
    }
    // 19 degrees of freedom; 43.8 is exceeded by chance once in a thousand seeds, and this seed is fixed.
    expect(chiSquare(bins, COUNT / 20)).toBeLessThan(43.8);
  });

  test("one number at a time is the same numbers", () => {
    const drawn = uniforms(7, "u", 5, 10);
    expect(Float32Array.from(drawn, (_value, index) => random(7, "u", 5, index))).toEqual(drawn);
  });

  test("normal numbers have the moments of a normal distribution", () => {
    const drawn = [...normals(7, "n", 0, COUNT)];
    const moment = (power: number) => drawn.reduce((sum, value) => sum + value ** power, 0) / COUNT;
    // Five standard errors each.
    expect(Math.abs(moment(1))).toBeLessThan(5 * Math.sqrt(1 / COUNT));
    expect(Math.abs(moment(2) - 1)).toBeLessThan(5 * Math.sqrt(2 / COUNT));
    expect(Math.abs(moment(3))).toBeLessThan(5 * Math.sqrt(15 / COUNT));
    expect(Math.abs(moment(4) - 3)).toBeLessThan(5 * Math.sqrt(96 / COUNT));
  });

  test("neighbours of a normal draw are independent, and an odd count is a beginning", () => {
    const drawn = normals(7, "n", 0, COUNT);
    let product = 0;
    for (let index = 0; index < COUNT; index += 2) product += (drawn[index] ?? 0) * (drawn[index + 1] ?? 0);
    expect(Math.abs(product) / (COUNT / 2)).toBeLessThan(5 / Math.sqrt(COUNT / 2));
    expect(normals(7, "n", 0, 9)).toEqual(drawn.slice(0, 9));
  });

  test("integers below a bound are evenly spread", () => {
    const bins = new Uint32Array(7);
    for (let index = 0; index < 7000; index++) bins[randomInteger(3, "i", 0, index, 7)]! += 1;
    // 6 degrees of freedom, one in a thousand.
    expect(chiSquare(bins, 1000)).toBeLessThan(22.5);
    expect(() => randomInteger(3, "i", 0, 0, 0)).toThrow(
      expect.toSatisfy((error) => hasCode(error, "invalid")),
    );
  });
});

suite("dropout masks", () => {
  test("hold 0 and 1 / (1 - rate), the share of 0 being the rate", () => {
    for (const rate of [0.1, 0.5, 0.9]) {
      const mask = keepMask(5, "dropout/a", 11, COUNT, rate);
      expect(new Set(mask)).toEqual(new Set([0, Math.fround(1 / (1 - rate))]));
      const dropped = mask.filter((value) => value === 0).length;
      expect(Math.abs(dropped - rate * COUNT)).toBeLessThan(5 * Math.sqrt(COUNT * rate * (1 - rate)));
    }
  });

  test("keep exactly the words at or above the threshold", () => {
    const drawn = words(5, "dropout/a", 11, 1001);
    const threshold = keepThreshold(0.3);
    expect(threshold).toBe(Math.floor(0.3 * 2 ** 32));
    expect(keepMask(5, "dropout/a", 11, 1001, 0.3)).toEqual(
      Float32Array.from(drawn, (word) => (word >= threshold ? keepScale(0.3) : 0)),
    );
  });

  test("keep everything at rate 0, and refuse a rate of 1", () => {
    expect(new Set(keepMask(5, "d", 0, 100, 0))).toEqual(new Set([1]));
    for (const rate of [1, -0.1, NaN]) {
      expect(() => keepMask(5, "d", 0, 1, rate)).toThrow(
        expect.toSatisfy((error) => hasCode(error, "invalid")),
      );
    }
  });
});

function chiSquare(bins: Uint32Array, expected: number): number {
  return bins.reduce((sum, seen) => sum + (seen - expected) ** 2 / expected, 0);
}
