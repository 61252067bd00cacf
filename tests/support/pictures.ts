/** Pictures of every screen: light and dark, empty and with data, wide and narrow. `--out FOLDER`. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Browser, BrowserContext, Page } from "@playwright/test";
import type { RunContext } from "../../scripts/lib/context.mjs";
import { EMPTY_SCREENS, makeData, openScreen, settled, type Screen } from "./screens";

const DEFAULT_FOLDER = ".cache/screenshots";
const WIDTHS = [1440, 420] as const;
const HEIGHT = 900;
const SETTLE_MS = 250;
/** While SwiftShader compiles on every core, a picture can wait for long. */
const TIMEOUT_MS = 180_000;
const SCHEMES = ["light", "dark"] as const;

async function takeAll(
  page: Page,
  app: string,
  screens: readonly Screen[],
  folder: string,
): Promise<string[]> {
  const files: string[] = [];
  for (const screen of screens) {
    await openScreen(page, app, screen);
    await settled(page);
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: HEIGHT });
      for (const colorScheme of SCHEMES) {
        await page.emulateMedia({ colorScheme });
        const file = join(folder, `${screen.name}-${colorScheme}-${width}.png`);
        // Colors and the chart's size follow in the next frames.
        await page.waitForTimeout(SETTLE_MS);
        await page.screenshot({ path: file, fullPage: true });
        files.push(file);
      }
    }
    await page.setViewportSize({ width: WIDTHS[0], height: HEIGHT });
  }
  return files;
}

/** A context is a profile of its own: empty at first. */
async function inProfile<T>(browser: Browser, body: (context: BrowserContext) => Promise<T>): Promise<T> {
  const context = await browser.newContext({ viewport: { width: WIDTHS[0], height: HEIGHT } });
  try {
    return await body(context);
  } finally {
    await context.close();
  }
}

export async function run({ options, app, browser, log }: RunContext): Promise<readonly string[]> {
  const folder = options.get("out") ?? DEFAULT_FOLDER;
  await mkdir(folder, { recursive: true });
  const url = await app();
  const files = await inProfile(await browser(), async (context) => {
    const page = await context.newPage();
    page.setDefaultTimeout(TIMEOUT_MS);
    const empty = await takeAll(page, url, EMPTY_SCREENS, folder);
    log("Training a tiny run of each task");
    return [...empty, ...(await takeAll(page, url, await makeData(page), folder))];
  });
  return files;
}
