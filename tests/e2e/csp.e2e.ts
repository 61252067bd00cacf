/**
 * The one strict policy holds on every screen, in page and workers, by header and by the page's own tag; and the
 * app runs under a path that it does not know.
 */
import type { Page } from "@playwright/test";
import { ensureBuilt } from "../../scripts/lib/build.mjs";
import { META_POLICY } from "../../scripts/lib/csp.mjs";
import { serve } from "../../scripts/lib/serve.mjs";
import { expect, test as base, watchFaults } from "../support/browser";
import { EMPTY_SCREENS, makeData, openScreen } from "../support/screens";

interface Watched {
  readonly url: string;
  /** Reports of the browser, from page and workers. */
  readonly reports: readonly string[];
}

const test = base.extend<{ readonly watched: Watched }>({
  watched: async ({}, use) => {
    const reports: string[] = [];
    const served = await serve(await ensureBuilt(), {
      prefix: "/some/deep/path/",
      onViolation: (report) => reports.push(report),
    });
    await use({ url: served.url, reports });
    await served.close();
  },
});

test("no screen violates the policy or logs an error, empty or with data", async ({ page, watched }) => {
  // It trains each task, and waits until every picture is drawn.
  test.slow();
  const faults = await watchFaults(page);
  for (const screen of EMPTY_SCREENS) await openScreen(page, watched.url, screen);
  const screens = await makeData(page);
  for (const screen of screens) {
    await openScreen(page, watched.url, screen);
    await expect(page.locator("h1").first()).toBeVisible();
  }
  expect(faults.violations).toEqual([]);
  expect(watched.reports).toEqual([]);
  expect(faults.errors).toEqual([]);
});

test.describe("a violation is reported", () => {
  const inject: Readonly<Record<string, (page: Page) => Promise<unknown>>> = {
    "an inline style": (page) =>
      page.evaluate(() => document.body.insertAdjacentHTML("beforeend", '<p style="color: red">x</p>')),
    "an inline script": (page) =>
      page.evaluate(() => {
        const script = document.createElement("script");
        script.textContent = "globalThis.planted = true";
        document.body.append(script);
      }),
    "a blob worker": (page) =>
      page.evaluate(
        () => new Worker(URL.createObjectURL(new Blob([""], { type: "text/javascript" }))).onerror,
      ),
    "a request to elsewhere": (page) =>
      page.evaluate(() => fetch("https://example.invalid/").catch(() => "blocked")),
  };

  for (const [name, plant] of Object.entries(inject)) {
    test(name, async ({ page, watched }) => {
      const faults = await watchFaults(page);
      await openScreen(page, watched.url, { name: "runs", route: "/" });
      expect(faults.violations).toEqual([]);
      await plant(page);
      await expect.poll(() => faults.violations.length).toBeGreaterThan(0);
      await expect.poll(() => watched.reports.length).toBeGreaterThan(0);
    });
  }

  test("a request to elsewhere from a worker", async ({ page, watched }) => {
    await openScreen(page, watched.url, { name: "runs", route: "/" });
    expect(page.workers().length).toBeGreaterThan(0);
    expect(watched.reports).toEqual([]);
    await page.workers()[0]!.evaluate(() => fetch("https://example.invalid/").catch(() => "blocked"));
    await expect.poll(() => watched.reports.length).toBeGreaterThan(0);
  });
});

test("on a host that sends no headers, the page's own tag blocks as well", async ({ page }) => {
  const served = await serve(await ensureBuilt(), { headers: {} });
  const faults = await watchFaults(page);
  await openScreen(page, served.url, { name: "runs", route: "/" });
  expect(await page.locator('meta[http-equiv="Content-Security-Policy"]').getAttribute("content")).toBe(
    META_POLICY,
  );
  expect(faults.violations).toEqual([]);
  await page.evaluate(() => document.body.insertAdjacentHTML("beforeend", '<p style="color: red">x</p>'));
  await expect.poll(() => faults.violations.length).toBeGreaterThan(0);
  await served.close();
});

test("no other site may frame the app", async ({ request, watched }) => {
  const response = await request.get(watched.url);
  expect(response.headers()["content-security-policy"]).toContain("frame-ancestors 'none'");
});
