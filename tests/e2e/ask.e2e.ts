/** Drawn on the pad, written on: what a person puts through a model that trains. */
import { expect, test } from "../support/browser";
import { detail, openApp, start, waitFor } from "../support/app-page";

test("digits that the app draws are learnt, and what is drawn on the pad is answered, by keys too", async ({
  live,
  app,
}) => {
  const { page } = live;
  await openApp(page, app.url);
  await page.getByRole("link", { name: "New run" }).first().click();
  await page.getByRole("radio", { name: /Digits and images/ }).check();
  await page.getByRole("radio", { name: /Tiny/ }).check();
  await page.getByRole("button", { name: "Start training" }).click();
  const pad = page.getByRole("application", { name: /^Drawing pad/ });
  await expect(pad).toBeVisible();
  const run = (await page.evaluate(() => holdfast.runs()))[0]?.id ?? "";
  await waitFor(page, run, { step: 5 });
  await pad.scrollIntoViewIfNeeded();
  const box = await pad.boundingBox();
  if (box === null) throw new Error("The pad has no place.");
  await page.mouse.move(box.x + box.width / 2, box.y + 20);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width / 2, box.y + box.height - 20, { steps: 3 });
  await page.mouse.up();
  const seen = page.getByRole("list", { name: /^It sees/ });
  await expect(seen.getByRole("listitem")).toHaveCount(5);
  await expect(page.getByText("What it was shown")).toBeVisible();
  await page.getByRole("button", { name: "Clear" }).click();
  await expect(seen).toHaveCount(0);
  await pad.focus();
  for (const key of ["ArrowDown", "ArrowDown", "ArrowDown", "ArrowRight"]) await page.keyboard.press(key);
  await expect(seen.getByRole("listitem")).toHaveCount(5);
  // It trained on meanwhile, and nothing of the run has changed by being asked.
  const { step, events } = await detail(page, run);
  expect(step).toBeGreaterThan(5);
  expect(events.map(({ kind }) => kind).filter((kind) => kind !== "evaluated")).toEqual(["started"]);
});

test("a text goes on from what is typed, the same for the same seed; a character it does not know is named", async ({
  live,
  app,
}) => {
  const { page } = live;
  await openApp(page, app.url);
  const run = await start(page, { task: "text", preset: "tiny", seed: 1, steps: 8 });
  await waitFor(page, run, { status: "finished" });
  const write = (prompt: string, seed: number) =>
    page.evaluate(
      ([id, begin, from]) =>
        holdfast.ask(id, {
          kind: "text",
          prompt: begin,
          temperature: 0.7,
          topK: 5,
          characters: 12,
          seed: from,
        }),
      [run, prompt, seed] as const,
    );
  const first = await write("the ", 1);
  const [written] = first.panels;
  expect(written?.kind === "text" ? Array.from(written.text) : []).toHaveLength(12);
  expect([first.step, written?.note]).toEqual([8, "from “the ”, temperature 0.7, top-k 5"]);
  expect(await write("the ", 1)).toEqual(first);
  expect(await write("the ", 2)).not.toEqual(first);
  await page.goto(`${app.url}#/run/${run}`);
  await page.getByLabel("It goes on from").fill("犬");
  await page.getByRole("button", { name: "Write" }).click();
  await expect(page.getByText(/has no “犬”; leave that out/)).toBeVisible();
});
