import { playwright } from "@vitest/browser-playwright";
import { defineConfig } from "vitest/config";
import { findBrowser, LAUNCH_ARGUMENTS } from "./scripts/lib/browser.mjs";

const executablePath = findBrowser();

export default defineConfig({
  test: {
    // Tools in the tree need no browser of their own: what is not found is reported by the run that needs it.
    projects: [
      {
        extends: "./vite.config.ts",
        test: {
          name: "node",
          environment: "node",
          include: ["tests/**/*.test.ts"],
          exclude: ["tests/**/*.browser.test.ts"],
          testTimeout: 20_000,
        },
      },
      {
        extends: "./vite.config.ts",
        // Found while a test runs, a dependency would be bundled then, and the page reloaded under the test.
        optimizeDeps: {
          include: [
            "@tensorflow/tfjs",
            "@tensorflow/tfjs-core",
            "@tensorflow/tfjs-core/dist/register_all_gradients",
            "@tensorflow/tfjs-backend-cpu",
            "@tensorflow/tfjs-backend-webgl",
            "@tensorflow/tfjs-backend-webgpu",
            "comlink",
            "fast-check",
            "idb",
            "uplot",
          ],
        },
        test: {
          name: "browser",
          include: ["tests/**/*.browser.test.ts"],
          // Compiling the shaders of one model takes up to 10 s on SwiftShader.
          testTimeout: 90_000,
          hookTimeout: 90_000,
          // Two pages would fight for two cores, which SwiftShader's own threads use already.
          fileParallelism: false,
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: playwright({
              launchOptions: {
                args: LAUNCH_ARGUMENTS,
                ...(executablePath === undefined ? {} : { executablePath }),
              },
            }),
            instances: [{ browser: "chromium" }],
          },
        },
      },
    ],
  },
});
