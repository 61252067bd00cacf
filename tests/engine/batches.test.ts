import { expect, suite, test } from "vitest";
import { permuted, samplesAt } from "../../src/engine/batches";
import { hasCode } from "../../src/errors";

function order(seed: number, epoch: number, size: number): number[] {
  return samplesAt(epoch * size, size, size, seed).map(({ index }) => index);
}

suite("the order of an epoch", () => {
  test("is a permutation, for each size from 1 to 300 and some larger ones", () => {
    const sizes = [
      ...Array.from({ length: 300 }, (_value, index) => index + 1),
      997,
      1024,
      1025,
      4093,
      10_007,
    ];
    for (const size of sizes) {
      expect(new Set(order(9, 2, size)).size).toBe(size);
      expect(Math.max(...order(9, 2, size))).toBe(size - 1);
    }
  });

  test("has no place twice in a million, as far as 50,000 of them show", () => {
    const size = 1_000_000;
    const seen = new Set<number>();
    for (let index = 0; index < size; index += 20) {
      const place = permuted(1, 0, index, size);
      expect(place >= 0 && place < size).toBe(true);
      seen.add(place);
    }
    expect(seen.size).toBe(50_000);
  });

  test("is the same one when asked again, and another one for each epoch and seed", () => {
    expect(order(1, 0, 100)).toEqual(order(1, 0, 100));
    const orders = [order(0, 0, 100), order(0, 1, 100), order(1, 0, 100), order(2 ** 32, 0, 100)];
    expect(new Set(orders.map(String)).size).toBe(4);
    for (const one of orders) expect(one).not.toEqual(one.toSorted((a, b) => a - b));
  });

  // Each sample must be as likely at each place, and each neighbour as likely after it, or small data is learned in a
  // fixed order. 5 standard deviations.
  test.each([2, 3, 5, 10, 17])(
    "over 2,000 epochs of %i samples each stands at each place equally often",
    (size) => {
      const epochs = 2000;
      const places = new Uint32Array(size * size);
      const follows = new Uint32Array(size * size);
      for (let epoch = 0; epoch < epochs; epoch++) {
        const indices = order(4, epoch, size);
        for (const [place, index] of indices.entries()) {
          places[place * size + index]! += 1;
          follows[index * size + (indices[place + 1] ?? index)]! += 1;
        }
      }
      const allowed = (chance: number) => 5 * Math.sqrt(epochs * chance * (1 - chance));
      for (const [cell, seen] of places.entries())
        expect(Math.abs(seen - epochs / size), `${cell}`).toBeLessThan(allowed(1 / size));
      for (const [cell, seen] of follows.entries()) {
        if (cell % (size + 1) === 0) continue;
        expect(Math.abs(seen - epochs / size), `${cell}`).toBeLessThan(allowed(1 / size));
      }
    },
  );
});

suite("the stream of samples", () => {
  test("is the same for every batch size, across epochs", () => {
    const all = samplesAt(0, 100, 7, 3);
    for (const sizes of [[3, 5], [1], [7], [20, 1]]) {
      const read = [];
      for (let turn = 0; read.length < 100; turn++) {
        read.push(...samplesAt(read.length, sizes[turn % sizes.length] ?? 1, 7, 3));
      }
      expect(read.slice(0, 100)).toEqual(all);
    }
  });

  test("has each sample once per epoch, and says which epoch", () => {
    const samples = samplesAt(0, 28, 7, 3);
    expect(samples.map(({ epoch }) => epoch)).toEqual(
      [0, 1, 2, 3].flatMap((epoch) => Array<number>(7).fill(epoch)),
    );
    for (const epoch of [0, 1, 2, 3]) {
      const indices = samples.filter((sample) => sample.epoch === epoch).map(({ index }) => index);
      expect(indices.sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    }
  });

  test("goes on far into a run", () => {
    const position = 2 ** 40 + 3;
    const samples = samplesAt(position, 10, 1000, 3);
    expect(samples[0]?.epoch).toBe(Math.floor(position / 1000));
    expect(samplesAt(position + 4, 1, 1000, 3)[0]).toEqual(samples[4]);
  });

  test("a batch may be larger than the epoch", () => {
    expect(samplesAt(0, 5, 2, 0).map(({ epoch }) => epoch)).toEqual([0, 0, 1, 1, 2]);
    expect(samplesAt(0, 3, 1, 0)).toEqual([0, 1, 2].map((epoch) => ({ epoch, index: 0 })));
  });

  test.each([
    [-1, 10],
    [0.5, 10],
    [0, 0],
    [0, 1.5],
    [0, NaN],
  ])("position %s in epochs of %s samples is refused", (position, size) => {
    expect(() => samplesAt(position, 1, size, 0)).toThrow(
      expect.toSatisfy((error) => hasCode(error, "invalid")),
    );
  });

  test("a place outside of the epoch is refused", () => {
    expect(() => permuted(0, 0, 10, 10)).toThrow(expect.toSatisfy((error) => hasCode(error, "invalid")));
  });
});
