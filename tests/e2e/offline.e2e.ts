/** The page without its server, and the change from one build of it to the next. */
import type { Page } from "@playwright/test";
import type { StartOptions } from "../../src/worker/api";
import { detail, lossBits, openApp, readState, start, waitFor } from "../support/app-page";
import { expect, test as base, watchFaults, withoutServiceWorker } from "../support/browser";
import { buildNext, NEXT_VERSION, Site } from "../support/builds";
import { stateDigest } from "../support/state-digest";

const OPTIONS: StartOptions = {
  task: "spirals",
  preset: "tiny",
  seed: 20_251_122,
  steps: 120,
  policy: { save: { kind: "steps", every: 30 }, draw: false },
};
/** Of the other task: its code comes in a file of its own. */
const OTHER: StartOptions = {
  task: "text",
  preset: "tiny",
  seed: 5,
  steps: 6,
  policy: { save: { kind: "steps", every: 2 }, draw: false },
};
const LONG: StartOptions = { ...OPTIONS, steps: 100_000 };

const test = base.extend<{ readonly site: Site }, { readonly next: string }>({
  next: [
    async ({}, use, { workerIndex }) => {
      await use(await buildNext(`next-${workerIndex}`));
    },
    { scope: "worker" },
  ],
  site: async ({}, use) => {
    const site = await Site.open();
    await use(site);
    await site.close();
  },
});

/** Opens the app, and waits until its service worker has every file and answers for this page. */
async function visit(page: Page, site: Site): Promise<void> {
  await openApp(page, site.url);
  await page.waitForFunction(() => navigator.serviceWorker.controller?.state === "activated");
}

function versionOf(page: Page): Promise<string> {
  return page.evaluate(() => holdfast.version);
}

async function isNext(page: Page): Promise<void> {
  await page.waitForFunction((next) => "holdfast" in globalThis && holdfast.version === next, NEXT_VERSION);
}

/** Has the browser look for a newer build, and waits until it is there in whole. */
async function newVersionArrives(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const registration = await navigator.serviceWorker.ready;
    await registration.update();
  });
  await expect(page.getByText("A new version is ready.")).toBeVisible();
}

/** Until the version that waited answers for pages. */
async function taken(page: Page): Promise<void> {
  const isTaken = async () => {
    const { waiting, active } = await navigator.serviceWorker.ready;
    return waiting === null && active?.state === "activated";
  };
  await expect.poll(() => page.evaluate(isTaken), { timeout: 60_000 }).toBe(true);
}

/** How many versions are kept in this browser. */
function versionsKept(page: Page): Promise<number> {
  return page.evaluate(async () => (await caches.keys()).length);
}

test("a run goes on over a reload without a server, and a new one starts, with the same numbers", async ({
  live,
  site,
}) => {
  const { page } = live;
  const faults = await watchFaults(page);
  await visit(page, site);
  await site.close();

  const run = await start(page, OPTIONS);
  await waitFor(page, run, { step: 45 });
  await page.reload();
  await page.waitForFunction(() => "holdfast" in globalThis);
  await waitFor(page, run, { status: "finished" });
  expect((await detail(page, run)).events.some(({ kind }) => kind === "resumed")).toBe(true);

  const plain = await start(page, { ...OPTIONS, policy: { save: { kind: "never" }, draw: false } });
  await waitFor(page, plain, { status: "finished" });
  expect(await lossBits(page, run)).toEqual(await lossBits(page, plain));
  expect(stateDigest(await readState(page, run))).toBe(stateDigest(await readState(page, plain)));

  // What no page has loaded yet: another tab, each screen, the other task.
  const second = await live.context.newPage();
  await openApp(second, `${site.url}#/health`);
  await expect(second.getByRole("heading", { name: "Health" })).toBeVisible();
  await waitFor(second, await start(second, OTHER), { status: "finished" });
  await second.goto(`${site.url}#/compare`);
  await expect(second.getByRole("heading", { name: "Compare" })).toBeVisible();
  expect(faults.violations).toEqual([]);
  expect(faults.errors).toEqual([]);
});

test("without a service worker there is no page without a server", async ({ live, site }) => {
  await withoutServiceWorker(live.page);
  await openApp(live.page, site.url);
  await site.close();
  await expect(live.page.reload()).rejects.toThrow("ERR_CONNECTION_REFUSED");
});

test("files that were damaged on the disk come from the server again, and are whole without it then", async ({
  live,
  site,
}) => {
  const { page } = live;
  await visit(page, site);
  const damaged = await page.evaluate(async () => {
    const cache = await caches.open((await caches.keys())[0]!);
    const scripts = (await cache.keys()).filter(({ url }) => /index-.*\.js$|storage\.worker/.test(url));
    for (const script of scripts) await cache.put(script, new Response("damaged"));
    return scripts.length;
  });
  expect(damaged).toBeGreaterThanOrEqual(2);
  await page.reload();
  await visit(page, site);
  await expect
    .poll(() =>
      page.evaluate(async () => {
        const cache = await caches.open((await caches.keys())[0]!);
        const texts = (await cache.matchAll()).map((response) => response.clone().text());
        return (await Promise.all(texts)).includes("damaged");
      }),
    )
    .toBe(false);
  await site.close();
  await page.reload();
  await page.waitForFunction(() => "holdfast" in globalThis);
});

test("a new version waits while a run trains in any tab, and is taken when none does", async ({
  live,
  site,
  next,
}) => {
  const { page } = live;
  await visit(page, site);
  const before = await versionOf(page);
  const run = await start(page, LONG);
  await waitFor(page, run, { step: 3 });
  await site.put(next);
  await newVersionArrives(page);
  await expect(page.getByText("It waits until no run trains.")).toBeVisible();

  // A second tab does not take it either, though nothing trains there; and a reload stays with the version.
  const second = await live.context.newPage();
  await openApp(second, site.url);
  await expect(second.getByText("It waits until no run trains in another tab.")).toBeVisible();
  expect(await versionOf(second)).toBe(before);
  await page.reload();
  await page.waitForFunction(() => "holdfast" in globalThis);
  const { step } = await detail(page, run);
  await waitFor(page, run, { step: step + 3 });
  expect(await versionOf(page)).toBe(before);
  expect(await page.evaluate(async () => (await navigator.serviceWorker.ready).waiting !== null)).toBe(true);

  await page.evaluate((id) => holdfast.stop(id), run);
  await taken(page);
  // Nobody's page is taken from under their hands: the next one is the new one.
  expect(await versionOf(page)).toBe(before);
  await page.reload();
  await page.waitForFunction(() => "holdfast" in globalThis);
  expect(await versionOf(page)).toBe(NEXT_VERSION);
  expect(await versionsKept(page)).toBe(2);
  // The last page of the old one goes, and with it its files.
  await second.close();
  await page.reload();
  await expect.poll(() => versionsKept(page)).toBe(1);
});

test("a person who does not wait has the new version at once, and the run goes on by itself", async ({
  live,
  site,
  next,
}) => {
  const { page } = live;
  await visit(page, site);
  const run = await start(page, LONG);
  await waitFor(page, run, { step: 3 });
  await site.put(next);
  await newVersionArrives(page);
  await page.getByRole("button", { name: "Load it now" }).click();
  await isNext(page);
  const { step } = await detail(page, run);
  await waitFor(page, run, { step: step + 3 });
  await expect(page.getByText("A new version is ready.")).toBeHidden();
});

test.describe("a page of the old version opens a screen for the first time, when the server has only the new one", () => {
  for (const kept of [true, false]) {
    test(
      kept ? "its files are kept for it" : "and without them it says what to do",
      async ({ live, site, next }) => {
        const { page } = live;
        await visit(page, site);
        await site.put(next);
        await newVersionArrives(page);
        const second = await live.context.newPage();
        await openApp(second, site.url);
        await second.getByRole("button", { name: "Load it now" }).click();
        await isNext(second);
        if (!kept) {
          await page.evaluate(async () => {
            for (const name of await caches.keys()) {
              const cache = await caches.open(name);
              const own = document.querySelector<HTMLScriptElement>("script[src]")!.src;
              if ((await cache.match(own)) !== undefined) await caches.delete(name);
            }
          });
        }
        await page.evaluate(() => (location.hash = "#/health"));
        const heading = page.getByRole("heading", { name: "Health" });
        if (kept) await expect(heading).toBeVisible();
        else await expect(page.getByText("This screen could not be loaded")).toBeVisible();
      },
    );
  }
});
