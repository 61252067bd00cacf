import { expect, test } from "vitest";
import { barrierWords, reasonWords, scheduleWords } from "../../src/ui/step-words";

test("what a schedule makes of a rate is told where it is another number", () => {
  expect(scheduleWords(0.001, 0.001, 0.03)).toBe("");
  expect(scheduleWords(null, 0.001, 0.03)).toBe("");
  expect(scheduleWords(0.0003, 0.001, 0.001)).toContain("0.0003 of 0.001");
  expect(scheduleWords(0.0003, 0.001, 0.03)).toContain("0.009 of 0.03");
});

test("a checkpoint that was among the best when it was saved is told by what", () => {
  expect(reasonWords("improved", ["val_loss", "val_accuracy"])).toBe(
    "saved while among the best by held-out loss and held-out accuracy",
  );
  expect(reasonWords("improved", [])).toBe("saved while among the best");
  expect(reasonWords("policy", [])).toBe("saved on schedule");
});

test("a barrier is told with its height and place, and one that cannot be told is not called none", () => {
  expect(barrierWords({ alpha: 0.4375, height: 0.25 })).toMatch(/^A barrier of 0\.2500 .* at 0\.4375\.$/);
  expect(barrierWords({ alpha: 0, height: 0 })).toMatch(/^No barrier/);
  expect(barrierWords(null)).not.toMatch(/^No barrier/);
});
