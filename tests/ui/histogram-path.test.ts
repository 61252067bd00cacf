import { expect, test } from "vitest";
import { histogramPath } from "../../src/ui/histogram-path";

test("is as high as the box where the count is the highest, and a half at a quarter of it", () => {
  expect(histogramPath([0, 4, 1, 0], 4, 40, 100)).toBe(
    "M0 100V100.0H10.0V0.0H20.0V50.0H30.0V100.0H40.0V100Z",
  );
});

test("lies on the ground where nothing was counted", () => {
  expect(histogramPath([0, 0], 0, 10, 20)).toBe("M0 20V20.0H5.0V20.0H10.0V20Z");
});
