/** The app as a person uses it: by what stands on buttons, labels and headings. */
import { expect, type Download, type Locator, type Page } from "@playwright/test";
import { lossBits, waitFor } from "./app-page";
import { LiveBrowser } from "./kill";

/** A fresh page compiles shaders before it draws or trains: seconds, and many on a loaded machine. */
export const PATIENTLY = { timeout: 90_000 };

/** Until a run has its first state stored, on a loaded machine. */
const START_MS = 90_000;

/** The screen beside the navigation, which names runs as well. */
export function screen(page: Page): Locator {
  return page.getByRole("main");
}

export function button(page: Page, name: string | RegExp): Locator {
  return screen(page).getByRole("button", { name, exact: typeof name === "string" });
}

/** The word beside the run's name. */
export async function expectStatus(page: Page, word: string): Promise<void> {
  await expect(screen(page).getByRole("heading", { level: 1 }).locator("xpath=../..")).toContainText(word);
}

export interface Wanted {
  readonly task: "Spirals" | "Text";
  readonly steps: number;
  readonly saveEvery: number;
  readonly seed?: number;
  readonly name?: string;
}

/** From any screen to the filled form, which is sent, to the run's screen. Returns the run's id. */
export async function startByForm(page: Page, wanted: Wanted): Promise<string> {
  await page.getByRole("navigation", { name: "Holdfast" }).getByRole("link", { name: "New run" }).click();
  const main = screen(page);
  await main.getByRole("radio", { name: wanted.task }).check();
  await main.getByRole("radio", { name: "Tiny" }).check();
  await main.getByLabel("Steps", { exact: true }).fill(String(wanted.steps));
  await main.getByLabel("Save", { exact: true }).selectOption("steps");
  await main.getByLabel("Save every", { exact: true }).fill(String(wanted.saveEvery));
  await main.getByLabel("Seed", { exact: true }).fill(String(wanted.seed ?? 7));
  // Else what is the best so far is saved too.
  await main.getByText("Evaluation and stopping").click();
  await main.getByLabel("Evaluate every so many steps").fill("0");
  if (wanted.name !== undefined) await main.getByLabel("Name", { exact: true }).fill(wanted.name);
  await button(page, "Start training").click();
  return runOnScreen(page);
}

/** The id of the run that is shown. */
export async function runOnScreen(page: Page): Promise<string> {
  await page.waitForURL(/#\/run\//, { timeout: START_MS });
  return /^#\/run\/([^?]+)/.exec(new URL(page.url()).hash)?.[1] ?? "";
}

export async function showRun(page: Page, run: string): Promise<void> {
  await page.evaluate((id) => {
    location.hash = `#/run/${id}`;
  }, run);
  await expect(screen(page).getByRole("heading", { level: 1 })).toBeVisible();
}

/** Lines of the list of events, newest first. */
export function events(page: Page): Locator {
  return screen(page).getByRole("region", { name: "Events" }).getByRole("listitem");
}

/** Says the checkpoint that it is at, as its value; Home and End look at the first and the last, arrows at the others. */
export function timeline(page: Page): Locator {
  return screen(page).getByRole("slider", { name: "Checkpoints on the timeline" });
}

/** What the browser saves when that is done. */
export async function downloaded(page: Page, act: () => Promise<void>): Promise<Download> {
  // A window of the system's would open, which nothing in a test could answer.
  await page.evaluate(() => Reflect.deleteProperty(globalThis, "showSaveFilePicker"));
  const [download] = await Promise.all([page.waitForEvent("download"), act()]);
  return download;
}

/** Another browser with a profile of its own, for as long as `act` takes. */
export async function inAnotherBrowser(act: (page: Page) => Promise<void>): Promise<void> {
  const other = await LiveBrowser.launch();
  try {
    await act(other.page);
  } finally {
    await other.close();
  }
}

/** Takes the run on the screen as a file to another browser, where `act` finds it on the screen. Returns the file's name. */
export async function carryElsewhere(
  page: Page,
  url: string,
  act: (there: Page, run: string) => Promise<void>,
): Promise<string> {
  const run = await runOnScreen(page);
  // Of the run: a step that is shown has one too.
  await button(page, "Export").first().click();
  const bundle = await downloaded(page, () => button(page, "Run as a file").click());
  await inAnotherBrowser(async (there) => {
    await there.goto(url);
    await button(there, "Import a run").waitFor();
    await there.getByLabel("Bundle").setInputFiles(await bundle.path());
    expect(await runOnScreen(there)).toBe(run);
    await act(there, run);
  });
  return bundle.suggestedFilename();
}

/** The same with a run that rests: there it goes on after the losses that it has here, bit for bit. */
export async function goOnElsewhere(page: Page, url: string): Promise<void> {
  await carryElsewhere(page, url, async (there, run) => {
    const losses = await lossBits(page, run);
    await button(there, "Resume").click();
    await waitFor(there, run, { step: losses.length + 5 });
    await button(there, "Pause").click();
    await expectStatus(there, "paused");
    expect((await lossBits(there, run)).slice(0, losses.length)).toEqual(losses);
  });
}
