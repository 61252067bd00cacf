import { defineConfig } from "@playwright/test";
import { findBrowser, LAUNCH_ARGUMENTS } from "./scripts/lib/browser.mjs";

const executablePath = findBrowser();

export default defineConfig({
  testDir: "tests/e2e",
  testMatch: "**/*.e2e.ts",
  outputDir: ".cache/playwright",
  // Restarting browsers and compiling shaders on SwiftShader: seconds each.
  timeout: 180_000,
  expect: { timeout: 20_000 },
  workers: 2,
  fullyParallel: true,
  // Processes are killed at moments that no clock of ours holds. What needs its second attempt is named by `npm test`.
  retries: 1,
  reporter: "line",
  use: {
    headless: true,
    viewport: { width: 1440, height: 900 },
    screenshot: "only-on-failure",
    launchOptions: { args: LAUNCH_ARGUMENTS, ...(executablePath === undefined ? {} : { executablePath }) },
  },
});
