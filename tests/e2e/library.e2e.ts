/**
 * The examples, from the packed package, in a real browser: what is reloaded and killed in the middle ends in the digest
 * of what is not. Two are plain pages with an import map, two are built by Vite; all under the strict policy.
 */
import type { Page } from "@playwright/test";
import { serve, type Served } from "../../scripts/lib/serve.mjs";
import { expect, test as base, watchFaults } from "../support/browser";
import { buildSite, headersFor, makeSite, SITE } from "../support/packed-site";

interface Example {
  readonly folder: string;
  readonly isBuilt: boolean;
  /** Steps at which the page is reloaded, and the browser killed; shaders are compiled anew each time, in seconds. */
  readonly reload: number | null;
  readonly kill: number;
}

const EXAMPLES: readonly Example[] = [
  { folder: "arrays", isBuilt: false, reload: 5000, kill: 12_000 },
  { folder: "jax", isBuilt: false, reload: 200, kill: 500 },
  { folder: "fit", isBuilt: true, reload: 100, kill: 250 },
  { folder: "loop", isBuilt: true, reload: null, kill: 50 },
];

const test = base.extend<object, { readonly built: string }>({
  built: [
    async ({}, use) => {
      await makeSite();
      await use(await buildSite(EXAMPLES.filter(({ isBuilt }) => isBuilt).map(({ folder }) => folder)));
    },
    { scope: "worker" },
  ],
});

test.describe.configure({ mode: "serial" });

/** The digest in the end, or the error. */
async function ended(page: Page): Promise<string> {
  await expect(page.locator("#digest")).not.toBeEmpty({ timeout: 60_000 });
  return page.locator("#digest").innerText();
}

async function reached(page: Page, step: number): Promise<void> {
  await expect
    .poll(async () => Number(await page.locator("#step").innerText()), { intervals: [20], timeout: 60_000 })
    .toBeGreaterThanOrEqual(step);
}

for (const { folder, isBuilt, reload, kill } of EXAMPLES) {
  test(`${folder}, ${isBuilt ? "built by Vite" : "a plain page"}`, async ({ browser, live, built }) => {
    const served: Served = await serve(isBuilt ? built : SITE, { headers: headersFor(folder) });
    const url = `${served.url}${folder}/`;
    const calm = await browser.newContext();
    const undisturbed = await calm.newPage();
    await undisturbed.goto(url);
    const expected = await ended(undisturbed);
    await calm.close();
    expect(expected).toMatch(/^[0-9a-f]{64}$/);

    const faults = await watchFaults(live.context);
    await live.page.goto(url);
    if (reload !== null) {
      await reached(live.page, reload);
      await live.page.reload();
      await expect(live.page.locator("#from")).toContainText("checkpoint");
    }
    await reached(live.page, kill);
    await live.killBrowser();
    const page = await live.relaunch();
    await page.goto(url);
    await expect(page.locator("#from")).toContainText("checkpoint");
    expect(await ended(page)).toBe(expected);
    expect(faults.violations).toEqual([]);
    expect(faults.errors).toEqual([]);
    await served.close();
  });
}
