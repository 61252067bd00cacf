import { expect, suite, test } from "vitest";
import { SpareBuffers } from "../../src/engine/spare-buffers";

suite("SpareBuffers", () => {
  test("lends what it was given, by size, each buffer to one at a time", () => {
    const spare = new SpareBuffers();
    const [small, large] = [new ArrayBuffer(8), new ArrayBuffer(16)];
    spare.give([small, large]);
    expect(spare.take(16)).toBe(large);
    const fresh = spare.take(16);
    expect(fresh).not.toBe(large);
    expect(fresh.byteLength).toBe(16);
    expect(spare.take(8)).toBe(small);
  });

  test("keeps no more than 64 MiB", () => {
    const spare = new SpareBuffers();
    const buffers = Array.from({ length: 5 }, () => new ArrayBuffer(16 * 1024 * 1024));
    spare.give(buffers);
    const lent = buffers.map(() => spare.take(16 * 1024 * 1024));
    expect(lent.filter((buffer) => buffers.includes(buffer)).length).toBe(4);
    spare.give(lent.slice(0, 1));
    expect(spare.take(16 * 1024 * 1024)).toBe(lent[0]);
  });
});
