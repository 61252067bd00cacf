import { expect, suite, test } from "vitest";
import { contrast } from "../../src/ui/contrast";

suite("contrast", () => {
  test("is 21 of black and white, either way, and 1 of a colour and itself", () => {
    expect(contrast("rgb(0, 0, 0)", "rgb(255, 255, 255)")).toBeCloseTo(21);
    expect(contrast("rgb(255, 255, 255)", "rgb(0, 0, 0)")).toBeCloseTo(21);
    expect(contrast("rgb(9, 80, 7)", "rgb(9, 80, 7)")).toBe(1);
  });

  test("of the grey that is the darkest to fail on white, and the next one", () => {
    expect(contrast("rgb(119, 119, 119)", "rgb(255, 255, 255)")).toBeLessThan(4.5);
    expect(contrast("rgb(118, 118, 118)", "rgb(255, 255, 255)")).toBeGreaterThan(4.5);
  });

  test("is not said of what lets others through", () =>
    expect(contrast("rgba(0, 0, 0, 0.5)", "rgb(255, 255, 255)")).toBeNull());
});
