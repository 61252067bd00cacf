/** Runs kept in step in a folder, which goes to another browser. A folder of the browser's own stands for one on a disk. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Page } from "@playwright/test";
import { openApp, pause, resume, start, waitFor } from "../support/app-page";
import { expect, test } from "../support/browser";
import { button, inAnotherBrowser, PATIENTLY, screen } from "../support/person";

const FOLDER = "My runs";
const SPEC = {
  task: "spirals",
  name: "Traveller",
  seed: 11,
  steps: 200,
  config: { width: 8, batchSize: 16 },
} as const;

/** What a person picks: no window of the system's can be answered here. */
async function pickable(page: Page): Promise<void> {
  await page.evaluate(async (name) => {
    const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle(name, { create: true });
    Object.assign(globalThis, { showDirectoryPicker: () => Promise.resolve(folder) });
  }, FOLDER);
}

function card(page: Page) {
  return screen(page).getByRole("region", { name: /^Mirror/ });
}

function state(page: Page) {
  return card(page).getByRole("status");
}

async function showHealth(page: Page): Promise<void> {
  await page.evaluate(() => {
    location.hash = "#/health";
  });
  await expect(card(page)).toBeVisible();
}

/** Every file of the folder, by its path. */
function carried(page: Page): Promise<Readonly<Record<string, string>>> {
  return page.evaluate(async (name) => {
    const files: Record<string, string> = {};
    const walk = async (folder: FileSystemDirectoryHandle, path: string): Promise<void> => {
      for await (const [own, entry] of folder.entries()) {
        if (entry.kind === "directory") await walk(entry, `${path}${own}/`);
        else {
          const file = await entry.getFile();
          const bytes = new Uint8Array(await file.arrayBuffer());
          files[path + own] = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
        }
      }
    };
    await walk(await (await navigator.storage.getDirectory()).getDirectoryHandle(name), "");
    return files;
  }, FOLDER);
}

async function unpack(page: Page, files: Readonly<Record<string, string>>): Promise<void> {
  await page.evaluate(
    async ({ name, all }) => {
      const root = await (await navigator.storage.getDirectory()).getDirectoryHandle(name, { create: true });
      for (const [path, base64] of Object.entries(all)) {
        const parts = path.split("/");
        let folder = root;
        for (const part of parts.slice(0, -1))
          folder = await folder.getDirectoryHandle(part, { create: true });
        const file = await folder.getFileHandle(parts.at(-1) ?? "", { create: true });
        const out = await file.createWritable();
        await out.write(Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0)));
        await out.close();
      }
    },
    { name: FOLDER, all: files },
  );
}

test("a run is mirrored while it trains, survives a reload there, and goes on in another browser to the state of one that nothing happened to", async ({
  live,
  app,
}) => {
  const { page } = live;
  await openApp(page, app.url);
  const whole = await start(page, SPEC);
  await waitFor(page, whole, { status: "finished" });
  const digest = await page.evaluate((id) => holdfast.digest(id), whole);

  await pickable(page);
  await showHealth(page);
  await card(page).getByRole("button", { name: "Choose a folder" }).click();
  await expect(state(page)).toHaveText("in step", PATIENTLY);
  await expect(card(page)).toContainText(FOLDER);

  // Nobody asks for it: what is saved from here on is mirrored by itself.
  const run = await start(page, { ...SPEC, policy: { save: { kind: "steps", every: 10 }, draw: false } });
  await waitFor(page, run, { step: 60 });
  await pause(page, run);
  const paused = await page.evaluate(async (id) => (await holdfast.checkpoints(id)).at(-1)?.step, run);
  await page.reload();
  await openApp(page, app.url);
  const mirrored = () =>
    page.evaluate(async (id) => {
      const status = await holdfast.mirror();
      return { state: status?.state, step: status?.report?.runs.find((one) => one.run === id)?.step };
    }, run);
  await expect.poll(mirrored, PATIENTLY).toEqual({ state: "in step", step: paused });

  await inAnotherBrowser(async (there) => {
    await openApp(there, app.url);
    await unpack(there, await carried(page));
    await pickable(there);
    await showHealth(there);
    await card(there).getByRole("button", { name: "Import from a folder" }).click();
    await expect(screen(there).locator("xpath=/ancestor::body")).toContainText(
      `${FOLDER}: 2 runs`,
      PATIENTLY,
    );
    await resume(there, run);
    await waitFor(there, run, { status: "finished" });
    expect(await there.evaluate((id) => holdfast.digest(id), run)).toBe(digest);
  });
});

test("a file that changed in the folder is found by reading it back, and one in the browser is had from the folder", async ({
  live,
  app,
}) => {
  const { page } = live;
  await openApp(page, app.url);
  const run = await start(page, {
    ...SPEC,
    steps: 20,
    policy: { save: { kind: "steps", every: 10 }, draw: false },
  });
  await waitFor(page, run, { status: "finished" });
  await pickable(page);
  await showHealth(page);
  await card(page).getByRole("button", { name: "Choose a folder" }).click();
  await expect(state(page)).toHaveText("in step", PATIENTLY);
  const path = Object.keys(await carried(page)).find((name) => /\/20\.\w+\.safetensors$/.test(name)) ?? "";
  const before = (await carried(page))[path] ?? "";
  await unpack(page, { [path]: `${before.slice(0, -8)}AAAAAAA=` });
  await button(page, "Read it back").click();
  await expect(page.getByText("1 checkpoint mended in the folder")).toBeVisible(PATIENTLY);
  expect((await carried(page))[path]).toBe(before);
  await expect(card(page)).not.toContainText("never");

  await card(page).getByRole("button", { name: "Stop mirroring" }).click();
  await expect(card(page).getByRole("button", { name: "Choose a folder" })).toBeVisible();
  expect(Object.keys(await carried(page))).toContain(path);
});

/** Drops a folder of this machine's disk onto the page: the one way to a real handle that needs no window of the system's. */
async function dropped(page: Page, path: string): Promise<void> {
  await page.evaluate(() => {
    for (const kind of ["dragover", "drop"])
      document.addEventListener(
        kind,
        (event) => {
          event.preventDefault();
          event.stopImmediatePropagation();
          const [item] = (event as DragEvent).dataTransfer?.items ?? [];
          const { getAsFileSystemHandle } = item as unknown as {
            readonly getAsFileSystemHandle: () => Promise<FileSystemHandle>;
          };
          if (kind === "drop") Object.assign(globalThis, { folder: getAsFileSystemHandle.call(item) });
        },
        { capture: true, once: kind === "drop" },
      );
  });
  const devtools = await page.context().newCDPSession(page);
  const data = { items: [], files: [path], dragOperationsMask: 1 };
  for (const type of ["dragEnter", "dragOver", "drop"] as const)
    await devtools.send("Input.dispatchDragEvent", { type, x: 400, y: 300, data });
  await page.waitForFunction(() => "folder" in globalThis);
}

test("a folder of a real disk is read, and written to only when the person allows it", async ({
  live,
  app,
}) => {
  const { page } = live;
  await openApp(page, app.url);
  const spec = { ...SPEC, steps: 20, policy: { save: { kind: "steps", every: 10 }, draw: false } } as const;
  const run = await start(page, spec);
  await waitFor(page, run, { status: "finished" });
  const digest = await page.evaluate((id) => holdfast.digest(id), run);
  await pickable(page);
  await showHealth(page);
  await card(page).getByRole("button", { name: "Choose a folder" }).click();
  await expect(state(page)).toHaveText("in step", PATIENTLY);

  const disk = mkdtempSync(join(tmpdir(), "mirror-"));
  try {
    await inAnotherBrowser(async (there) => {
      for (const [path, base64] of Object.entries(await carried(page))) {
        mkdirSync(dirname(join(disk, path)), { recursive: true });
        writeFileSync(join(disk, path), Buffer.from(base64, "base64"));
      }
      await openApp(there, app.url);
      await dropped(there, disk);
      const imported = await there.evaluate(async () => {
        const folder = await (globalThis as unknown as { folder: Promise<FileSystemDirectoryHandle> }).folder;
        await holdfast.setMirror(folder);
        return holdfast.importMirror(folder);
      });
      expect(imported).toEqual([{ run, how: "new", hasData: true }]);
      expect(await there.evaluate((id) => holdfast.digest(id), run)).toBe(digest);
      await there.reload();
      await openApp(there, app.url);
      await showHealth(there);
      await expect(state(there)).toHaveText("waits for permission");
      await expect(card(there).getByRole("button", { name: /^Allow/ })).toBeEnabled();
      await expect(screen(there).getByRole("alert")).toContainText("asked again");
      expect(
        await there.evaluate(() =>
          holdfast.syncMirror().then(
            () => "",
            (error: unknown) => (error as { code?: string }).code,
          ),
        ),
      ).toBe("refused");
    });
  } finally {
    rmSync(disk, { recursive: true });
  }
});
