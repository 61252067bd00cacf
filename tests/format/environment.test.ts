import { expect, suite, test } from "vitest";
import type { Environment } from "../../src/format/run";
import { browserName, sameEnvironment } from "../../src/format/environment";

const MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)";

suite("browserName", () => {
  test.each([
    ["Chromium 156", `${MAC} AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36`],
    ["Chromium 156", `${MAC} AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/156.0.7 Safari/537.36`],
    [
      "Chromium 141",
      `${MAC} AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36 Edg/141.0.0.0`,
    ],
    ["Gecko 143", "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0"],
    ["WebKit 26", `${MAC} AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15`],
    ["Lynx/2.9", "Lynx/2.9"],
  ])("is %s", (name, userAgent) => {
    expect(browserName({ userAgent })).toBe(name);
  });

  test("takes the brand where there are client hints: the user agent may be frozen", () => {
    const brands = [
      { brand: "Not;A=Brand", version: "99" },
      { brand: "Chromium", version: "156" },
    ];
    expect(browserName({ userAgent: "Chrome/100.0.0.0", userAgentData: { brands } })).toBe("Chromium 156");
  });
});

suite("sameEnvironment", () => {
  const environment: Environment = {
    backend: "webgpu",
    adapter: { vendor: "google", architecture: "swiftshader" },
    browser: "Chromium 156",
    tfjs: "4.22.0",
    flags: { WEBGPU_CPU_FORWARD: "false" },
    math: { text: 1, optimizers: 1 },
  };

  test("does not depend on the order of entries", () => {
    const reordered = { ...environment, adapter: { architecture: "swiftshader", vendor: "google" } };
    expect(sameEnvironment(environment, reordered)).toBe(true);
  });

  test.each<readonly [string, Partial<Environment>]>([
    ["the backend", { backend: "webgl" }],
    ["an entry of the adapter", { adapter: { vendor: "google", architecture: "ampere" } }],
    ["an entry more", { adapter: { ...environment.adapter, device: "" } }],
    ["an entry less", { flags: {} }],
    ["an entry of another name", { flags: { toString: "false" } }],
    ["the browser", { browser: "Chromium 157" }],
    ["tfjs", { tfjs: "4.23.0" }],
    ["a math version", { math: { text: 2, optimizers: 1 } }],
  ])("sees a difference in %s", (_, change) => {
    expect(sameEnvironment(environment, { ...environment, ...change })).toBe(false);
    expect(sameEnvironment({ ...environment, ...change }, environment)).toBe(false);
  });
});
