import { expect, suite, test } from "vitest";
import { stepsBehind } from "../../src/ui/picture-age";

suite("how many steps ago a picture was drawn", () => {
  test("is told at rest, where nothing newer is to be expected", () => {
    const rest = { of: 200, gap: 0, stepsPerSecond: null };
    expect(stepsBehind({ ...rest, step: 631 })).toBe(431);
    expect(stepsBehind({ ...rest, step: 200 })).toBeNull();
    // The last one is still being drawn: it is as late as the one before it was.
    expect(stepsBehind({ ...rest, step: 631, gap: 150 })).toBeNull();
  });

  test("is not told at a normal pace, fast or slow, and is where none has come for long", () => {
    // 40 steps a second, a picture each second and a half.
    const fast = { of: 200, gap: 60, stepsPerSecond: 40 };
    expect(stepsBehind({ ...fast, step: 1400 })).toBeNull();
    expect(stepsBehind({ ...fast, step: 1401 })).toBe(1201);
    // A picture takes ten seconds, so one comes every hundred.
    const slow = { of: 200, gap: 200, stepsPerSecond: 2 };
    expect(stepsBehind({ ...slow, step: 800 })).toBeNull();
    expect(stepsBehind({ ...slow, step: 801 })).toBe(601);
  });

  test("is not told of a run that went back to before it", () => {
    expect(stepsBehind({ of: 200, step: 150, gap: -40, stepsPerSecond: null })).toBeNull();
  });
});
