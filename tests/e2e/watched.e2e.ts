/** What a run is watched for, and what is known of its saves: health, the audit log, early stopping, and a fork from there. */
import { readFile } from "node:fs/promises";
import { detail, start, waitFor } from "../support/app-page";
import { expect, expectNone, test, watchedPage } from "../support/browser";
import {
  button,
  downloaded,
  expectStatus,
  PATIENTLY,
  runOnScreen,
  screen,
  showRun,
  startByForm,
} from "../support/person";
import { rewriteRow } from "../support/database";

test("the health screen shows saves, what was done and by whom, and hands its numbers out", async ({
  live,
  app,
}) => {
  const { page, faults } = await watchedPage(live, app.url);
  const run = await start(page, {
    task: "spirals",
    preset: "tiny",
    name: "Seen",
    steps: 40,
    policy: { save: { kind: "steps", every: 10 }, draw: false, keep: [{ kind: "latest", count: 2 }] },
  });
  await waitFor(page, run, { status: "finished" });
  await page.evaluate((id) => holdfast.pin(id, 25), run);
  await page.evaluate((id) => holdfast.drill(id), run);
  const main = screen(page);
  await page.getByRole("navigation", { name: "Holdfast" }).getByRole("link", { name: "Health" }).click();
  await expect(main.getByText("Nothing is wrong.")).toBeVisible();
  await expect(main.getByRole("img", { name: /^How long the last \d+ saves took/ })).toBeVisible();
  await expect(main.getByRole("rowheader", { name: "Seen" })).toBeVisible();
  const log = main.getByRole("region", { name: /^Audit log/ });
  await expect(log).toContainText("none of them changed afterwards");
  for (const [words, what] of [
    ["pruned", "steps 20"],
    ["marked", "pinned"],
    ["rehearsed", "all equal"],
    ["started", "task spirals"],
  ] as const) {
    await log.getByRole("searchbox", { name: "Filter" }).fill(words);
    await expect(log.getByRole("row").nth(1)).toContainText(what);
  }
  const csv = await downloaded(page, () => button(page, "Numbers as CSV").click());
  const lines = (await readFile(await csv.path(), "utf8")).trim().split("\r\n");
  expect(lines).toHaveLength(1 + (await detail(page, run)).checkpointList.length);
  const audit = await downloaded(page, () => button(page, "These as CSV").click());
  expect(await readFile(await audit.path(), "utf8")).toMatch(
    /^time,run,name,seq,what,.*\r\n.*,Seen,1,started,/,
  );
  const json = await downloaded(page, () => button(page, "All as JSON").click());
  const exported: unknown = JSON.parse(await readFile(await json.path(), "utf8"));
  expect(exported).toMatchObject({ broken: [] });
  expect(exported).toHaveProperty("entries.8.hash", expect.stringMatching(/^[0-9a-f]{64}$/));

  // Somebody rewrites what was done: it shows.
  await rewriteRow(page, "audit", [run, 2], (row: object) => ({ ...row, why: "nobody" }));
  await button(page, "Read everything back").click();
  await expect(main.getByText(`entry 2 of run ${run} was changed after it was written`).first()).toBeVisible(
    PATIENTLY,
  );
  await expect(page).toHaveTitle(/^\(1\) Health/);
  expectNone(faults);
});

test("a run that no longer gets better stops by itself, and the best state is there to fork from", async ({
  live,
  app,
}) => {
  const { page, faults } = await watchedPage(live, app.url);
  const options = { task: "spirals", preset: "tiny", seed: 3, steps: 400 } as const;
  const rules = { save: { kind: "steps", every: 1000 }, draw: false, keep: [], evaluate: 5 } as const;
  // The loss of a rate this high goes up and down.
  const optimizer = { learningRate: 0.5, schedule: { kind: "constant", warmup: 0 } } as const;
  const run = await start(page, {
    ...options,
    optimizer,
    policy: { ...rules, stop: { metric: "val_loss", mode: "min", patience: 3 } },
  });
  await showRun(page, run);
  await waitFor(page, run, { status: "stopped" });
  const { events: happened, checkpointList, step } = await detail(page, run);
  const { best } = happened.find(({ kind }) => kind === "stopped") as { readonly best: { step: number } };
  const evaluated = happened.flatMap((event) =>
    event.kind === "evaluated" ? [[event.step, event.metrics["val_loss"]!] as const] : [],
  );
  expect(evaluated.map(([at]) => at)).toEqual(Array.from({ length: step / 5 }, (_, i) => 5 * (i + 1)));
  const lowest = Math.min(...evaluated.map(([, loss]) => loss));
  expect(evaluated.find(([, loss]) => loss === lowest)?.[0]).toBe(best.step);
  expect(step - best.step).toBe(15);
  expect(checkpointList.map((one) => one.step)).toContain(best.step);
  // It is another one's state at that step, bit for bit: to evaluate changes nothing.
  const plain = await start(page, {
    ...options,
    optimizer,
    steps: step,
    policy: { save: rules.save, draw: false },
  });
  await waitFor(page, plain, { status: "finished" });
  const ends = await page.evaluate(([a, b]) => Promise.all([holdfast.digest(a), holdfast.digest(b)]), [
    run,
    plain,
  ] as const);
  expect(ends[0]).toBe(ends[1]);

  await showRun(page, run);
  await expect(screen(page).getByText(`was best at step ${best.step}`).first()).toBeVisible();
  await button(page, new RegExp(`^Fork from step ${best.step}`)).click();
  await expect(screen(page).getByText("forked from")).toBeVisible(PATIENTLY);
  expect((await detail(page, await runOnScreen(page))).parent).toEqual({ run, step: best.step });
  expectNone(faults);
});

test("a loss is looked for, the step found stands in the address, and the way back from a fork leads to it", async ({
  live,
  app,
}) => {
  const { page, faults } = await watchedPage(live, app.url);
  const run = await startByForm(page, { task: "Spirals", steps: 60, saveEvery: 20 });
  await waitFor(page, run, { status: "finished" });
  await expectStatus(page, "finished");
  const main = screen(page);
  await main.getByRole("slider", { name: "Smoothing" }).fill("0");
  await main.getByRole("combobox", { name: "Find by" }).selectOption("Loss ≤");
  const losses = await page.evaluate(async (id) => Array.from(await holdfast.losses(id)), run);
  const wanted = losses[29]!;
  const found = losses.findIndex((loss) => loss <= wanted) + 1;
  await main.getByRole("textbox", { name: "Loss ≤" }).fill("0");
  await button(page, "Show").click();
  await expect(main.getByText("no step is as low as 0")).toBeVisible();
  await main.getByRole("textbox", { name: "Loss ≤" }).fill(String(wanted));
  await button(page, "Show").click();
  const heading = main.getByRole("heading", { name: new RegExp(`^(Checkpoint at step|Step) ${found}\\b`) });
  await expect(heading).toBeVisible();
  await page.reload();
  await expect(heading).toBeVisible(PATIENTLY);
  await button(page, "Fork from here").click();
  await button(page, "Start the fork").click();
  await expect(main.getByText("forked from")).toBeVisible(PATIENTLY);
  await expect(main.getByText("grey: its parent")).toBeVisible();
  await waitFor(page, await runOnScreen(page), { status: "finished" });
  await page.goBack();
  await expect(heading).toBeVisible(PATIENTLY);
  expectNone(faults);
});

test("going back to where the loss was high and trying a smaller rate from there takes three clicks", async ({
  live,
  app,
}) => {
  const page = await live.closePage();
  await page.goto(app.url);
  const run = await startByForm(page, { task: "Spirals", steps: 60, saveEvery: 20 });
  await waitFor(page, run, { status: "finished" });
  await expectStatus(page, "finished");
  let clicks = 0;
  const main = screen(page);
  const chart = main.getByRole("img", { name: /^Loss by step/ });
  const box = (await chart.boundingBox())!;
  const at = { x: 52 + 0.55 * (box.width - 66), y: box.height / 2 };
  await chart.hover({ position: at });
  const [, pointed] = /step (\d+):/.exec((await main.getByText(/^step \d+: /).textContent())!)!;
  await chart.click({ position: at });
  clicks += 1;
  await button(page, "Fork from here").click();
  clicks += 1;
  await expect(main.getByRole("textbox", { name: "Learning rate" })).toBeFocused();
  await page.keyboard.type("0.002");
  await expect(button(page, "Start the fork")).toBeInViewport();
  await button(page, "Start the fork").click();
  clicks += 1;
  await expect(main.getByText("forked from")).toBeVisible(PATIENTLY);
  const { parent, record } = await detail(page, await runOnScreen(page));
  expect(parent).toEqual({ run, step: Number(pointed) });
  expect(record.optimizer.learningRate).toBe(0.002);
  expect(clicks).toBeLessThanOrEqual(4);
});
