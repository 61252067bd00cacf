/**
 * *Modular addition*, `tiny`: by step 200 its sums must be learnt by heart and the rule not found, and by the end (600)
 * nine of ten sums that it never saw must be right. `--seed N`.
 */
import type { DrillResult, RunContext } from "../../scripts/lib/context.mjs";
import { detail, openApp, start, waitFor } from "../support/app-page";
import { LiveBrowser } from "../support/kill";

const STEPS = 600;
const EVERY = 100;
const BY_HEART_AT = 200;

export async function run({ options, app, log }: RunContext): Promise<DrillResult> {
  const browser = await LiveBrowser.launch();
  try {
    const { page } = browser;
    await openApp(page, await app());
    const run = await start(page, {
      task: "modular",
      preset: "tiny",
      seed: Number(options.get("seed") ?? 1),
      steps: STEPS,
      policy: { save: { kind: "never" }, draw: false, evaluate: EVERY },
    });
    await waitFor(page, run, { status: "finished" });
    const { events } = await detail(page, run);
    const seen = events.flatMap((event) => (event.kind === "evaluated" ? [event] : []));
    const at = (step: number, metric: string): number =>
      seen.find((event) => event.step === step)?.metrics[metric] ?? Number.NaN;
    for (const { step } of seen) {
      const percent = (metric: string): string => `${(100 * at(step, metric)).toFixed(0)} %`;
      log(
        `step ${step}: ${percent("train_accuracy")} of the sums it saw, ${percent("val_accuracy")} of the others`,
      );
    }
    const byHeart = at(BY_HEART_AT, "train_accuracy") > 0.95 && at(BY_HEART_AT, "val_accuracy") < 0.5;
    const found = at(STEPS, "val_accuracy") > 0.9;
    return { done: Number(byHeart) + Number(found), asked: 2 };
  } finally {
    await browser.close();
  }
}
