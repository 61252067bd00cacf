import { afterEach, expect, suite, test } from "vitest";
import * as format from "../../src/ui/format";
import { settings } from "../../src/ui/settings-state.svelte";

suite("numbers", () => {
  test.each([
    [0, "0"],
    [1, "1"],
    [1240, "1,240"],
    [1234567, "1,234,567"],
  ])("count %s is %s", (value, text) => expect(format.count(value)).toBe(text));

  test.each([
    [0, "<1 s"],
    [999, "<1 s"],
    [12_400, "12 s"],
    [61_000, "1 min"],
  ])("%s ms remain: %s", (ms, text) => expect(format.remaining(ms)).toBe(text));

  test("a count says its noun in the right number", () => {
    expect(format.counted(1, "step")).toBe("1 step");
    expect(format.counted(0, "step")).toBe("0 steps");
    expect(format.counted(1240, "step")).toBe("1,240 steps");
  });

  test.each([
    [null, "–"],
    [0, "0"],
    [1.48249, "1.482"],
    [1.5, "1.500"],
    [0.0413, "0.04130"],
    [0.000921, "9.21e-4"],
    [2345.6, "2,346"],
    [1e6, "1e6"],
    [-1.5, "-1.500"],
    [Number.NaN, "NaN"],
    [Number.POSITIVE_INFINITY, "∞"],
    [Number.NEGATIVE_INFINITY, "−∞"],
  ])("loss %s is %s", (value, text) => expect(format.loss(value)).toBe(text));

  test.each([
    [0, "0"],
    [0.00092, "0.00092"],
    [0.001, "0.001"],
    [0.01, "0.01"],
    [0.05, "0.05"],
    [1, "1"],
    [10, "10"],
    [100, "100"],
    [8e-4, "0.0008"],
    [3e-5, "3e-5"],
    // What a float32 rate reads back as.
    [Math.fround(0.005), "0.005"],
  ])("rate %s is %s", (value, text) => expect(format.rate(value)).toBe(text));

  test("a rate that is shown can be typed back", () => {
    for (const value of [9.2e-4, 1e-3, 0.05, 3e-5, 1]) expect(Number(format.rate(value))).toBe(value);
  });

  test.each([
    [null, "–"],
    [true, "on"],
    [false, "off"],
    ["adamw", "adamw"],
    [2000, "2,000"],
    [0.05, "0.05"],
    [10_000_000, "10,000,000"],
  ])("setting %s is %s", (value, text) => expect(format.setting(value)).toBe(text));

  test.each([
    [0, "0 B"],
    [812, "812 B"],
    [41_000, "41 kB"],
    [999_499, "999 kB"],
    [999_900, "1 MB"],
    [3_900_000, "3.9 MB"],
    [9_960_000, "10 MB"],
    [312_000_000, "312 MB"],
    [10_000_000_000, "10 GB"],
  ])("%s bytes are %s", (value, text) => expect(format.bytes(value)).toBe(text));

  test.each([
    [null, "–"],
    [0.409, "0.41"],
    [38.24, "38.2"],
    [1240.4, "1,240"],
  ])("speed %s is %s", (value, text) => expect(format.speed(value)).toBe(text));

  test("differences and changes carry their sign", () => {
    expect(format.difference(-0.215)).toBe("−0.2150");
    expect(format.difference(0.089)).toBe("+0.08900");
    expect(format.difference(0)).toBe("0");
    expect(format.relativeChange(9.2e-4, 8e-4)).toBe("−13 %");
    expect(format.relativeChange(1, 1.05)).toBe("+5.0 %");
    expect(format.relativeChange(1e-3, 0.03)).toBe("×30");
    expect(format.relativeChange(0.03, 1e-3)).toBe("−97 %");
    expect(format.relativeChange(-1, 1)).toBe("+200 %");
    expect(format.relativeChange(0, 1)).toBe("–");
    expect(format.share(74, 100)).toBe("74 %");
    expect(format.share(142, 100)).toBe("142 %");
    expect(format.share(1, 0)).toBe("–");
  });
});

suite("times", () => {
  test.each([
    [0.31, "0.3 ms"],
    [12.4, "12 ms"],
    [999.6, "1 s"],
    [4100, "4.1 s"],
    [42_000, "42 s"],
    [59_700, "1 min"],
    [130_000, "2 min 10 s"],
    [3_599_900, "60 min"],
    [11_100_000, "3 h 5 min"],
    [90_000_000, "1 d 1 h"],
  ])("%s ms last %s", (ms, text) => expect(format.duration(ms)).toBe(text));

  test.each([
    [-5000, "just now"],
    [999, "just now"],
    [12_345, "12 s ago"],
    [179_000, "2 min ago"],
    [7_200_000, "2 h ago"],
    [86_400_000, "1 day ago"],
    [432_000_000, "5 days ago"],
  ])("%s ms past are %s", (ms, text) => expect(format.ago(ms)).toBe(text));
});

suite("as the person set it", () => {
  afterEach(() => {
    settings.reset();
  });

  test.each([
    [812, "812 B"],
    [1023, "1023 B"],
    [1024, "1 KiB"],
    [3_900_000, "3.7 MiB"],
    [2 ** 20 - 1, "1 MiB"],
    [10 * 2 ** 30, "10 GiB"],
  ])("%s bytes are %s in powers of 1024", (value, text) => {
    settings.change({ bytes: "binary" });
    expect(format.bytes(value)).toBe(text);
  });

  test("times are how long ago, or by the clock; of another day with the date", () => {
    const noon = new Date(2026, 4, 20, 12, 0, 5).getTime();
    const [hour, day] = [noon - 3_600_000, noon - 86_400_000];
    expect(format.when(hour, noon)).toBe("1 h ago");
    settings.change({ times: "clock" });
    expect(format.when(hour, noon)).toBe(new Date(hour).toLocaleTimeString());
    expect(format.when(day, noon)).toContain("26");
    expect(format.when(hour, noon)).not.toContain("26");
  });
});
