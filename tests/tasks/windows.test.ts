import { expect, suite, test } from "vitest";
import { samplesAt } from "../../src/engine/batches";
import { hasCode } from "../../src/errors";
import { windowsOf } from "../../src/tasks/windows";

const CHARACTERS = 1000;
const CONTEXT = 16;

suite("windows of a text", () => {
  const windows = windowsOf(CHARACTERS, CONTEXT, 7);

  test("the last tenth is held out, and no training window reads into it", () => {
    expect(windows.trainTokens).toBe(900);
    expect(windows.heldOutTokens).toBe(100);
    for (let epoch = 0; epoch < 50; epoch++) {
      const last = windows.offsetOf({ epoch, index: windows.perEpoch - 1 });
      expect(last + CONTEXT).toBeLessThan(windows.trainTokens);
    }
  });

  test("an epoch reads each window once, end to end, whatever the batch size", () => {
    for (const batchSize of [1, 4, 7]) {
      const offsets: number[] = [];
      for (let position = 0; offsets.length < windows.perEpoch; position += batchSize) {
        const count = Math.min(batchSize, windows.perEpoch - position);
        offsets.push(...samplesAt(position, count, windows.perEpoch, 7).map(windows.offsetOf));
      }
      const inOrder = offsets.toSorted((a, b) => a - b);
      expect(inOrder).toEqual(
        Array.from({ length: windows.perEpoch }, (_, i) => (inOrder[0] ?? 0) + i * CONTEXT),
      );
      expect(offsets).not.toEqual(inOrder);
    }
  });

  test("each epoch begins somewhere else, as the seed says", () => {
    const phases = (seed: number): number[] =>
      Array.from({ length: 200 }, (_, epoch) =>
        windowsOf(CHARACTERS, CONTEXT, seed).offsetOf({ epoch, index: 0 }),
      );
    expect(new Set(phases(7))).toEqual(new Set(Array.from({ length: CONTEXT }, (_, phase) => phase)));
    expect(phases(7)).toEqual(phases(7));
    expect(phases(8)).not.toEqual(phases(7));
    expect(new Set(phases(0)).size).toBe(CONTEXT);
  });

  test("held-out windows lie in the held-out part and are spread over it", () => {
    expect(windows.heldOutWindows).toBe(6);
    expect(windows.heldOut(100)).toEqual([900, 916, 932, 948, 964, 980]);
    expect(windows.heldOut(3)).toEqual([900, 932, 964]);
    expect(980 + CONTEXT + 1).toBeLessThanOrEqual(CHARACTERS);
  });
});

suite("a text that is too short", () => {
  test("is refused below three windows and a character, and taken from there on", () => {
    for (const context of [4, 16, 64]) {
      const least = 3 * context + 1;
      expect(windowsOf(least, context, 1).perEpoch).toBe(1);
      expect(windowsOf(least, context, 1).heldOut(9)).toEqual([2 * context]);
      const attempt = (): unknown => windowsOf(least - 1, context, 1);
      expect(attempt).toThrow(
        new RegExp(`has ${least - 1} tokens; a context of ${context} needs at least ${least}`),
      );
      expect(attempt).toThrow(expect.toSatisfy((error) => hasCode(error, "invalid")));
    }
  });
});
