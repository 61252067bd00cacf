/** Every screen by keyboard alone, over made-up runs: what can be operated is reached, in order, and one sees where one is. */
import type { Page } from "@playwright/test";
import { ensureMadeUpPage } from "../../scripts/lib/build.mjs";
import { serve } from "../../scripts/lib/serve.mjs";
import { expect, test as base } from "../support/browser";
import { MADE_UP_SCREENS, openScreen } from "../support/screens";
import { timeline } from "../support/person";

const test = base.extend<{ readonly madeUp: string }>({
  madeUp: async ({}, use) => {
    const served = await serve(await ensureMadeUpPage());
    await use(`${served.url}tests/support/ui.html`);
    await served.close();
  },
});

const WALKED = ["runs-full", "new-unfolded-full", "run-checkpoint-full", "compare-full", "health-full"];
const MANY = 400;

/** What Tab should stop at, in order: of the buttons of a radio group, the one that is chosen. */
function stops(): readonly string[] {
  const all = document.querySelectorAll<HTMLElement>(
    "a[href], button, input, select, textarea, summary, [tabindex]",
  );
  return [...all]
    .filter((one) => one.tabIndex >= 0 && !one.matches(":disabled") && one.checkVisibility())
    .filter((one) => !(one instanceof HTMLInputElement && one.type === "radio" && !one.checked))
    .map((one) => one.outerHTML.slice(0, 160));
}

/** Where one is, and whether that shows: by a ring of its own or of the label around it. */
function here(): { readonly at: string; readonly shows: boolean } {
  const one = document.activeElement ?? document.body;
  const rings = [one, one.closest("label")].filter((ring) => ring !== null);
  const shows = rings.some((ring) => {
    const { outlineStyle, outlineWidth } = getComputedStyle(ring);
    return outlineStyle !== "none" && Number.parseFloat(outlineWidth) >= 2;
  });
  return { at: one.outerHTML.slice(0, 160), shows };
}

async function walk(
  page: Page,
): Promise<{ readonly reached: readonly string[]; readonly unseen: readonly string[] }> {
  const reached: string[] = [];
  const unseen: string[] = [];
  for (let stop = 0; stop < MANY; stop += 1) {
    await page.keyboard.press("Tab");
    const { at, shows } = await page.evaluate(here);
    if (at.startsWith("<body")) break;
    reached.push(at);
    if (!shows) unseen.push(at);
  }
  return { reached, unseen };
}

for (const name of WALKED) {
  test(`Tab stops at all that can be operated: ${name}`, async ({ page, madeUp }) => {
    const screen = MADE_UP_SCREENS.find((one) => one.name === name)!;
    await openScreen(page, madeUp, screen);
    const expected = await page.evaluate(stops);
    const { reached, unseen } = await walk(page);
    expect(reached).toEqual(expected);
    expect(unseen).toEqual([]);
  });
}

test("a stop that does not show is found", async ({ page, madeUp }) => {
  await openScreen(page, madeUp, { name: "runs", route: "/", scene: "full" });
  await page
    .locator("main button")
    .first()
    .evaluate((button) => button.style.setProperty("outline", "none"));
  expect((await walk(page)).unseen).toHaveLength(1);
});

test("Escape closes what was opened, and gives the focus back", async ({ page, madeUp }) => {
  const run = { name: "run", route: "/run/spiralsdropout?step=803", scene: "full" } as const;
  await openScreen(page, madeUp, run);
  const main = page.getByRole("main");
  for (const name of ["Export", "Notes", "Policy", "Learning rate", "More steps", "Fork from here"]) {
    const opener = main.getByRole("button", { name, exact: true }).first();
    await opener.focus();
    await page.keyboard.press("Enter");
    await expect(opener).toHaveAttribute("aria-expanded", "true");
    await expect(opener).not.toBeFocused();
    await page.keyboard.press("Escape");
    await expect(opener).toHaveAttribute("aria-expanded", "false");
    await expect(opener).toBeFocused();
  }
  await main.getByRole("button", { name: /^Rename/ }).press("Enter");
  await page.keyboard.press("Escape");
  await expect(main.getByRole("button", { name: /^Rename/ })).toBeFocused();
});

test("whoever closes a step goes on from the timeline", async ({ page, madeUp }) => {
  await openScreen(page, madeUp, { name: "run", route: "/run/spiralsdropout?step=803", scene: "full" });
  await page.getByRole("button", { name: "Close" }).press("Enter");
  await expect(timeline(page)).toBeFocused();
  await expect(timeline(page)).toHaveAttribute("aria-valuetext", "Checkpoint at step 800, not selected");
});

for (const reducedMotion of ["reduce", "no-preference"] as const) {
  test(`what moves by itself: ${reducedMotion}`, async ({ page, madeUp }) => {
    await page.emulateMedia({ reducedMotion });
    await openScreen(page, madeUp, { name: "run", route: "/run/spiralsdropout", scene: "full" });
    // What is compiled then is compiled for as long as one looks.
    await page.evaluate(() => Object.assign(window, { setTimeout: () => 0 }));
    await page.getByRole("button", { name: "Resume", exact: true }).click();
    await page.getByRole("main").getByRole("progressbar").waitFor();
    const moving = await page.evaluate(() => document.getAnimations().length);
    expect(moving > 0).toBe(reducedMotion === "no-preference");
  });
}
