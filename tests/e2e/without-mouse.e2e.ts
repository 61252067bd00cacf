/** A run from its start to a fork of it, with nothing but keys. */
import { openApp } from "../support/app-page";
import { expect, expectNone, test, watchFaults } from "../support/browser";
import { expectStatus, PATIENTLY, runOnScreen, screen } from "../support/person";
import type { Locator, Page } from "@playwright/test";

async function command(page: Page, typed: string): Promise<void> {
  await page.keyboard.press("Control+k");
  const field = page.getByRole("combobox", { name: "Command, run or step" });
  await expect(field).toBeFocused();
  await page.keyboard.type(typed);
  await page.keyboard.press("Enter");
  await expect(field).toBeHidden();
}

/** By Tab, as far as it takes. */
async function tabTo(page: Page, wanted: Locator): Promise<void> {
  await expect(wanted).toBeVisible();
  for (let stop = 0; stop < 60; stop += 1) {
    await page.keyboard.press("Tab");
    if (await wanted.evaluate((element) => element === document.activeElement)) return;
  }
  throw new Error(`60 presses of Tab do not lead to ${wanted.toString()}.`);
}

test("a run is started, paused, gone back in and forked without a mouse", async ({ live, app }) => {
  const faults = await watchFaults(live.context);
  const { page } = live;
  await openApp(page, app.url);
  await expect(screen(page).getByRole("heading", { level: 1 })).toBeVisible();

  await command(page, "new run spirals");
  await tabTo(page, screen(page).getByRole("radio", { name: /^Small/ }));
  await page.keyboard.press("ArrowLeft");
  await expect(screen(page).getByRole("radio", { name: /^Tiny/ })).toBeChecked();
  // What stands there is selected by Tab, as in every field.
  await tabTo(page, screen(page).getByLabel("Steps", { exact: true }));
  await page.keyboard.type("20000");
  await page.keyboard.press("Enter");
  const run = await runOnScreen(page);

  await expectStatus(page, "training");
  await expect(screen(page).getByRole("img", { name: /^Loss by step: \d/ })).toBeVisible(PATIENTLY);
  await page.keyboard.press("p");
  await expectStatus(page, "paused");

  await command(page, "step 1");
  await command(page, "go back");
  const step = screen(page).getByRole("region", { name: /^Step 1/ });
  await expect(step.getByText(/equal|checked/).first()).toBeVisible(PATIENTLY);

  await page.keyboard.press("f");
  await expect(step.getByRole("textbox").first()).toBeFocused();
  await page.keyboard.type("0.001");
  await page.keyboard.press("Enter");
  await expect.poll(() => new URL(page.url()).hash, PATIENTLY).not.toContain(run);
  await expect(screen(page).getByText("at step 1", { exact: false }).first()).toBeVisible(PATIENTLY);
  expectNone(faults);
});
