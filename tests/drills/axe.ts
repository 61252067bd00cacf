/**
 * Every screen of the app in every state, light and dark, at the width of a desktop and of a phone, looked at by
 * axe-core: nothing may be wrong with it. First two planted faults, which must be found. `--only PART` takes screens whose
 * name has it; `--trained no` leaves out the built app with a run of each task.
 */
import type { Browser, Page } from "@playwright/test";
import type { DrillResult, RunContext } from "../../scripts/lib/context.mjs";
import { faultsOf, PLANTED } from "../support/axe";
import { EMPTY_SCREENS, MADE_UP_SCREENS, makeData, openScreen, type Screen } from "../support/screens";

const WIDTHS = { desktop: 1280, phone: 390 } as const;
const HEIGHT = 900;
const SCHEMES = ["light", "dark"] as const;
/** While SwiftShader compiles on every core, a picture can wait for long. */
const TIMEOUT_MS = 180_000;
/** Until a chart has followed the width. */
const SETTLE_MS = 100;

type Log = (line: string) => void;

export async function run({ options, app, madeUp, browser, log }: RunContext): Promise<DrillResult> {
  const only = options.get("only") ?? "";
  const isAsked = ({ name }: Screen) => name.includes(only);
  const results: boolean[] = [];
  const page = await newPage(await browser());
  results.push(...(await findPlanted(page, await madeUp(), log)));
  for (const screen of MADE_UP_SCREENS.filter(isAsked))
    results.push(...(await looked(page, await madeUp(), screen, log)));
  await page.context().close();
  if (options.get("trained") !== "no") {
    const trained = await newPage(await browser());
    const [first = { name: "runs", route: "/" }] = EMPTY_SCREENS;
    await openScreen(trained, await app(), first);
    log("Training a tiny run of each task");
    for (const screen of (await makeData(trained)).filter(isAsked))
      results.push(...(await looked(trained, await app(), screen, log)));
    await trained.context().close();
  }
  return { done: results.filter(Boolean).length, asked: results.length };
}

async function newPage(browser: Browser): Promise<Page> {
  const context = await browser.newContext({
    viewport: { width: WIDTHS.desktop, height: HEIGHT },
    reducedMotion: "reduce",
  });
  const page = await context.newPage();
  page.setDefaultTimeout(TIMEOUT_MS);
  return page;
}

async function findPlanted(page: Page, app: string, log: Log): Promise<readonly boolean[]> {
  const results: boolean[] = [];
  for (const [rule, plant] of Object.entries(PLANTED)) {
    await openScreen(page, app, { name: "runs", route: "/", scene: "full" });
    await page.locator("main").evaluate(plant);
    const isFound = (await faultsOf(page)).some((fault) => fault.startsWith(`${rule}:`));
    log(`${isFound ? "found" : "NOT FOUND"}: a planted fault of ${rule}`);
    results.push(isFound);
  }
  return results;
}

/** Once for each scheme and width. */
async function looked(page: Page, app: string, screen: Screen, log: Log): Promise<readonly boolean[]> {
  const results: boolean[] = [];
  for (const [place, width] of Object.entries(WIDTHS)) {
    await page.setViewportSize({ width, height: HEIGHT });
    await openScreen(page, app, screen);
    for (const colorScheme of SCHEMES) {
      await page.emulateMedia({ colorScheme });
      await page.waitForTimeout(SETTLE_MS);
      const faults = await faultsOf(page);
      for (const fault of faults) log(`${screen.name}, ${colorScheme}, ${place}: ${fault}`);
      results.push(faults.length === 0);
    }
  }
  log(`${screen.name}: ${results.filter(Boolean).length}/${results.length}`);
  return results;
}
