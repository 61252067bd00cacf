/** Without WebGPU: WebGL, then the CPU. Each says so, and each keeps the promise of exactness. */
import { LAUNCH_ARGUMENTS } from "../../scripts/lib/browser.mjs";
import type { BackendInfo } from "../../src/worker/protocol";
import { openApp } from "../support/app-page";
import { expect, test } from "../support/browser";
import { proveCell, reference, type Cell } from "../support/exactness";
import { LiveBrowser } from "../support/kill";

/** Wider than `tiny`: on the CPU that one would be done before anything could happen to it. */
const CELL: Cell = {
  task: "spirals",
  optimizer: "adamw",
  death: "page closed",
  nearChange: false,
  config: { width: 64, batchSize: 512 },
};

interface Machine {
  readonly backend: BackendInfo["name"];
  readonly shown: string;
  readonly args: readonly string[];
}

const MACHINES: readonly Machine[] = [
  { backend: "webgl", shown: "WebGL", args: [] },
  { backend: "cpu", shown: "CPU", args: ["--disable-gpu", "--disable-software-rasterizer"] },
];

for (const { backend, shown, args } of MACHINES) {
  test(`on ${shown}: it says so, and killed and resumed it ends bit for bit as undisturbed`, async ({
    app,
  }) => {
    const without = LAUNCH_ARGUMENTS.filter((argument) => argument.includes("webgpu"));
    const live = await LiveBrowser.launch({ args, without });
    try {
      await openApp(live.page, app.url);
      const told = await live.page.evaluate(() => holdfast.backend());
      expect(told.name).toBe(backend);
      expect(told.notice).toContain("no adapter");
      const main = live.page.getByRole("main");
      await expect.soft(main.getByRole("status").filter({ hasText: told.notice })).toBeVisible();
      await expect(live.page.getByRole("navigation", { name: "Holdfast" })).toContainText(shown);

      const expected = await reference(live.page, CELL);
      const how = await proveCell(live, app.url, CELL, expected);
      test.info().annotations.push({ type: "resumed", description: how });
    } finally {
      await live.close();
    }
  });
}
