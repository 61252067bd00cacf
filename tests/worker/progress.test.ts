import { afterEach, beforeEach, expect, suite, test, vi } from "vitest";
import { Progress } from "../../src/worker/progress";

const COMPILING_MS = 26_000;
const STEP_MS = 20;

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

/** The speed that is told after each of these steps. */
function speeds(times: readonly number[]): (number | null)[] {
  const told: (number | null)[] = [];
  const progress = new Progress((_rows, stepsPerSecond) => told.push(stepsPerSecond));
  for (const [at, ms] of times.entries()) {
    progress.push({
      from: at + 1,
      loss: Float32Array.of(1),
      rate: Float32Array.of(1),
      ms: Float32Array.of(ms),
    });
    progress.flush();
  }
  return told;
}

suite("the speed of training", () => {
  test("is not told before there are some timed steps, and leaves out those that compiled shaders", () => {
    const told = speeds([COMPILING_MS, COMPILING_MS, ...Array.from({ length: 20 }, () => STEP_MS)]);
    expect(told.slice(0, 6)).toEqual([null, null, null, null, null, null]);
    expect(told.slice(6)).toEqual(Array.from({ length: 16 }, () => 1000 / STEP_MS));
  });

  test("is that of the last steps, five at least where they are slow", () => {
    expect(speeds([1, 1, 100, 1000, 1000, 1000, 1000, 1000]).at(-1)).toBe(1);
    expect(speeds([1, 1, ...Array.from({ length: 5 }, () => 20_000), 5000]).at(-1)).toBeCloseTo(5 / 85);
  });
});
