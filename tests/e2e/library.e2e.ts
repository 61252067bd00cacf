/** The examples, from the packed package, in a real browser: what is interrupted ends as what is not. */
import type { Page } from "@playwright/test";
import { serve, type Served } from "../../scripts/lib/serve.mjs";
import { expect, test as base, watchFaults } from "../support/browser";
import { headersFor, makeSite, SITE } from "../support/packed-site";

const test = base.extend<object, { readonly site: null }>({
  site: [
    async ({}, use) => {
      await makeSite();
      await use(null);
    },
    { scope: "worker" },
  ],
});

async function served(example: string, use: (url: string) => Promise<void>): Promise<void> {
  const site: Served = await serve(SITE, { headers: headersFor(example) });
  try {
    await use(`${site.url}${example}/`);
  } finally {
    await site.close();
  }
}

/** The digest in the end, or the error. */
async function ended(page: Page): Promise<string> {
  await expect(page.locator("#digest")).not.toBeEmpty({ timeout: 60_000 });
  return page.locator("#digest").innerText();
}

async function reached(page: Page, step: number): Promise<void> {
  await expect
    .poll(async () => Number(await page.locator("#step").innerText()), { intervals: [20] })
    .toBeGreaterThanOrEqual(step);
}

test("plain arrays, as a plain page with an import map", async ({ browser, live, site: _ }) => {
  await served("arrays", async (url) => {
    const other = await browser.newContext();
    const calm = await other.newPage();
    await calm.goto(url);
    const expected = await ended(calm);
    await other.close();
    expect(expected).toMatch(/^[0-9a-f]{64}$/);

    const faults = await watchFaults(live.context);
    const { page } = live;
    await page.goto(url);
    await reached(page, 5000);
    await page.reload();
    await expect(page.locator("#from")).toContainText("checkpoint");
    await reached(page, 12_000);
    await live.killBrowser();
    const again = await live.relaunch();
    await again.goto(url);
    await expect(again.locator("#from")).toContainText("checkpoint");
    expect(await ended(again)).toBe(expected);
    expect(faults.violations).toEqual([]);
    expect(faults.errors).toEqual([]);
  });
});
