/** Without WebGPU: WebGL, then the CPU. Each says so, and each keeps the promise of exactness. */
import { openApp } from "../support/app-page";
import { expect, test } from "../support/browser";
import { proveCell, reference, type Cell } from "../support/exactness";
import { LiveBrowser } from "../support/kill";
import { MACHINES } from "../support/machines";

/** Wider than `tiny`: on the CPU that one would be done before anything could happen to it. */
const CELL: Cell = {
  task: "spirals",
  optimizer: "adamw",
  death: "page closed",
  nearChange: false,
  config: { width: 64, batchSize: 512 },
};

for (const { backend, shown, launch } of MACHINES.filter(({ backend }) => backend !== "webgpu")) {
  test(`on ${shown}: it says so, and killed and resumed it ends bit for bit as undisturbed`, async ({
    app,
  }) => {
    const live = await LiveBrowser.launch(launch);
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
