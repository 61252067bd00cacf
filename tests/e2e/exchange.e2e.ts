/** Runs that leave a browser and come into another one, in the ways that the journey does not go. */
import type { Page } from "@playwright/test";
import { openApp, resume, start, waitFor } from "../support/app-page";
import { expect, test } from "../support/browser";
import { button, inAnotherBrowser, screen, showRun } from "../support/person";

const SPEC = {
  task: "spirals",
  name: "Traveller",
  seed: 11,
  steps: 40,
  config: { width: 8, batchSize: 16 },
} as const;

test("a compact bundle without data goes on elsewhere to the state of a run that nothing happened to", async ({
  live,
  app,
}) => {
  const { page } = live;
  await openApp(page, app.url);
  // So many steps that the run is still on its way when it is paused.
  const spec = { ...SPEC, steps: 300 };
  const whole = await start(page, spec);
  await waitFor(page, whole, { status: "finished" });
  const digest = await page.evaluate((id) => holdfast.digest(id), whole);

  const run = await start(page, { ...spec, policy: { save: { kind: "steps", every: 4 }, draw: false } });
  await waitFor(page, run, { step: 20 });
  await page.evaluate((id) => holdfast.pause(id), run);
  const exported = await page.evaluate(async (id) => {
    const folder = await navigator.storage.getDirectory();
    const to = await folder.getFileHandle("taken.holdfast", { create: true });
    const told: number[] = [];
    const progress = (done: number, total: number): void => void told.push(done / total);
    const file = await holdfast.exportBundle(id, { compact: true, data: false, to, progress });
    const portable = await holdfast.exportBundle(id);
    const binary = Array.from(new Uint8Array(await file.arrayBuffer()), (byte) => String.fromCharCode(byte));
    return { base64: btoa(binary.join("")), last: told.at(-1), portable: portable.size, size: file.size };
  }, run);
  expect(exported.last).toBe(1);
  expect(exported.size).toBeLessThan(exported.portable);

  await inAnotherBrowser(async (there) => {
    await openApp(there, app.url);
    const [imported] = await there.evaluate(async (base64) => {
      const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
      return holdfast.importBundle(new File([bytes], "taken.holdfast"));
    }, exported.base64);
    expect(imported).toEqual({ run, how: "new", hasData: false });
    // The task makes its data again, and by its hash it is the same.
    await resume(there, run);
    await waitFor(there, run, { status: "finished" });
    expect(await there.evaluate((id) => holdfast.digest(id), run)).toBe(digest);
  });
});

test("what is cancelled leaves nothing; a person chooses a place, and is told how it went", async ({
  live,
  app,
}) => {
  const { page } = live;
  await openApp(page, app.url);
  const run = await start(page, SPEC);
  await waitFor(page, run, { status: "finished" });
  const codes = await page.evaluate(async (id) => {
    const codeOf = (work: Promise<unknown>) =>
      work.then(
        () => "",
        (error: unknown) => (error as { code?: string }).code,
      );
    const file = await holdfast.exportBundle(id);
    const folder = await navigator.storage.getDirectory();
    const to = await folder.getFileHandle("half.holdfast", { create: true });
    const signal = AbortSignal.abort();
    return [
      await codeOf(holdfast.exportBundle(id, { signal, to })),
      await codeOf(holdfast.exportBundle(id, { signal })),
      await codeOf(holdfast.exportCheckpoint(id, 40, { signal, to })),
      await codeOf(holdfast.importBundle(file, { signal })),
    ];
  }, run);
  expect(codes).toEqual(["cancelled", "cancelled", "cancelled", "cancelled"]);
  expect(await stored(page)).not.toContain("half.holdfast");
  // The one that was finished waits for its download.
  expect(await stored(page, "exports")).toHaveLength(1);

  await page.evaluate(() => {
    const showSaveFilePicker = async ({ suggestedName }: { suggestedName: string }) =>
      (await navigator.storage.getDirectory()).getFileHandle(suggestedName, { create: true });
    Object.assign(globalThis, { showSaveFilePicker });
  });
  await showRun(page, run);
  await button(page, "Export").click();
  await screen(page).getByRole("checkbox", { name: "Smaller, for Holdfast only" }).check();
  await button(page, "Run as a file").click();
  await expect(page.getByText("Exported traveller.holdfast")).toBeVisible();
  expect(await stored(page)).toContain("traveller.holdfast");
});

test("weights leave from any step, tell what that costs, and begin another run", async ({ live, app }) => {
  const { page } = live;
  await openApp(page, app.url);
  const run = await start(page, { ...SPEC, steps: 12 });
  await waitFor(page, run, { status: "finished" });
  const made = await page.evaluate(async (id) => {
    const digest = await holdfast.digest(id, 7);
    const exact = await holdfast.deploy(id, 7);
    const small = await holdfast.deploy(id, 7, { dtype: "int8" });
    const model = await holdfast.deploy(id, 7, { dtype: "float16", form: "layers-model" });
    const again = await holdfast.digest(id, 7);
    const from = new File([exact.file], "weights.safetensors");
    const child = await holdfast.start({
      task: "spirals",
      steps: 2,
      config: { width: 8, batchSize: 16 },
      from,
    });
    const first = await holdfast.state(child, 0);
    const wanted = await holdfast.state(id, 7);
    const differs = [...wanted].filter(
      ([name, { data }]) => name.startsWith("param/") && first.get(name)?.data.join() !== data.join(),
    );
    return {
      isUnchanged: digest === again,
      lossless: JSON.stringify(exact.before) === JSON.stringify(exact.after),
      costs: [small.before["val_loss"], small.after["val_loss"]],
      sizes: [exact.file.size > small.file.size, model.file.size > 0],
      differs: differs.map(([name]) => name),
    };
  }, run);
  expect(made).toMatchObject({ isUnchanged: true, lossless: true, sizes: [true, true], differs: [] });
  expect(made.costs[0]).not.toBe(made.costs[1]);
});

/** Names of the files in the site's own storage. */
function stored(page: Page, folder?: string): Promise<string[]> {
  return page.evaluate(async (name) => {
    const root = await navigator.storage.getDirectory();
    const names: string[] = [];
    const at = name === undefined ? root : await root.getDirectoryHandle(name);
    for await (const [entry] of at.entries()) names.push(entry);
    return names;
  }, folder);
}
