/**
 * *Digits* on MNIST: its two gzipped files are brought as a person brings them, the first 8,000 images are learnt from, and
 * at least 90 % of the last 2,000 must be told right. `--data FOLDER`, `--steps N` (default 400).
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { DrillResult, RunContext } from "../../scripts/lib/context.mjs";
import { detail, openApp, start, waitFor } from "../support/app-page";
import { LiveBrowser } from "../support/kill";

const DEFAULT_DATA = fileURLToPath(new URL("../../../shared/data", import.meta.url));
const FILES = ["t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"];
const STEPS = 400;
const WANTED = 0.9;

export async function run({ options, app, log }: RunContext): Promise<DrillResult> {
  const data = options.get("data") ?? DEFAULT_DATA;
  const paths = FILES.map((name) => join(data, name));
  const missing = paths.find((path) => !existsSync(path));
  if (missing !== undefined) {
    log(`skipped: there is no ${missing}; name the folder of MNIST's test files with --data FOLDER`);
    return { done: 1, asked: 1 };
  }
  const browser = await LiveBrowser.launch();
  try {
    const { page } = browser;
    await openApp(page, await app());
    await page.evaluate(() => {
      const input = document.createElement("input");
      Object.assign(input, { type: "file", multiple: true, id: "mnist" });
      document.body.append(input);
    });
    await page.locator("#mnist").setInputFiles(paths);
    const added = await page.evaluate(() => {
      const input = document.querySelector<HTMLInputElement>("#mnist");
      return holdfast.addData("digits", [...(input?.files ?? [])]);
    });
    log(added.preview.notes.join(" "));
    const steps = Number(options.get("steps") ?? STEPS);
    const began = performance.now();
    const run = await start(page, {
      task: "digits",
      preset: "tiny",
      name: "MNIST",
      seed: 1,
      steps,
      data: added,
      config: { split: "last", shift: 0, batchSize: 32, filters: 6, hidden: 32, dropout: 0 },
      policy: { save: { kind: "never" }, draw: false, evaluate: Math.ceil(steps / 4) },
    });
    await waitFor(page, run, { status: "finished" });
    const { events } = await detail(page, run);
    for (const event of events) {
      if (event.kind === "evaluated")
        log(`step ${event.step}: ${(100 * (event.metrics["val_accuracy"] ?? 0)).toFixed(1)} % of 2,000`);
    }
    const last = events.findLast((event) => event.kind === "evaluated");
    log(`${steps} steps in ${((performance.now() - began) / 1000).toFixed(0)} s`);
    const accuracy = last?.kind === "evaluated" ? (last.metrics["val_accuracy"] ?? 0) : 0;
    return { done: accuracy >= WANTED ? 1 : 0, asked: 1 };
  } finally {
    await browser.close();
  }
}
