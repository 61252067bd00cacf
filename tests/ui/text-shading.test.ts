import { expect, test } from "vitest";
import { shadeText } from "../../src/ui/text-shading";

test("each character has the shade of its own loss, one outside the basic plane too", () => {
  const shaded = shadeText("a\u{1f600}bc", Float32Array.of(0, 6, 0, 3));
  expect(shaded).toEqual([
    { text: "a", shade: 0 },
    { text: "\u{1f600}", shade: 5 },
    { text: "b", shade: 0 },
    { text: "c", shade: 3 },
  ]);
});

test("without losses it is one stretch without a shade", () => {
  expect(shadeText("abc", new Float32Array())).toEqual([{ text: "abc", shade: 0 }]);
});
