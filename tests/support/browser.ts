/** Fixtures of the end-to-end tests: the built app behind a server of its own, and a browser that can be killed. */
import { expect, test as base, type BrowserContext, type Page } from "@playwright/test";
import { ensureBuilt } from "../../scripts/lib/build.mjs";
import { serve, type Served } from "../../scripts/lib/serve.mjs";
import { openApp } from "./app-page";
import { LiveBrowser } from "./kill";

declare global {
  /** Put there by `watchFaults`. */
  var __reportViolation: ((text: string) => void) | undefined;
}

interface WorkerFixtures {
  /** The built app on a free port, one server per test worker, so that tests side by side share no storage. */
  readonly app: Served;
}

interface TestFixtures {
  /** A browser of the test's own, on a fresh profile; ended afterwards. */
  readonly live: LiveBrowser;
}

export const test = base.extend<TestFixtures, WorkerFixtures>({
  app: [
    // Playwright reads the fixtures that are needed from this pattern.
    async ({}, use) => {
      const served = await serve(await ensureBuilt());
      await use(served);
      await served.close();
    },
    { scope: "worker" },
  ],
  live: async ({}, use) => {
    const live = await LiveBrowser.launch();
    await use(live);
    await live.close();
  },
});

export { expect };

/** What a page must not have by the end of a test. Grows while the page lives. */
export interface PageFaults {
  readonly violations: readonly string[];
  readonly errors: readonly string[];
}

/** Records policy violations and console errors of all pages that open from now on. Before the first `goto`. */
export async function watchFaults(context: BrowserContext | Page): Promise<PageFaults> {
  const violations: string[] = [];
  const errors: string[] = [];
  await context.exposeBinding("__reportViolation", (_source, text: string) => violations.push(text));
  await context.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) => {
      globalThis.__reportViolation?.(
        `${event.violatedDirective} blocked ${event.blockedURI} at ${event.sourceFile}:${event.lineNumber}`,
      );
    });
  });
  const watch = (page: Page) => {
    page.on("console", (message) => {
      if (message.type() === "error") errors.push(message.text());
    });
    page.on("pageerror", (error) => errors.push(String(error)));
  };
  if ("pages" in context) {
    context.pages().forEach(watch);
    context.on("page", watch);
  } else watch(context);
  return { violations, errors };
}

/** From the next load on, as in a browser that has none: a page's files come from the server, where tests change them. */
export async function withoutServiceWorker(page: Page): Promise<void> {
  await page.addInitScript(() => Reflect.deleteProperty(Navigator.prototype, "serviceWorker"));
}

/** A page of the app, open and answering, that watches what goes wrong in it. */
export async function watchedPage(
  live: LiveBrowser,
  url: string,
): Promise<{ readonly page: Page; readonly faults: PageFaults }> {
  const faults = await watchFaults(live.context);
  const page = await live.closePage();
  await openApp(page, url);
  return { page, faults };
}

export function expectNone(faults: PageFaults): void {
  expect(faults.errors).toEqual([]);
  expect(faults.violations).toEqual([]);
}
