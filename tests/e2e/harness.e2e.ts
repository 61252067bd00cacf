/** Each way to die, proven on a page that is nothing but a counter: what was flushed is there, what ran is gone. */
import { fileURLToPath } from "node:url";
import type { Page } from "@playwright/test";
import { serve, type Served } from "../../scripts/lib/serve.mjs";
import { expect, test as base } from "../support/browser";
import { loseDevices, terminateWorkers } from "../support/kill";

interface Counter {
  readonly state: { readonly count: number; readonly lost: string | null; readonly gpu: boolean };
  start(): Promise<number>;
}

declare global {
  var harness: Counter;
}

const folder = fileURLToPath(new URL("../support/harness-page", import.meta.url));

const test = base.extend<object, { readonly counter: Served }>({
  counter: [
    async ({}, use) => {
      const served = await serve(folder);
      await use(served);
      await served.close();
    },
    { scope: "worker" },
  ],
});

const count = (page: Page) => page.evaluate(() => harness.state.count);

/** Opens the page, starts its worker, and returns what was on disk. */
async function open(page: Page, url: string): Promise<number> {
  await page.goto(url);
  return page.evaluate(() => harness.start());
}

async function running(page: Page, from: number): Promise<number> {
  await page.waitForFunction((least) => harness.state.count > least + 5, from);
  return count(page);
}

const DEATHS = ["browser SIGKILL", "renderer SIGKILL", "page closed", "reload", "worker terminated"] as const;

for (const death of DEATHS) {
  test(`${death}: what was flushed is found again`, async ({ live, counter }) => {
    expect(await open(live.page, counter.url)).toBe(0);
    const before = await running(live.page, 0);
    const { pid } = live;
    switch (death) {
      case "browser SIGKILL":
        await live.killBrowser();
        expect(() => process.kill(pid, 0)).toThrow();
        await live.relaunch();
        break;
      case "renderer SIGKILL":
        expect(await live.killRenderers()).toBeGreaterThan(0);
        break;
      case "page closed":
        await live.closePage();
        break;
      case "reload":
        await live.page.reload();
        break;
      case "worker terminated":
        expect(await terminateWorkers(live.page, "worker.js")).toBe(1);
        expect(await terminateWorkers(live.page, "worker.js")).toBe(0);
        break;
      default:
        death satisfies never;
    }
    const found = await open(live.page, counter.url);
    expect(found).toBeGreaterThanOrEqual(before);
    expect(await running(live.page, found)).toBeGreaterThan(found);
  });
}

test("a terminated worker stops, and one whose address does not match goes on", async ({ live, counter }) => {
  await open(live.page, counter.url);
  const before = await running(live.page, 0);
  expect(await terminateWorkers(live.page, "another.js")).toBe(0);
  await running(live.page, before);
  await terminateWorkers(live.page, "worker.js");
  const last = await count(live.page);
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(await count(live.page)).toBe(last);
});

test("a device is lost in the middle of its work, and its worker lives on", async ({ live, counter }) => {
  await open(live.page, counter.url);
  await live.page.waitForFunction(() => harness.state.gpu);
  expect(await live.page.evaluate(() => harness.state.lost)).toBeNull();
  expect(await loseDevices(live.page, "worker.js")).toBe(1);
  await live.page.waitForFunction(() => harness.state.lost !== null);
  expect(await live.page.evaluate(() => harness.state.lost)).toBe("destroyed");
  await running(live.page, await count(live.page));
});

test("the GPU process can be killed: the device is lost, the page lives on", async ({ live, counter }) => {
  await open(live.page, counter.url);
  await live.page.waitForFunction(() => harness.state.gpu);
  expect(await live.killGpu()).toBe(1);
  await live.page.waitForFunction(() => harness.state.lost !== null);
  await running(live.page, await count(live.page));
});
