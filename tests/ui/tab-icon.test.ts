import { expect, suite, test } from "vitest";
import { percentDone } from "../../src/ui/format";
import { tabIcon } from "../../src/ui/tab-icon";

function drawn(percent: number | null, isTrouble = false): string {
  const address = tabIcon({ percent, isTrouble }) ?? "";
  expect(address).toMatch(/^data:image\/svg\+xml,/);
  return decodeURIComponent(address.slice("data:image/svg+xml,".length));
}

suite("the tab's icon", () => {
  test("is the page's own while nothing trains and nothing is wrong", () => {
    expect(tabIcon({ percent: null, isTrouble: false })).toBeNull();
  });

  test("is a ring as far as the run is", () => {
    expect(drawn(0)).toContain('stroke-dasharray="0 100"');
    expect(drawn(42)).toContain('stroke-dasharray="42 100"');
    expect(drawn(42)).not.toBe(drawn(43));
  });

  test("shows trouble by its shape too, with a run and without", () => {
    const shapes = (svg: string) => svg.match(/<(circle|path)/g)?.length;
    expect(shapes(drawn(42, true))).toBeGreaterThan(shapes(drawn(42)) ?? 0);
    expect(drawn(null, true)).not.toContain("dasharray");
  });
});

test.each([
  [0, 0, 0],
  [0, 300, 0],
  [2, 300, 0],
  [299, 300, 99],
  [300, 300, 100],
])("%s of %s is %s %", (done, all, percent) => {
  expect(percentDone(done, all)).toBe(percent);
});
