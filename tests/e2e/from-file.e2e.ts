/** A run that begins with a file: killed and resumed, bit for bit, and gone back to where it began. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import type * as TensorFlow from "@tensorflow/tfjs";
import { ROOT } from "../../scripts/lib/process.mjs";
import type { StartOptions } from "../../src/worker/api";
import { detail, lossBits, openApp, readState, resume, start, waitFor } from "../support/app-page";
import { expect, test } from "../support/browser";
import { button, PATIENTLY, runOnScreen, screen } from "../support/person";
import { stateDigest } from "../support/state-digest";

const SAVES = { save: { kind: "steps", every: 40 }, draw: false } as const;
const NEVER = { save: { kind: "never" }, draw: false } as const;
const OPTIONS = { task: "spirals", preset: "tiny", seed: 3, steps: 160, policy: SAVES } as const;

/** Begins with the last checkpoint of `donor`, weights and slots. */
function startFrom(page: Page, donor: string, step: number, options: StartOptions): Promise<string> {
  return page.evaluate(
    async ([from, at, given]) => {
      const file = new File([await holdfast.exportCheckpoint(from, at)], "donor.safetensors");
      return holdfast.start({ ...given, from: file });
    },
    [donor, step, options] as const,
  );
}

async function outcome(page: Page, run: string) {
  return { digest: stateDigest(await readState(page, run)), losses: await lossBits(page, run) };
}

test("a run begun from a file and killed ends as one that nothing happened to", async ({ live, app }) => {
  await openApp(live.page, app.url);
  const donor = await start(live.page, { ...OPTIONS, steps: 10, seed: 4 });
  await waitFor(live.page, donor, { status: "finished" });
  const undisturbed = await startFrom(live.page, donor, 10, { ...OPTIONS, policy: NEVER });
  await waitFor(live.page, undisturbed, { status: "finished" });
  const expected = await outcome(live.page, undisturbed);
  const seeded = await start(live.page, OPTIONS);
  await waitFor(live.page, seeded, { status: "finished" });
  // Else it would prove nothing to compare the other two.
  expect((await outcome(live.page, seeded)).digest).not.toBe(expected.digest);

  const run = await startFrom(live.page, donor, 10, OPTIONS);
  await waitFor(live.page, run, { step: 50 });
  await live.killBrowser();
  await live.relaunch();
  await openApp(live.page, app.url);
  expect((await detail(live.page, run)).status).not.toBe("finished");
  await resume(live.page, run);
  await waitFor(live.page, run, { status: "finished" });
  expect(await outcome(live.page, run)).toEqual(expected);

  // S_0 is the file's, and a step that was not saved is computed again from there.
  const [first, donated] = [await readState(live.page, run, 0), await readState(live.page, donor, 10)];
  const tensorsOf = (state: typeof first) => state.filter(({ name }) => /^(param|slot|counter)\//.test(name));
  expect(tensorsOf(first)).toEqual(tensorsOf(donated));
  const visit = await live.page.evaluate((id) => holdfast.goto(id, 7), run);
  expect(visit).toMatchObject({ checkpoint: 0, replayed: 7 });
  const { record } = await detail(live.page, run);
  expect(record.from?.name).toBe("donor.safetensors");
  const fork = await live.page.evaluate((id) => holdfast.fork(id, 7, { steps: 9 }), run);
  expect((await detail(live.page, fork)).record.from).toEqual(record.from);
});

test("a person starts from weights, and reads why others do not fit", async ({ live, app }) => {
  await openApp(live.page, app.url);
  const donor = await start(live.page, { ...OPTIONS, steps: 10 });
  await waitFor(live.page, donor, { status: "finished" });
  const base64 = await live.page.evaluate(async (id) => {
    const bytes = new Uint8Array(await (await holdfast.exportCheckpoint(id, 10)).arrayBuffer());
    return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  }, donor);
  const file = {
    name: "mine.safetensors",
    mimeType: "application/octet-stream",
    buffer: Buffer.from(base64, "base64"),
  };
  await live.page
    .getByRole("navigation", { name: "Holdfast" })
    .getByRole("link", { name: "New run" })
    .click();
  const main = screen(live.page);
  await main.getByRole("radio", { name: "Spirals" }).check();
  await main.getByText("Start from weights", { exact: true }).click();
  await main.getByLabel("Weights to start from").setInputFiles(file);
  await expect(main.getByText("mine.safetensors")).toBeVisible();
  await button(live.page, "Start training").click();
  await expect(main.getByText(/The run did not start: "mine\.safetensors" does not fit/)).toBeVisible(
    PATIENTLY,
  );
  await main.getByRole("radio", { name: "Tiny" }).check();
  await main.getByLabel("Steps", { exact: true }).fill("5");
  await button(live.page, "Start training").click();
  await runOnScreen(live.page);
  await expect(main.getByText("began with the weights of mine.safetensors")).toBeVisible(PATIENTLY);
});

test("a LayersModel's files are a first state", async ({ live, app }) => {
  await openApp(live.page, app.url);
  const dense = (name: string, activation: string) => ({ class_name: "Dense", config: { name, activation } });
  const weights = [
    { name: "a/kernel", shape: [2, 2], dtype: "float32" },
    { name: "a/bias", shape: [2], dtype: "float32" },
    { name: "b/kernel", shape: [2, 1], dtype: "float32" },
    { name: "b/bias", shape: [1], dtype: "float32" },
  ];
  const json = JSON.stringify({
    modelTopology: {
      class_name: "Sequential",
      config: { layers: [dense("a", "tanh"), dense("b", "linear")] },
    },
    weightsManifest: [{ paths: ["weights.bin"], weights }],
  });
  const run = await live.page.evaluate((model) => {
    const values = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9);
    return holdfast.start({
      task: "spirals",
      preset: "tiny",
      config: { layers: 1, width: 2 },
      steps: 1,
      from: [new File([values], "weights.bin"), new File([model], "model.json")],
    });
  }, json);
  await waitFor(live.page, run, { status: "finished" });
  const first = await readState(live.page, run, 0);
  const valuesOf = (name: string) => [
    ...new Float32Array(Uint8Array.from(first.find((entry) => entry.name === name)?.bytes ?? []).buffer),
  ];
  expect(valuesOf("param/hidden0/weight")).toEqual([1, 2, 3, 4]);
  expect(valuesOf("param/hidden0/bias")).toEqual([5, 6]);
  expect(valuesOf("param/output/weight")).toEqual([7, 8]);
  expect(valuesOf("param/output/bias")).toEqual([9]);
  expect((await detail(live.page, run)).record.from?.name).toBe("model.json");
});

/** Saves a model of these settings as another page of the origin would, with tfjs itself. Returns its weights' values. */
async function saveByTfjs(page: Page, name: string, width: number): Promise<number[][]> {
  await page.evaluate(readFileSync(join(ROOT, "node_modules/@tensorflow/tfjs/dist/tf.min.js"), "utf8"));
  return page.evaluate(
    async ([url, units]) => {
      const { tf } = globalThis as unknown as { tf: typeof TensorFlow };
      await tf.setBackend("cpu");
      const biasInitializer = "randomNormal";
      const layers = [
        tf.layers.dense({ units, activation: "tanh", inputShape: [2], biasInitializer }),
        tf.layers.dense({ units: 1, activation: "sigmoid", biasInitializer }),
      ];
      const model = tf.sequential({ layers });
      await model.save(url);
      return model.getWeights().map((weight) => [...weight.dataSync()]);
    },
    [name, width] as const,
  );
}

test("a person starts from a model that TensorFlow.js saved in this browser", async ({ live, app }) => {
  const NAME = "indexeddb://my-spirals";
  await openApp(live.page, app.url);
  const openForm = async () => {
    await live.page
      .getByRole("navigation", { name: "Holdfast" })
      .getByRole("link", { name: "New run" })
      .click();
    await main.getByText("Start from weights", { exact: true }).click();
  };
  const main = screen(live.page);
  const choice = main.getByLabel("Or a model that TensorFlow.js saved in this browser");
  await openForm();
  await main.getByRole("radio", { name: "Spirals" }).check();
  await expect(main.getByText("None: weights are drawn from the seed.")).toBeVisible();
  await expect(choice).toBeHidden();
  const refusal = await live.page.evaluate(async (from) => {
    const reason: unknown = await holdfast
      .start({ task: "spirals", preset: "tiny", from })
      .catch((e: unknown) => e);
    const databases = await indexedDB.databases();
    return {
      code: (reason as { code: string }).code,
      has: databases.some(({ name }) => name === "tensorflowjs"),
    };
  }, NAME as `indexeddb://${string}`);
  expect(refusal).toEqual({ code: "missing", has: false });

  const weights = await saveByTfjs(live.page, NAME, 3);
  await live.page.reload();
  await openApp(live.page, app.url);
  expect(await live.page.evaluate(() => holdfast.layersModels())).toEqual([NAME]);
  await openForm();
  await main.getByRole("radio", { name: "Text" }).check();
  await expect(choice).toBeHidden();
  await main.getByRole("radio", { name: "Spirals" }).check();
  await choice.selectOption(NAME);
  await main.getByRole("radio", { name: "Tiny" }).check();
  await main.getByLabel("Steps", { exact: true }).fill("5");
  await button(live.page, "Start training").click();
  await expect(
    main.getByText(/The run did not start: .*it has 2 Dense layers where the model has 3/),
  ).toBeVisible(PATIENTLY);
  await main.getByText("Model and data", { exact: true }).click();
  await main.getByLabel("Hidden layers").fill("1");
  await main.getByLabel("Width", { exact: true }).fill("3");
  await button(live.page, "Start training").click();
  const run = await runOnScreen(live.page);
  await expect(main.getByText(`began with the weights of ${NAME}`)).toBeVisible(PATIENTLY);
  await waitFor(live.page, run, { status: "finished" });
  const first = await readState(live.page, run, 0);
  const names = ["hidden0/weight", "hidden0/bias", "output/weight", "output/bias"];
  const valuesOf = (name: string) => [
    ...new Float32Array(
      Uint8Array.from(first.find((entry) => entry.name === `param/${name}`)?.bytes ?? []).buffer,
    ),
  ];
  expect(names.map(valuesOf)).toEqual(weights);
  expect(new Set(weights.flat()).size).toBe(2 * 3 + 3 + 3 + 1);
  expect((await detail(live.page, run)).record.from?.name).toBe(NAME);
});
