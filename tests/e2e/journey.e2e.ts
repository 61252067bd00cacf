/** The main job as a person does it, by what stands on the page, and everything else that the screens offer. */
import { readFile } from "node:fs/promises";
import type { Page } from "@playwright/test";
import { detail, lossBits, openApp, start, waitFor } from "../support/app-page";
import { expect, expectNone, test, watchedPage, watchFaults } from "../support/browser";
import { readSafetensors } from "../support/safetensors";
import {
  button,
  carryElsewhere,
  downloaded,
  events,
  expectStatus,
  PATIENTLY,
  runOnScreen,
  screen,
  showRun,
  startByForm,
  timeline,
} from "../support/person";

test("start by the form, change the rate, close the tab, come back, resume, finish", async ({
  live,
  app,
}) => {
  const faults = await watchFaults(live.context);
  let page = await live.closePage();
  await page.goto(app.url);
  await expect(screen(page).getByRole("heading", { level: 1 })).toContainText("Close it whenever you like");
  const run = await startByForm(page, { task: "Text", steps: 36, saveEvery: 12, name: "Sonnets" });
  await expectStatus(page, "training");
  await waitFor(page, run, { step: 14 });

  await button(page, "Learning rate").click();
  await screen(page).getByRole("textbox", { name: "Learning rate" }).fill("0.004");
  await button(page, "Change").click();
  await expect(events(page).filter({ hasText: "learning rate changed to 0.004" })).toBeVisible();
  const { step: changedAt } = (await detail(page, run)).events.find(({ kind }) => kind === "changed")!;
  await waitFor(page, run, { step: changedAt + 2 });

  page = await live.closePage();
  await page.goto(app.url);
  const offer = screen(page).getByRole("status").filter({ hasText: "was training when its tab ended" });
  await expect(offer).toContainText("Sonnets");
  const { step } = await detail(page, run);
  await offer.getByRole("button", { name: "Resume" }).click();
  expect(await runOnScreen(page)).toBe(run);
  await waitFor(page, run, { status: "finished" });
  await expectStatus(page, "finished");
  await expect(
    events(page).filter({ hasText: new RegExp(`resumed at step ${step} .*replayed, all equal`) }),
  ).toBeVisible();
  await expect(timeline(page)).toHaveAttribute("aria-valuetext", /^Checkpoint at step 36,/);

  expectNone(faults);
});

test("two checkpoints stand side by side, and the link to them survives a reload", async ({ live, app }) => {
  const { page, faults } = await watchedPage(live, app.url);
  const run = await startByForm(page, { task: "Spirals", steps: 60, saveEvery: 15 });
  await waitFor(page, run, { status: "finished" });
  await timeline(page).press("End");
  await screen(page).getByRole("link", { name: "Compare with…" }).click();
  await expectCompared(page, 30, 60);
  await screen(page).getByRole("combobox", { name: "Checkpoint A" }).selectOption("45");
  await expectCompared(page, 45, 60);
  await page.reload();
  await expectCompared(page, 45, 60);

  expectNone(faults);
});

test("a step that was not saved is gone back to, pinned, and forked into the same numbers", async ({
  live,
  app,
}) => {
  const { page, faults } = await watchedPage(live, app.url);
  const run = await startByForm(page, { task: "Spirals", steps: 60, saveEvery: 15 });
  await waitFor(page, run, { status: "finished" });
  const main = screen(page);
  await main.getByRole("textbox", { name: "Step" }).fill("33");
  await button(page, "Show").click();
  await expect(main.getByRole("heading", { name: /^Step 33 not saved/ })).toBeVisible();
  await button(page, "Look at this step").click();
  await expect(main.getByText("step 30: 3 steps, every loss the same, bit for bit")).toBeVisible(PATIENTLY);
  await button(page, "Pin").click();
  await expect(main.getByRole("heading", { name: /^Checkpoint at step 33/ })).toBeVisible(PATIENTLY);
  await expect(button(page, "Unpin")).toBeEnabled();
  await main.getByText("Tags and note", { exact: true }).click();
  await main.getByRole("textbox", { name: /^Tags/ }).fill("plateau, talk");
  await button(page, "Save tags and note").click();
  const marked = main.getByRole("region", { name: "Pins, tags and notes" });
  await expect(marked).toContainText("plateau");
  await expect(marked.getByRole("link", { name: "33" })).toBeVisible();
  expect((await detail(page, run)).marks).toMatchObject([
    { step: 33, pinned: true, tags: ["plateau", "talk"] },
  ]);
  expect((await detail(page, run)).stepTags).toEqual(["plateau", "talk"]);
  expect(await page.evaluate((id) => holdfast.digest(id, 33), run)).toMatch(/^[0-9a-f]{64}$/);

  await main.getByRole("textbox", { name: "Step" }).fill("52");
  await button(page, "Show").click();
  await main.getByRole("link", { name: "Compare with…" }).click();
  await expectCompared(page, 52, 60);
  await showRun(page, run);

  // A return to a checkpoint is tried, and changes nothing but what stands on it.
  const before = await page.evaluate((id) => holdfast.digest(id), run);
  await main.getByRole("textbox", { name: "Step" }).fill("30");
  await button(page, "Show").click();
  await expect(main.getByText("never", { exact: true })).toBeVisible();
  await button(page, "Test restore").click();
  await expect(main.getByText(/3 steps computed again, to the very state that was saved/)).toBeVisible(
    PATIENTLY,
  );
  const newest = await page.evaluate((id) => holdfast.drill(id), run);
  expect(newest).toMatchObject({ step: 60, to: 60, proof: "digest", failure: null });
  expect(await page.evaluate((id) => holdfast.digest(id), run)).toBe(before);

  // Another step that was not saved, as it is: the fork computes what its parent computed.
  await main.getByRole("textbox", { name: "Step" }).fill("40");
  await button(page, "Show").click();
  await button(page, "Fork from here").click();
  await button(page, "Start the fork").click();
  await expect(main.getByText("forked from")).toBeVisible(PATIENTLY);
  const child = await runOnScreen(page);
  await waitFor(page, child, { status: "finished" });
  expect((await detail(page, child)).parent).toEqual({ run, step: 40 });
  expect(await lossBits(page, child)).toEqual((await lossBits(page, run)).slice(40));
  const ends = await page.evaluate(([a, b]) => Promise.all([holdfast.digest(a), holdfast.digest(b)]), [
    child,
    run,
  ] as const);
  expect(ends[0]).toBe(ends[1]);
  // Its history before that is its parent's.
  const early = await page.evaluate(
    ([a, b]) => Promise.all([holdfast.digest(a, 20), holdfast.digest(b, 20)]),
    [child, run] as const,
  );
  expect(early[0]).toBe(early[1]);

  const faster = await page.evaluate(
    (id) => holdfast.fork(id, 40, { steps: 42, changes: { learningRate: 0.02 } }),
    run,
  );
  await waitFor(page, faster, { status: "finished" });
  // The first loss is that of the state it began with; what the update makes of it is another one.
  expect((await lossBits(page, faster))[0]).toBe((await lossBits(page, run))[40]);
  const next = await page.evaluate(
    ([a, b]) => Promise.all([holdfast.digest(a, 41), holdfast.digest(b, 41)]),
    [faster, run] as const,
  );
  expect(next[0]).not.toBe(next[1]);

  const smaller = await page.evaluate(
    (id) => holdfast.fork(id, 40, { steps: 42, changes: { config: { batchSize: 16 } } }),
    run,
  );
  await waitFor(page, smaller, { status: "finished" });
  expect((await lossBits(page, smaller))[0]).not.toBe((await lossBits(page, run))[40]);
  // No sample is skipped or seen twice: the position is counted in samples.
  const samples = await page.evaluate(
    async ([a, b]) => {
      const at = async (id: string, step: number) =>
        (await holdfast.state(id, step)).get("scalar/samples")?.data[0];
      return [await at(b, 40), await at(a, 41), await at(a, 42)];
    },
    [smaller, run] as const,
  );
  expect(samples).toEqual([40 * 32, 40 * 32 + 16, 40 * 32 + 32]);
  expectNone(faults);
});

async function expectCompared(page: Page, a: number, b: number): Promise<void> {
  const main = screen(page);
  await expect(main.getByRole("heading", { name: "Compare" })).toBeVisible();
  await expect(
    main
      .getByRole("region", { name: /^Change by tensor/ })
      .getByRole("rowheader")
      .first(),
  ).toBeVisible();
  for (const step of [a, b]) {
    const picture = main.getByRole("region", { name: `Picture at step ${step}` });
    await expect(picture.getByRole("img", { name: `Decision boundary at step ${step}` })).toBeVisible(
      PATIENTLY,
    );
  }
  await expect(main.getByRole("combobox", { name: "Checkpoint A" })).toHaveValue(String(a));
  await expect(main.getByRole("combobox", { name: "Checkpoint B" })).toHaveValue(String(b));
}

test("a checkpoint leaves as safetensors, a run as a file that goes on elsewhere to the same state", async ({
  live,
  app,
}) => {
  const { page } = live;
  await page.goto(app.url);
  const run = await startByForm(page, { task: "Spirals", steps: 60, saveEvery: 20, name: "Wanderer" });
  await waitFor(page, run, { status: "finished" });
  await expectStatus(page, "finished");

  await button(page, "Export").click();
  const tensors = await downloaded(page, () => button(page, "Checkpoint at step 60 (.safetensors)").click());
  expect(tensors.suggestedFilename()).toBe("wanderer-step-60.safetensors");
  const file = readSafetensors(await readFile(await tensors.path()));
  const state = await page.evaluate(async (id) => {
    const all = await holdfast.state(id, 60);
    return [...all]
      .filter(([name]) => /^(param|slot)\//.test(name))
      .map(([name, { shape }]) => ({ name, shape }));
  }, run);
  expect(file.tensors.map(({ name, shape }) => ({ name, shape }))).toEqual(
    expect.arrayContaining(state.map(({ name, shape }) => ({ name, shape: [...shape] }))),
  );
  expect(file.tensors).toHaveLength(state.length);
  const manifest: unknown = JSON.parse(String(file.metadata["holdfast"]));
  const digest = await page.evaluate((id) => holdfast.digest(id, 60), run);
  expect(manifest).toMatchObject({ record: { id: run }, step: 60, digest });

  const name = await carryElsewhere(page, app.url, async (there) => {
    await expect(screen(there).getByRole("heading", { name: "Wanderer" })).toBeVisible();
    const ends = await Promise.all(
      [page, there].map(async (where) => {
        await button(where, "More steps").click();
        await screen(where).getByRole("textbox", { name: "Steps to add" }).fill("25");
        await button(where, "Add and go on").click();
        await expect(events(where).filter({ hasText: "extended to 85 steps" })).toBeVisible(PATIENTLY);
        await waitFor(where, run, { step: 85, status: "finished" });
        await expectStatus(where, "finished");
        return where.evaluate((id) => holdfast.digest(id), run);
      }),
    );
    expect(ends[0]).toBe(ends[1]);
    expect(ends[0]).not.toBe(digest);
  });
  expect(name).toBe("wanderer.holdfast");
});

test("pause, step, resume, more steps, stop; the chart's scale and smoothing; rename; delete and undo", async ({
  live,
  app,
}) => {
  const { page, faults } = await watchedPage(live, app.url);
  const run = await startByForm(page, { task: "Spirals", steps: 5000, saveEvery: 50, name: "First" });
  const main = screen(page);

  const chart = main.getByRole("img", { name: /^Loss by step/ });
  await expect(chart).toHaveAccessibleName(/at step [1-9]/);
  await button(page, "Pause").click();
  await expectStatus(page, "paused");
  const { step } = await detail(page, run);
  await expect(chart).toHaveAccessibleName(new RegExp(`at step ${step.toLocaleString("en-US")}$`));
  const linear = await chart.screenshot();
  await main.getByRole("checkbox", { name: "Log scale" }).check();
  const logarithmic = await chart.screenshot();
  expect(logarithmic.equals(linear)).toBe(false);
  await main.getByRole("slider", { name: "Smoothing" }).fill("0");
  await expect.poll(async () => (await chart.screenshot()).equals(logarithmic)).toBe(false);

  await button(page, "Step").click();
  await expect.poll(async () => (await detail(page, run)).step).toBe(step + 1);
  await expectStatus(page, "paused");
  await button(page, "Resume").click();
  await expectStatus(page, "training");
  await button(page, "More steps").click();
  await main.getByRole("textbox", { name: "Steps to add" }).fill("1000");
  await button(page, "Add steps").click();
  await expect(events(page).filter({ hasText: "extended to 6,000 steps" })).toBeVisible();
  await button(page, "Stop").click();
  await expectStatus(page, "stopped");

  await button(page, "Rename First").click();
  await main.getByRole("textbox", { name: "Name of the run" }).fill("Second");
  await page.keyboard.press("Enter");
  await expect(main.getByRole("heading", { level: 1, name: "Second" })).toBeVisible();
  await page
    .getByRole("navigation", { name: "Holdfast" })
    .getByRole("link", { name: "Runs", exact: true })
    .click();
  const row = main.getByRole("row", { name: /Second/ });
  await expect(row).toContainText("stopped");
  await row.getByRole("button", { name: "Delete Second" }).click();
  await expect(row).toHaveCount(0);
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(row).toBeVisible();
  await page.reload();
  await expect(row).toContainText("stopped");

  // After a reload too, until it is deleted for good, which is asked about.
  await row.getByRole("button", { name: "Delete Second" }).click();
  await expect(row).toHaveCount(0);
  await page.reload();
  const trash = main.getByText(/^Trash/);
  await trash.click();
  await button(page, "Bring back Second").click();
  await expect(row).toContainText("stopped");
  await expect(trash).toHaveCount(0);
  await row.getByRole("button", { name: "Delete Second" }).click();
  await trash.click();
  await button(page, "Delete for good Second").click();
  await button(page, "Keep").click();
  await button(page, "Delete for good Second").click();
  await button(page, "Delete for good: cannot be undone").click();
  await expect(trash).toHaveCount(0);
  expect(await page.evaluate(() => holdfast.trash())).toEqual([]);
  expectNone(faults);
});

test("a run that begins pauses the one that trains here, which is told before, and by that run after", async ({
  live,
  app,
}) => {
  const { page, faults } = await watchedPage(live, app.url);
  const options = {
    task: "spirals",
    preset: "tiny",
    steps: 4000,
    policy: { save: { kind: "steps", every: 500 }, draw: false },
  } as const;
  const first = await start(page, { ...options, name: "First" });
  await showRun(page, first);
  await expectStatus(page, "training");
  await timeline(page).press("Home");
  await button(page, "Fork from here").click();
  await expect(screen(page).getByText("Pauses “First”, which trains here.")).toBeVisible();
  await page.goto(`${app.url}#/new`);
  await expect(screen(page).getByText("Pauses “First”, which trains here.")).toBeVisible();
  await screen(page).getByRole("radio", { name: "Tiny" }).check();
  await screen(page).getByLabel("Name", { exact: true }).fill("Second");
  await button(page, "Start training").click();
  const second = await runOnScreen(page);
  await showRun(page, first);
  await expect(events(page).filter({ hasText: "paused: “Second” was started here" })).toBeVisible(PATIENTLY);
  await expectStatus(page, "paused");
  await button(page, "Resume").click();
  await expectStatus(page, "training");
  await showRun(page, second);
  await expect(events(page).filter({ hasText: "paused: “First” was resumed here" })).toBeVisible();
  expectNone(faults);
});

test("with the keyboard alone: a run is started, paused, and its checkpoints are walked through", async ({
  live,
  app,
}) => {
  const { page } = live;
  await page.goto(app.url);
  // Before the store is open there is nothing to walk through.
  await expect(page.getByRole("link", { name: "New run" }).first()).toBeVisible(PATIENTLY);
  await tabTo(page, "New run");
  await page.keyboard.press("Enter");
  await expect(screen(page).getByRole("heading", { name: "New run" })).toBeVisible();
  await tabTo(page, "Small");
  await page.keyboard.press("ArrowLeft");
  await tabTo(page, "Save");
  await page.keyboard.press("ArrowDown");
  await tabTo(page, "Save every");
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.type("5");
  await page.keyboard.press("Enter");
  const run = await runOnScreen(page);
  await waitFor(page, run, { step: 12 });
  await tabTo(page, "Pause");
  await page.keyboard.press("Enter");
  await expectStatus(page, "paused");
  const info = await detail(page, run);
  expect(info.steps).toBe(400);

  await tabTo(page, "Checkpoints on the timeline");
  await expect(timeline(page)).toHaveAttribute(
    "aria-valuetext",
    new RegExp(`^Checkpoint at step ${info.step},`),
  );
  await page.keyboard.press("Home");
  await expect(screen(page).getByRole("heading", { name: /^Checkpoint at step 0/ })).toBeVisible();
  await expect(timeline(page)).toBeFocused();
  await expect(timeline(page)).toHaveAttribute("aria-valuetext", /^Checkpoint at step 0\b/);

  await tabTo(page, "More steps");
  await page.keyboard.press("Enter");
  await expect(screen(page).getByRole("textbox", { name: "Steps to add" })).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(button(page, "More steps")).toBeFocused();
});

/** Presses Tab until what has this name, or a name that begins so, has the focus. */
async function tabTo(page: Page, name: string): Promise<void> {
  const STOPS = 60;
  const passed: string[] = [];
  for (let stop = 0; stop < STOPS; stop += 1) {
    await page.keyboard.press("Tab");
    const focused = await page.evaluate(() => {
      const element = document.activeElement;
      const hasLabels = element instanceof HTMLInputElement || element instanceof HTMLSelectElement;
      const label = hasLabels ? element.labels?.[0]?.textContent : undefined;
      return (element?.getAttribute("aria-label") ?? label ?? element?.textContent ?? "").trim();
    });
    if (focused.startsWith(name)) return;
    passed.push(focused.slice(0, 30));
  }
  throw new Error(`Tab did not reach "${name}", only ${passed.join(" | ")}`);
}

test("everything that can be used has a name, on every screen", async ({ live, app }) => {
  const { page } = live;
  const faults = await watchFaults(live.context);
  await openApp(page, app.url);
  await expectNames(page, "/");
  for (const task of ["spirals", "text"]) {
    const run = await start(page, {
      task,
      preset: "tiny",
      steps: 20,
      policy: { save: { kind: "steps", every: 10 }, draw: true },
    });
    await waitFor(page, run, { status: "finished" });
    await expectNames(page, `/run/${run}`, async () => {
      await timeline(page).press("Home");
      await button(page, "Learning rate").click();
    });
    await expectNames(page, `/compare?a=${run}@10&b=${run}@20`);
  }
  await expectNames(page, "/new", async () => {
    await screen(page).getByRole("radio", { name: "Text" }).check();
    for (const summary of await screen(page).locator("summary").all()) await summary.click();
  });
  await expectNames(page, "/");
  await expectNames(page, "/compare");
  await expectNames(page, "/health");
  expectNone(faults);
});

const NAMED_ROLES: ReadonlySet<string> = new Set([
  "button",
  "link",
  "textbox",
  "checkbox",
  "radio",
  "combobox",
  "slider",
  "image",
  "progressbar",
  "toolbar",
  "DisclosureTriangle",
]);

/** Opens the screen, does what shows more of it, and asks the browser what each thing is called. */
async function expectNames(page: Page, route: string, reveal = () => Promise.resolve()): Promise<void> {
  await page.evaluate((to) => {
    location.hash = to;
  }, route);
  await expect(screen(page).getByRole("heading", { level: 1 })).toBeVisible();
  await reveal();
  const session = await page.context().newCDPSession(page);
  const { nodes } = await session.send("Accessibility.getFullAXTree");
  await session.detach();
  const named = nodes.filter(({ ignored, role }) => !ignored && NAMED_ROLES.has(String(role?.value)));
  expect(named.length).toBeGreaterThan(3);
  const nameless = named
    .filter(({ name }) => String(name?.value ?? "").trim() === "")
    .map(({ role, properties }) => `${String(role?.value)} ${JSON.stringify(properties)}`);
  expect(nameless, `nameless on ${route}`).toEqual([]);
}
