import { expect, suite, test } from "vitest";
import { planSlices } from "../../src/engine/staging";

suite("planSlices", () => {
  test.each([
    [[], 16],
    [[0, 4, 0], 16],
    [[4, 4, 4, 4, 4], 16],
    [[100], 16],
    [[12, 100, 4, 16, 40], 16],
    [[16, 16], 16],
  ])("covers sizes %j in slices of %d, each byte once, in order and without a hole", (sizes, sliceBytes) => {
    const slices = planSlices(sizes, sliceBytes);
    const seen = sizes.map(() => 0);
    for (const pieces of slices) {
      let at = 0;
      for (const piece of pieces) {
        expect(piece.at).toBe(at);
        expect(piece.from).toBe(seen[piece.tensor]);
        expect(piece.bytes).toBeGreaterThan(0);
        at += piece.bytes;
        seen[piece.tensor] = piece.from + piece.bytes;
        expect(piece.last).toBe(seen[piece.tensor] === sizes[piece.tensor]);
      }
      expect(at).toBeLessThanOrEqual(sliceBytes);
    }
    expect(seen).toEqual(sizes);
    // Only the last slice may have room left.
    expect(slices.length).toBe(Math.ceil(sizes.reduce((sum, size) => sum + size, 0) / sliceBytes));
  });
});
