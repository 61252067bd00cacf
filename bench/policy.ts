/**
 * What the default policy costs and gives: an MLP of at least 100,000 parameters, 1,000 steps, saved by the default policy
 * beside the same run that saves nothing, in turns that change sides; then returns to steps drawn at random. All in the app itself.
 * `--steps N`, `--turns N` (default 2), `--visits N` (default 40).
 */
import type { Page } from "@playwright/test";
import type { BenchResult, RunContext } from "../scripts/lib/context.mjs";
import { random } from "../src/engine/random";
import { defaultPolicy } from "../src/policy/presets";
import type { Policy } from "../src/worker/protocol";
import { checkpoints, detail, openApp, start, waitFor } from "../tests/support/app-page";

/** Seven layers of 128 × 128 and what is around them. */
const CONFIG = { layers: 8, width: 128, batchSize: 8 };
/** The first steps compile shaders and fill caches. */
const WARM_STEPS = 50;
const RETURN_MS = 5000;

export async function run({ browser, app, log, options }: RunContext): Promise<BenchResult> {
  const steps = Number(options.get("steps") ?? 1000);
  const turns = Number(options.get("turns") ?? 2);
  const visits = Number(options.get("visits") ?? 40);
  const page = await (await browser()).newPage();
  page.setDefaultTimeout(0);
  await openApp(page, await app());
  const { adapter, name } = await page.evaluate(() => holdfast.backend());
  const policy = { ...defaultPolicy(steps), draw: false };
  const idle: number[] = [];
  const saving: number[] = [];
  let saved = "";
  for (let turn = 0; turn < turns; turn += 1) {
    const rest = async () => {
      const rested = await trained(page, steps, { ...policy, save: { kind: "never" } });
      idle.push(await stepMs(page, rested));
    };
    const save = async () => {
      saved = await trained(page, steps, policy);
      saving.push(await stepMs(page, saved));
    };
    // Whichever comes second is slower on a machine that warms up, so each does every other time.
    for (const one of turn % 2 === 0 ? [rest, save] : [save, rest]) await one();
    log(`turn ${turn + 1}: ${idle.at(-1)?.toFixed(1)} ms a step idle, ${saving.at(-1)?.toFixed(1)} saving`);
  }
  const kept = await checkpoints(page, saved);
  const rawBytes = kept[0]?.rawBytes ?? Number.NaN;
  const stored = kept.reduce((sum, { storedBytes }) => sum + storedBytes, 0);
  const ms = median(saving);
  const stepsInTarget = RETURN_MS / ms;
  const compressed = stored / kept.length / rawBytes;
  log(`kept at ${kept.map(({ step }) => step).join(", ")}; ${(rawBytes / 1e6).toFixed(2)} MB raw each`);
  const returns: number[] = [];
  for (let visit = 0; visit < visits; visit += 1) {
    const step = Math.floor(random(1, "visits", visit, 0) * (steps + 1));
    returns.push((await page.evaluate(([id, at]) => holdfast.goto(id, at), [saved, step] as const)).ms);
  }
  return {
    adapter: [name, adapter["vendor"], adapter["architecture"]].filter((word) => word).join(" "),
    results: {
      parameters: rawBytes / 12,
      step_ms: ms,
      checkpoints: kept.length,
      bytes_per_step_ratio: stored / rawBytes / steps,
      bound: stepsInTarget < 100 ? (1.2 * compressed) / stepsInTarget : 0.01,
      return_p50_s: median(returns) / 1000,
      return_max_s: Math.max(...returns) / 1000,
      steps_per_s_saving: 1000 / ms,
      steps_per_s_idle: 1000 / median(idle),
      saving_over_idle: mean(idle) / mean(saving),
    },
  };
}

async function trained(page: Page, steps: number, policy: Policy): Promise<string> {
  const run = await start(page, { task: "spirals", config: CONFIG, steps, seed: 3, policy });
  await waitFor(page, run, { status: "finished" });
  return run;
}

/** Mean over all but the first steps, as the journal has it. */
async function stepMs(page: Page, run: string): Promise<number> {
  const { step } = await detail(page, run);
  const sum = await page.evaluate(
    async ([id, from, to]) => {
      const { ms } = await holdfast.journal(id, from, to);
      return ms.reduce((total, value) => total + value, 0);
    },
    [run, WARM_STEPS + 1, step] as const,
  );
  return sum / (step - WARM_STEPS);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
}
