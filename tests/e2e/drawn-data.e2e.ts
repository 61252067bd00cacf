/** Classes of one's own, drawn on the pad: trained on, gone back to, asked, and carried to another browser. */
import { detail, waitFor } from "../support/app-page";
import { expect, expectNone, test, watchedPage } from "../support/browser";
import { button, expectStatus, goOnElsewhere, PATIENTLY, runOnScreen, screen } from "../support/person";
import type { Page } from "@playwright/test";

type Point = readonly [x: number, y: number];

/** A stroke through these places, shares of the pad's sides. */
async function stroke(page: Page, [first, ...others]: readonly Point[]): Promise<void> {
  const pad = page.getByRole("application", { name: /^Drawing pad/ });
  await pad.scrollIntoViewIfNeeded();
  const box = await pad.boundingBox();
  if (box === null || first === undefined) throw new Error("There is nothing to draw, or no place to.");
  const at = ([x, y]: Point): [number, number] => [box.x + x * box.width, box.y + y * box.height];
  await page.mouse.move(...at(first));
  await page.mouse.down();
  for (const point of others) await page.mouse.move(...at(point), { steps: 2 });
  await page.mouse.up();
}

/** Each a little other than the last. */
function upright(i: number): readonly Point[] {
  return [
    [0.45 + 0.02 * i, 0.15],
    [0.5, 0.85 - 0.02 * i],
  ];
}

function flat(i: number): readonly Point[] {
  return [
    [0.15, 0.45 + 0.02 * i],
    [0.85 - 0.02 * i, 0.5],
  ];
}

test("two classes are drawn, outlive a reload, are trained on, gone back to and asked", async ({
  live,
  app,
}) => {
  const { page, faults } = await watchedPage(live, app.url);
  const main = screen(page);
  const openPad = async (): Promise<void> => {
    await page.goto(`${app.url}#/new`);
    await main.getByRole("radio", { name: /^Digits/ }).check();
    await main.getByRole("radio", { name: "Tiny" }).check();
    await button(page, /^Draw examples/).click();
  };
  await openPad();
  await main.getByRole("textbox", { name: "Name of class 1" }).fill("upright");
  await main.getByRole("textbox", { name: "Name of class 2" }).fill("flat");
  for (const [name, drawing] of [
    ["upright", upright],
    ["flat", flat],
  ] as const) {
    await main.getByRole("radio", { name: `Draw “${name}”` }).check();
    for (let i = 0; i < 6; i++) {
      await stroke(page, drawing(i));
      await button(page, `Add to “${name}”`).click();
    }
  }
  await page.reload();
  await openPad();
  await expect(main.getByText("6 drawn")).toHaveCount(2);
  // A slip of the pen is taken out.
  await button(page, "Remove drawing 6 of “flat”").click();
  await button(page, "Use the drawings").click();
  await expect(main.getByText("The run trains on these 11 drawings.")).toBeVisible(PATIENTLY);
  await expect(main.getByText("11 images of 32 × 32, grey, 2 classes.")).toBeVisible();
  await main.getByLabel("Steps", { exact: true }).fill("400");
  await main.getByLabel("Seed", { exact: true }).fill("5");
  await button(page, "Start training").click();
  const run = await runOnScreen(page);
  await waitFor(page, run, { step: 40 });
  await button(page, "Pause").click();
  await expectStatus(page, "paused");
  const { record } = await detail(page, run);
  expect(record.data).toMatchObject({ name: "drawings", origin: "file" });
  expect(record.data.preprocessing).toMatchObject({
    classes: "flat, upright",
    trainImages: 9,
    heldOutImages: 2,
  });

  await main.getByRole("textbox", { name: "Step" }).fill("23");
  await button(page, "Show").click();
  await expect(main.getByText(/Step 23/).first()).toBeVisible(PATIENTLY);
  await button(page, "Look at this step").click();
  await expect(main.getByText(/every loss the same, bit for bit/)).toBeVisible(PATIENTLY);
  await stroke(page, upright(2));
  await expect(main.getByRole("list", { name: /^It sees/ }).getByRole("listitem")).toHaveCount(2, PATIENTLY);

  await goOnElsewhere(page, app.url);
  expectNone(faults);
});
