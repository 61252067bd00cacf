/**
 * Pictures of every screen in every state: light and dark, on a phone, a laptop and a wide display, with a page that
 * shows them side by side. `--out FOLDER`, `--only PART` of a name, `--trained no` for made-up runs alone.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Browser, Page } from "@playwright/test";
import type { RunContext } from "../../scripts/lib/context.mjs";
import { EMPTY_SCREENS, MADE_UP_SCREENS, makeData, openScreen, type Screen } from "./screens";

const DEFAULT_FOLDER = ".cache/screens";
const SIZES = [
  { name: "phone", width: 390, height: 844 },
  { name: "laptop", width: 1280, height: 800 },
  { name: "wide", width: 2560, height: 1440 },
] as const;
const SCHEMES = ["light", "dark"] as const;
/** Colours and the chart's size follow in the next frames. */
const SETTLE_MS = 150;
/** While SwiftShader compiles on every core, a picture can wait for long. */
const TIMEOUT_MS = 180_000;

/** Path of the page that shows them. */
export async function run({ options, app, madeUp, browser, log }: RunContext): Promise<string> {
  const folder = options.get("out") ?? DEFAULT_FOLDER;
  const only = options.get("only") ?? "";
  const isAsked = ({ name }: Screen) => name.includes(only);
  const taken: Screen[] = [];
  const take = async (page: Page, url: string, screens: readonly Screen[]) => {
    for (const screen of screens.filter(isAsked)) {
      await takeOne(page, url, screen, folder);
      taken.push(screen);
      log(screen.name);
    }
  };
  await mkdir(folder, { recursive: true });
  await inProfile(await browser(), async (page) => take(page, await madeUp(), MADE_UP_SCREENS));
  if (options.get("trained") !== "no") {
    await inProfile(await browser(), async (page) => {
      const [first = { name: "runs", route: "/" }] = EMPTY_SCREENS;
      await openScreen(page, await app(), first);
      log("Training a tiny run of each task");
      await take(page, await app(), await makeData(page));
    });
  }
  const index = join(folder, "index.html");
  await writeFile(index, sheet(taken));
  return index;
}

/** A context is a profile of its own: empty at first. */
async function inProfile(browser: Browser, body: (page: Page) => Promise<void>): Promise<void> {
  const context = await browser.newContext({ reducedMotion: "reduce" });
  try {
    const page = await context.newPage();
    page.setDefaultTimeout(TIMEOUT_MS);
    await body(page);
  } finally {
    await context.close();
  }
}

/** Opened anew at each size: what hangs from a button is placed when it is opened. */
async function takeOne(page: Page, url: string, screen: Screen, folder: string): Promise<void> {
  for (const size of SIZES) {
    await page.setViewportSize(size);
    await openScreen(page, url, screen);
    // What was opened came into view, and the side bar stays where one looks.
    await page.evaluate(() => {
      scrollTo(0, 0);
    });
    for (const colorScheme of SCHEMES) {
      await page.emulateMedia({ colorScheme });
      await page.waitForTimeout(SETTLE_MS);
      await page.screenshot({ path: join(folder, fileOf(screen, size.name, colorScheme)), fullPage: true });
    }
  }
}

function fileOf({ name }: Screen, size: string, scheme: string): string {
  return `${name}-${size}-${scheme}.png`;
}

/** A row to a screen, in the order of the list; a picture opens in full. */
function sheet(screens: readonly Screen[]): string {
  const looks = SIZES.flatMap(({ name: size }) => SCHEMES.map((scheme) => ({ size, scheme })));
  const rows = screens.map((screen) => {
    const cells = looks.map(({ size, scheme }) => {
      const file = fileOf(screen, size, scheme);
      return `<td><a href="${file}"><img src="${file}" alt="${screen.name}, ${size}, ${scheme}" loading="lazy"></a></td>`;
    });
    return `<tr id="${screen.name}"><th>${screen.name}</th>${cells.join("")}</tr>`;
  });
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Screens of Holdfast</title>
<style>
  body { margin: 16px; background: #888; color: #000; font: 13px system-ui; }
  table { border-spacing: 10px; }
  th { position: sticky; left: 0; text-align: left; vertical-align: top; background: #888; }
  td { vertical-align: top; }
  img { display: block; width: 300px; max-height: 420px; object-fit: cover; object-position: top; }
</style>
<table>
<tr><th></th>${looks.map(({ size, scheme }) => `<th>${size}, ${scheme}</th>`).join("")}</tr>
${rows.join("\n")}
</table>
</html>
`;
}
