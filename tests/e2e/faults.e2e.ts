/** What goes wrong in real life: it is said in words, and nothing is lost. */
import type { CDPSession, Page } from "@playwright/test";
import type { StartOptions } from "../../src/worker/api";
import { checkpoints, detail, openApp, pause, start, waitFor } from "../support/app-page";
import { expect, test } from "../support/browser";
import { button, expectStatus, runOnScreen, screen, showRun } from "../support/person";
import { serveWith } from "../support/prelude";

const MIB = 2 ** 20;

const BAD_FILES = [
  { what: "an empty file", bytes: Buffer.alloc(0), said: /The text is empty; choose a file with text in it/ },
  {
    what: "a binary file",
    bytes: Buffer.from([0x89, 0x50, 0, 1, 2]),
    said: /not a text file: byte 2 is zero/,
  },
  { what: "another encoding", bytes: Buffer.from("caf\xe9 au lait", "latin1"), said: /byte 4 is not UTF-8/ },
  {
    what: "a text over the limit",
    bytes: Buffer.alloc(4 * MIB + 1, "ab"),
    said: /more than 4 MiB at "given\.txt"/,
  },
] as const;
/** A shorter context would mend it, so it is kept. */
const SHORT = { bytes: Buffer.from("To be, or not."), said: /has 14 tokens; a context of/ };

test("files that cannot be trained on are refused beside their field, and not kept", async ({
  live,
  app,
}) => {
  const { page } = live;
  await page.goto(`${app.url}#/new`);
  const main = screen(page);
  await main.getByRole("radio", { name: "Text" }).check();
  const field = main.getByRole("group", { name: /^Text files/ });
  for (const { bytes, said } of BAD_FILES) {
    await field
      .getByLabel(/zipped$/)
      .setInputFiles({ name: "given.txt", mimeType: "text/plain", buffer: bytes });
    await expect(field).toContainText(said);
  }
  expect(await storedBytes(page)).toBe(0);
  const good = Buffer.from("The owl and the pussycat went to sea. ".repeat(40));
  await field.getByLabel(/zipped$/).setInputFiles({ name: "owl.txt", mimeType: "text/plain", buffer: good });
  await expect(field).toContainText("owl.txt");
  expect(await storedBytes(page)).toBeGreaterThan(good.length);
  await expect(button(page, "Start training")).toBeEnabled();
  await field
    .getByLabel(/zipped$/)
    .setInputFiles({ name: "given.txt", mimeType: "text/plain", buffer: SHORT.bytes });
  await expect(main.getByText(SHORT.said)).toBeVisible();
  await expect(button(page, "Start training")).toBeDisabled();
});

/** In packs, without their headers' share: an empty pack counts 0. */
function storedBytes(page: Page): Promise<number> {
  return page.evaluate(async () => {
    const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle("packs");
    let sum = 0;
    for await (const entry of folder.values())
      if (entry instanceof FileSystemFileHandle) sum += (await entry.getFile()).size;
    return sum;
  });
}

test("settings out of range are named by the form and by the console, and nothing starts", async ({
  live,
  app,
}) => {
  const { page } = live;
  await page.goto(`${app.url}#/new`);
  const main = screen(page);
  for (const [label, wrong, said] of [
    ["Steps", "0", "From 1 to 10,000,000."],
    ["Steps", "12.5", "Whole numbers only."],
    ["Learning rate", "fast", "Not a number."],
    ["Learning rate", "11", "From 1e-9 to 10."],
    ["Seed", "-1", "0 or more."],
  ] as const) {
    const field = main.getByLabel(label, { exact: true });
    const right = await field.inputValue();
    await field.fill(wrong);
    await expect(field).toHaveAttribute("aria-invalid", "true");
    await expect(field).toHaveAccessibleDescription(new RegExp(said.replaceAll(".", "\\.")));
    await expect(button(page, "Start training")).toBeDisabled();
    await field.fill(right);
  }
  await expect(button(page, "Start training")).toBeEnabled();

  const refused = await page.evaluate(async () => {
    const wrong: unknown[] = [
      { task: "spirals", config: { width: 0, dropout: 2 } },
      { task: "spirals", config: { batchSize: "many" } },
      { task: "spirals", config: { bogus: 1 } },
      { task: "spirals", steps: 0.5, seed: Number.NaN },
      { task: "spirals", optimizer: { kind: "lion" } },
      { task: "spirals", optimizer: { learningRate: -1 } },
      { task: "spirals", policy: { save: { kind: "steps", every: 0 }, draw: true } },
      { task: "poems" },
    ];
    return Promise.all(
      wrong.map((options) =>
        holdfast.start(options as StartOptions).then(
          () => "started",
          (error: unknown) =>
            error instanceof Error && "code" in error
              ? `${String(error.code)}: ${error.message}`
              : String(error),
        ),
      ),
    );
  });
  const said = [
    /^invalid: .*\(width\) is 0.*\(dropout\) is 2/,
    /^invalid: .*\(batchSize\) is "many"/,
    /^invalid: .*bogus/,
    /^invalid: .*\(steps\) is 0\.5.*\(seed\) is NaN/,
    /^invalid: .*lion/,
    /^invalid: .*learningRate/,
    /^invalid: .*\(saveEvery\) is 0/,
    /^missing: .*poems/,
  ];
  expect(refused).toHaveLength(said.length);
  for (const [i, pattern] of said.entries()) expect.soft(refused[i]).toMatch(pattern);
  expect(await page.evaluate(() => holdfast.runs())).toEqual([]);
});

test("where the browser refuses to store, the page says memory only, and trains", async ({ live }) => {
  const served = await serveWith(
    "storage.worker",
    `StorageManager.prototype.getDirectory = () => Promise.reject(new DOMException("It was determined that certain files are unsafe for access within a Web application.", "SecurityError"));
     Object.defineProperty(globalThis, "indexedDB", { value: undefined });`,
  );
  try {
    const { page } = live;
    await page.goto(served.url);
    await expect(page.getByRole("navigation", { name: "Holdfast" })).toContainText("Nothing is stored");
    const run = await start(page, tiny(40));
    await showRun(page, run);
    await waitFor(page, run, { status: "finished" });
    await expectStatus(page, "finished");
    await expect(screen(page)).toContainText("memory only");
    expect((await checkpoints(page, run)).map(({ step }) => step)).toEqual([0, 10, 20, 30, 40]);
    expect(await page.evaluate((id) => holdfast.digest(id, 20), run)).toMatch(/^[0-9a-f]{64}$/);
  } finally {
    await served.close();
  }
});

test("a disk that is full during a save: the run goes on, says so, and saves again; nothing is lost", async ({
  live,
  app,
}) => {
  const { page } = live;
  await openApp(page, app.url);
  const undisturbed = await digestOf(page, {
    ...tiny(400),
    policy: { save: { kind: "never" }, draw: false },
  });
  const run = await start(page, {
    ...tiny(400),
    policy: { save: { kind: "steps", every: 20 }, draw: false },
  });
  await showRun(page, run);
  await waitFor(page, run, { step: 25 });
  const session = await page.context().newCDPSession(page);
  await limitStorage(session, app.url, 1);
  const failed = screen(page).getByRole("alert").filter({ hasText: "was not saved" });
  await expect(failed).toContainText("full");
  const full = await detail(page, run);
  expect(full.status).toBe("running");
  await waitFor(page, run, { step: full.step + 5 });
  await session.send("Storage.overrideQuotaForOrigin", { origin: new URL(app.url).origin });
  const newest = (await checkpoints(page, run)).at(-1)!.step;
  await expect.poll(async () => (await checkpoints(page, run)).at(-1)!.step).toBeGreaterThan(newest);
  await expect(failed).toHaveCount(0);
  await waitFor(page, run, { status: "finished" });
  expect(await page.evaluate((id) => holdfast.digest(id), run)).toBe(undisturbed);
  expect(await page.evaluate(async (id) => (await holdfast.losses(id)).length, run)).toBe(400);
});

async function limitStorage(session: CDPSession, url: string, quotaSize: number): Promise<void> {
  await session.send("Storage.overrideQuotaForOrigin", { origin: new URL(url).origin, quotaSize });
}

test("a flipped byte in the newest checkpoint: the older one is used, the damage named, the end the same", async ({
  live,
  app,
}) => {
  await openApp(live.page, app.url);
  const undisturbed = await digestOf(live.page, tiny(200));
  const run = await start(live.page, tiny(200));
  await waitFor(live.page, run, { step: 45 });
  await pause(live.page, run);
  const list = await checkpoints(live.page, run);
  const newest = list.at(-1)!.step;
  const before = list.at(-2)!.step;

  const page = await live.closePage();
  // The same origin, without the app.
  await page.goto(new URL("icon.svg", app.url).href);
  const flipped = await page.evaluate(flipNewestChunk, run);
  expect(flipped).toBeGreaterThan(0);

  await page.goto(app.url);
  await openApp(page, app.url);
  await showRun(page, run);
  await button(page, "Resume").click();
  const told = screen(page).getByRole("status").filter({ hasText: "could not be used" });
  await expect(told).toContainText(`step ${newest} (`);
  await expect(told).toContainText(`came back from step ${before}, which is whole`);
  await waitFor(page, run, { status: "finished" });
  expect(await page.evaluate((id) => holdfast.digest(id), run)).toBe(undisturbed);
  const resumed = (await detail(page, run)).events.find(({ kind }) => kind === "resumed");
  expect(resumed).toMatchObject({ from: before, step: newest, replayed: newest - before });
});

test("the browser loses its database: the run is back, with its name, its losses and its events, and ends the same", async ({
  live,
  app,
}) => {
  await openApp(live.page, app.url);
  const undisturbed = await digestOf(live.page, tiny(200));
  const run = await start(live.page, tiny(200));
  await waitFor(live.page, run, { step: 45 });
  await pause(live.page, run);
  await live.page.evaluate((id) => holdfast.rename(id, "found again"), run);
  const before = await detail(live.page, run);
  const losses = await live.page.evaluate((id) => holdfast.losses(id), run);

  const page = await live.closePage();
  // The same origin, without the app.
  await page.goto(new URL("icon.svg", app.url).href);
  await page.evaluate(
    () =>
      new Promise<void>((resolve, reject) => {
        const request = indexedDB.deleteDatabase("holdfast");
        request.onsuccess = () => {
          resolve();
        };
        request.onerror = () => {
          reject(new Error("the database cannot be deleted"));
        };
      }),
  );
  await page.goto(app.url);
  await openApp(page, app.url);
  await expect(screen(page).getByText("came back from what is stored")).toBeVisible();
  const after = await detail(page, run);
  expect(after.name).toBe("found again");
  expect(after.events).toEqual(before.events);
  expect(after.checkpointList.map(({ step, digest }) => [step, digest])).toEqual(
    before.checkpointList.map(({ step, digest }) => [step, digest]),
  );
  expect(await page.evaluate((id) => holdfast.losses(id), run)).toEqual(losses);
  await showRun(page, run);
  await button(page, "Resume").click();
  await waitFor(page, run, { status: "finished" });
  expect(await page.evaluate((id) => holdfast.digest(id), run)).toBe(undisturbed);
});

/** Runs in a page. Flips one bit in the payload of the last chunk frame of this run; returns its offset. */
async function flipNewestChunk(run: string): Promise<number> {
  const MAGIC = [0x89, 0x48, 0x46, 0x52, 0x4d, 0x0d, 0x0a, 0x1a];
  const HEADER_BYTES = 104;
  const CHUNK = 1;
  const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle("packs");
  let found = { sequence: -1, offset: 0, file: undefined as FileSystemFileHandle | undefined };
  for await (const entry of folder.values()) {
    if (!(entry instanceof FileSystemFileHandle)) continue;
    const bytes = new Uint8Array(await (await entry.getFile()).arrayBuffer());
    const view = new DataView(bytes.buffer);
    for (let at = 0; at + HEADER_BYTES < bytes.length; at += 8) {
      if (!MAGIC.every((byte, i) => bytes[at + i] === byte) || bytes[at + 10] !== CHUNK) continue;
      const owner = new TextDecoder().decode(bytes.subarray(at + 40, at + 64));
      const sequence = Number(view.getBigUint64(at + 24, true));
      if (owner.startsWith(run) && sequence > found.sequence)
        found = { sequence, offset: at + HEADER_BYTES + 5, file: entry };
    }
  }
  if (found.file === undefined) throw new Error("There is no chunk of this run.");
  const whole = new Uint8Array(await (await found.file.getFile()).arrayBuffer());
  whole[found.offset]! ^= 0x10;
  const { file } = found;
  const released = async (): Promise<FileSystemWritableFileStream> => {
    // The closed page's storage worker may still be ending, and holds the pack until it has.
    for (;;) {
      try {
        return await file.createWritable();
      } catch (error) {
        if (!(error instanceof DOMException && error.name === "NoModificationAllowedError")) throw error;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  };
  const writable = await released();
  await writable.write(whole);
  await writable.close();
  return found.offset;
}

test("two tabs: the second follows and may not resume; it takes over, and the first follows it", async ({
  live,
  app,
}) => {
  const first = live.page;
  await openApp(first, app.url);
  const options = tiny(4000);
  const run = await start(first, options);
  await showRun(first, run);
  const second = await live.context.newPage();
  await openApp(second, app.url);
  await showRun(second, run);
  await expectStatus(second, "in another tab");
  await expect(button(second, "Pause")).toHaveCount(0);
  await expect(button(second, "Learning rate")).toHaveCount(0);
  const refused = await refusal(second, "resume", run);
  expect(refused).toMatch(/^busy: Another tab has this run open/);
  const chart = screen(second).getByRole("img", { name: /^Loss by step/ });
  const seen = await chart.getAttribute("aria-label");
  await expect(chart).not.toHaveAttribute("aria-label", seen ?? "");

  await button(second, "Take over").click();
  await expectStatus(second, "training");
  await expectStatus(first, "in another tab");
  await expect(button(first, "Take over")).toBeVisible();
  const told = first.getByText("Another tab took “Spirals” over and goes on with it there.");
  await expect(told).toBeVisible();
  await first.evaluate(() => (location.hash = "#/"));
  await expect(first.getByRole("heading", { level: 1, name: "Runs" })).toBeVisible();
  await expect(told).toHaveCount(0);
  await showRun(first, run);
  await expect(told).toBeVisible();
  const { step } = await detail(second, run);
  await waitFor(second, run, { step: step + 20 });
  expect.soft(await refusal(first, "pause", run)).toMatch(/^busy: /);
  await pause(second, run);
  const { status, step: end } = await detail(second, run);
  expect(status).toBe("paused");
  expect(await second.evaluate(async (id) => (await holdfast.losses(id)).length, run)).toBe(end);
  await expect.soft(screen(first).getByText("epoch")).toHaveCount(0);
});

test("numbers that go bad fail the run at a named step, and a fork from the last good one trains", async ({
  live,
  app,
}) => {
  const { page } = live;
  await openApp(page, app.url);
  const run = await start(page, {
    task: "text",
    preset: "tiny",
    steps: 300,
    seed: 3,
    optimizer: {
      kind: "sgd",
      learningRate: 10,
      weightDecay: 10,
      clipNorm: 0,
      schedule: { kind: "constant" },
    },
    policy: { save: { kind: "steps", every: 2 }, draw: false },
  });
  await showRun(page, run);
  await waitFor(page, run, { status: "failed" });
  await expectStatus(page, "failed");
  const { events: told } = await detail(page, run);
  expect(told.at(-1)).toMatchObject({ kind: "trouble", code: "bad-numbers" });
  const losses = await page.evaluate(async (id) => [...(await holdfast.losses(id))].map(String), run);
  const bad = losses.findIndex((loss) => !Number.isFinite(Number(loss))) + 1;
  expect(bad).toBeGreaterThan(0);
  const alert = screen(page)
    .getByRole("alert")
    .filter({ hasText: `stopped being a number at step ${bad}` });
  await expect(alert).toContainText("the run was paused");
  await expect.soft(screen(page).getByRole("alert")).toHaveCount(1);
  expect((await checkpoints(page, run)).at(-1)!.step).toBeLessThan(bad);
  expect(await refusal(page, "resume", run)).toMatch(/^bad-numbers: /);

  await alert.getByRole("button", { name: /with rate/ }).click();
  await expect.poll(() => runOnScreen(page)).not.toBe(run);
  const fork = await runOnScreen(page);
  const good = (await detail(page, fork)).parent;
  expect(good).toMatchObject({ run });
  await waitFor(page, fork, { step: good!.step + 2 });
  await expect(screen(page)).toContainText("forked from");
});

/** Code and message with which a call fails; `done` where it does not. */
function refusal(page: Page, call: "pause" | "resume", run: string): Promise<string> {
  return page.evaluate(
    ([name, id]) =>
      holdfast[name](id).then(
        () => "done",
        (error: unknown) =>
          error instanceof Error && "code" in error
            ? `${String(error.code)}: ${error.message}`
            : String(error),
      ),
    [call, run] as const,
  );
}

function tiny(steps: number): StartOptions {
  return {
    task: "spirals",
    preset: "tiny",
    seed: 11,
    steps,
    policy: { save: { kind: "steps", every: 10 }, draw: false },
  };
}

/** The digest at the end of a run that nothing happens to. */
async function digestOf(page: Page, options: StartOptions): Promise<string> {
  const run = await start(page, options);
  await waitFor(page, run, { status: "finished" });
  return page.evaluate((id) => holdfast.digest(id), run);
}
