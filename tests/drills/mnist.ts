/**
 * *Digits* on MNIST: its two gzipped files are brought as a person brings them, the first 8,000 images are learnt from,
 * and at least 90 % of the last 2,000 must be told right. On the backend that is the fastest here, which a few steps on
 * each of them tell. `--data FOLDER`, `--steps N` (default 800), `--backend NAME`.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Page } from "@playwright/test";
import type { DrillResult, RunContext } from "../../scripts/lib/context.mjs";
import type { StartOptions } from "../../src/worker/api";
import { detail, openApp, start, waitFor } from "../support/app-page";
import { LiveBrowser } from "../support/kill";
import { MACHINES, type Machine } from "../support/machines";

const DEFAULT_DATA = fileURLToPath(new URL("../../../shared/data", import.meta.url));
const FILES = ["t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"];
const STEPS = 800;
const WANTED = 0.9;
/** The first step compiles shaders. */
const TRIED_FROM = 2;
const TRIED_TO = 30;

export async function run({ options, app, log }: RunContext): Promise<DrillResult> {
  const folder = options.get("data") ?? DEFAULT_DATA;
  const files = FILES.map((name) => join(folder, name));
  const missing = files.find((path) => !existsSync(path));
  if (missing !== undefined) {
    log(`skipped: there is no ${missing}; name the folder of MNIST's test files with --data FOLDER`);
    return { done: 1, asked: 1 };
  }
  const url = await app();
  const steps = Number(options.get("steps") ?? STEPS);
  const named = options.get("backend");
  const machine =
    MACHINES.find(({ backend }) => backend === named) ?? (await fastest(url, files, (line) => log(line)));
  return onMachine(machine, url, files, async (page, given) => {
    const began = performance.now();
    const run = await start(page, {
      ...given,
      name: "MNIST",
      steps,
      policy: { save: { kind: "never" }, draw: false, evaluate: Math.ceil(steps / 4) },
    });
    await waitFor(page, run, { status: "finished" });
    log(`${steps} steps on ${machine.shown} in ${((performance.now() - began) / 1000).toFixed(0)} s`);
    const { events } = await detail(page, run);
    const seen = events.flatMap((event) => (event.kind === "evaluated" ? [event] : []));
    const accuracyOf = ({ metrics }: (typeof seen)[number]): number => metrics["val_accuracy"] ?? 0;
    for (const event of seen)
      log(`step ${event.step}: ${(100 * accuracyOf(event)).toFixed(1)} % of the last 2,000`);
    const last = seen.at(-1);
    return { done: last !== undefined && accuracyOf(last) >= WANTED ? 1 : 0, asked: 1 };
  });
}

/** Steps per second on each, and the best of them. */
async function fastest(url: string, files: string[], log: (line: string) => void): Promise<Machine> {
  const rates = new Map<Machine, number>();
  for (const machine of MACHINES) {
    const rate = await onMachine(machine, url, files, async (page, given) => {
      const run = await start(page, {
        ...given,
        steps: TRIED_TO,
        policy: { save: { kind: "never" }, draw: false },
      });
      await waitFor(page, run, { step: TRIED_FROM });
      const began = performance.now();
      await waitFor(page, run, { status: "finished" });
      return ((TRIED_TO - TRIED_FROM) * 1000) / (performance.now() - began);
    });
    log(`${machine.shown}: ${rate.toFixed(2)} steps a second`);
    rates.set(machine, rate);
  }
  const [[best] = []] = [...rates].sort(([, a], [, b]) => b - a);
  if (best === undefined) throw new Error("There is no backend to choose from.");
  return best;
}

/** A browser of its own, with the images in its store. */
async function onMachine<Result>(
  machine: Machine,
  url: string,
  files: string[],
  act: (page: Page, given: StartOptions) => Promise<Result>,
): Promise<Result> {
  const browser = await LiveBrowser.launch(machine.launch);
  try {
    const { page } = browser;
    await openApp(page, url);
    const { name } = await page.evaluate(() => holdfast.backend());
    if (name !== machine.backend)
      throw new Error(`This browser trains on ${name}, not on ${machine.backend}.`);
    await page.evaluate(() => {
      const input = document.createElement("input");
      Object.assign(input, { type: "file", multiple: true, id: "mnist" });
      document.body.append(input);
    });
    await page.locator("#mnist").setInputFiles(files);
    const data = await page.evaluate(() => {
      const input = document.querySelector<HTMLInputElement>("#mnist");
      return holdfast.addData("digits", [...(input?.files ?? [])]);
    });
    return await act(page, {
      task: "digits",
      preset: "tiny",
      seed: 1,
      data,
      config: { split: "last", shift: 0, batchSize: 16, filters: 4, hidden: 32, dropout: 0 },
    });
  } finally {
    await browser.close();
  }
}
