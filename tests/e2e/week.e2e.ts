/** A week as people have it: nothing nags. What would be a question is counted: a dialog, or a banner that wants a choice. */
import type { Page } from "@playwright/test";
import { detail, lossBits, openApp, start, waitFor } from "../support/app-page";
import { expect, test, withoutServiceWorker } from "../support/browser";
import { rewriteRow } from "../support/database";
import { button, expectStatus, PATIENTLY, runOnScreen, screen, showRun } from "../support/person";

const OPTIONS = { task: "spirals", preset: "tiny", seed: 9, steps: 3000 } as const;

/** Whatever wants an answer on the page now. */
async function questionsOn(page: Page): Promise<readonly string[]> {
  const banners = screen(page).getByRole("status").or(screen(page).getByRole("alert"));
  const asking = banners.filter({ has: page.getByRole("button") });
  const dialogs = page.getByRole("dialog").or(page.getByRole("alertdialog"));
  return [...(await asking.allTextContents()), ...(await dialogs.allTextContents())];
}

/** Another browser version to the worker that computes, as after an update. */
const UPDATED = `Object.defineProperty(NavigatorUAData.prototype, "brands", { get: () => [{ brand: "Chromium", version: "9999" }] });`;
/** A site that is almost full, to the worker that stores. */
const FULL = `StorageManager.prototype.estimate = async () => ({ usage: 95e6, quota: 100e6 });`;

/** From the next load on, a worker begins with these lines. */
async function patched(page: Page, worker: string, prelude: string): Promise<void> {
  await page.context().route(new RegExp(`/assets/${worker}[^/]*\\.js`), async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: `${prelude}\n${await response.text()}` });
  });
}

test("a week of reloads, a browser update and a nearly full disk asks nothing", async ({ live, app }) => {
  const asked: string[] = [];
  const { page } = live;
  page.on("dialog", (dialog) => {
    asked.push(dialog.message());
    void dialog.accept();
  });
  await withoutServiceWorker(page);
  await openApp(page, app.url);
  const run = await start(page, { ...OPTIONS, policy: { save: { kind: "steps", every: 20 }, draw: false } });
  await showRun(page, run);
  const days: readonly (() => Promise<void>)[] = [
    () => Promise.resolve(),
    () => patched(page, "train.worker", UPDATED),
    () => Promise.resolve(),
    () => patched(page, "storage.worker", FULL),
    () => Promise.resolve(),
  ];
  for (const [day, happens] of days.entries()) {
    const { step } = await detail(page, run);
    await waitFor(page, run, { step: step + 15 });
    await happens();
    await page.reload();
    await page.waitForFunction(() => "holdfast" in globalThis);
    await expect
      .poll(async () => (await detail(page, run)).events.filter(({ kind }) => kind === "resumed").length, {
        timeout: 60_000,
      })
      .toBe(day + 1);
    await expectStatus(page, "training");
    asked.push(...(await questionsOn(page)));
  }
  expect(asked).toEqual([]);
  const { events, step } = await detail(page, run);
  // It was seen that the browser is another one, and that it computes the same.
  const resumed = events.flatMap((event) => (event.kind === "resumed" ? [event] : []));
  expect(resumed[1]?.replayed).toBeGreaterThanOrEqual(4);
  await page.evaluate((id) => holdfast.stop(id), run);
  const bits = await lossBits(page, run);

  // An undisturbed one computes the same.
  const plain = await start(page, { ...OPTIONS, policy: { save: { kind: "never" }, draw: false } });
  await waitFor(page, plain, { step });
  await page.evaluate((id) => holdfast.stop(id), plain);
  expect((await lossBits(page, plain)).slice(0, step)).toEqual(bits.slice(0, step));
});

test("somebody who closed the tab and comes back is asked once; so a question is counted as one", async ({
  live,
  app,
}) => {
  let { page } = live;
  await openApp(page, app.url);
  const run = await start(page, { ...OPTIONS, policy: { save: { kind: "steps", every: 20 }, draw: false } });
  await waitFor(page, run, { step: 25 });
  page = await live.closePage();
  await openApp(page, app.url);
  await expect.poll(async () => (await questionsOn(page)).length).toBe(1);
});

test("where a machine computes other numbers, that is said once, and the run goes on as a fork", async ({
  live,
  app,
}) => {
  await openApp(live.page, app.url);
  const policy = { save: { kind: "never" }, draw: false } as const;
  const run = await start(live.page, { ...OPTIONS, name: "Elsewhere", policy });
  await waitFor(live.page, run, { step: 12 });
  const page = await live.closePage();
  await openApp(page, app.url);
  // As if another GPU had made it: one bit of one loss.
  await rewriteRow(page, "journal", [run, 1], (block: { loss: Float32Array }) => {
    new Uint32Array(block.loss.buffer, block.loss.byteOffset, 1)[0]! ^= 1;
    return block;
  });
  await showRun(page, run);
  const main = screen(page);
  await button(page, "Resume").click();
  await expect(main.getByText(/Step 1 gave loss .* stands in the journal/)).toBeVisible(PATIENTLY);
  expect(await questionsOn(page)).toHaveLength(1);
  await button(page, "Go on as a fork from step 0").click();
  await expect(main.getByText("forked from")).toBeVisible(PATIENTLY);
  await expectStatus(page, "training");
  expect((await detail(page, await runOnScreen(page))).parent).toEqual({ run, step: 0 });
});
