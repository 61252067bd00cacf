/**
 * What the default policy costs and gives: an MLP of at least 100,000 parameters, 1,000 steps saved by the default policy,
 * then returns to steps drawn at random. What saving takes from training is measured in one more run, which saves in every
 * other block of steps: a machine drifts by more from minute to minute than a save costs. All in the app itself.
 * `--steps N`, `--blocks N` (of 100 steps, default 20), `--visits N` (default 40).
 */
import type { Page } from "@playwright/test";
import type { BenchResult, RunContext } from "../scripts/lib/context.mjs";
import { random } from "../src/engine/random";
import { defaultPolicy } from "../src/policy/presets";
import type { Policy } from "../src/worker/protocol";
import { checkpoints, openApp, start, waitFor } from "../tests/support/app-page";

/** Seven layers of 128 × 128 and what is around them. */
const CONFIG = { layers: 8, width: 128, batchSize: 8 };
/** The first steps compile shaders and fill caches. */
const WARM_STEPS = 50;
const BLOCK = 100;
const RETURN_MS = 5000;

export async function run({ browser, app, log, options }: RunContext): Promise<BenchResult> {
  const steps = Number(options.get("steps") ?? 1000);
  const blocks = Number(options.get("blocks") ?? 20);
  const visits = Number(options.get("visits") ?? 40);
  const page = await (await browser()).newPage();
  page.setDefaultTimeout(0);
  await openApp(page, await app());
  const { adapter, name } = await page.evaluate(() => holdfast.backend());
  const policy = { ...defaultPolicy(steps), draw: false };
  const saved = await begin(page, steps, policy);
  await waitFor(page, saved, { status: "finished" });
  const ms = mean(await stepTimes(page, saved, WARM_STEPS, steps));
  log(`${ms.toFixed(1)} ms a step, saving`);
  const { idle, saving } = await inTurns(page, blocks, policy, log);
  const kept = await checkpoints(page, saved);
  const rawBytes = kept[0]?.rawBytes ?? Number.NaN;
  const stored = kept.reduce((sum, { storedBytes }) => sum + storedBytes, 0);
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
      steps_per_s_saving: 1000 / mean(saving),
      steps_per_s_idle: 1000 / mean(idle),
      saving_over_idle: mean(idle) / mean(saving),
    },
  };
}

function begin(page: Page, steps: number, policy: Policy): Promise<string> {
  return start(page, { task: "spirals", config: CONFIG, steps, seed: 3, policy });
}

/** Mean step time of each block, of those that save and of those that do not. */
async function inTurns(
  page: Page,
  blocks: number,
  policy: Policy,
  log: RunContext["log"],
): Promise<{ readonly idle: readonly number[]; readonly saving: readonly number[] }> {
  const resting: Policy = { ...policy, save: { kind: "never" } };
  // The first saves compile too.
  const run = await begin(page, WARM_STEPS + (blocks + 1) * BLOCK, policy);
  const ends = [(await waitFor(page, run, { step: WARM_STEPS })).step];
  // Each comes first every other time: what drifts one way favours neither.
  const saves = (block: number) => block % 4 === 1 || block % 4 === 2;
  for (let block = 0; block < blocks; block += 1) {
    const given = saves(block) ? policy : resting;
    await page.evaluate(([id, next]) => holdfast.setPolicy(id, next), [run, given] as const);
    ends.push((await waitFor(page, run, { step: (ends.at(-1) ?? 0) + BLOCK })).step);
  }
  await page.evaluate((id) => holdfast.stop(id), run);
  const idle: number[] = [];
  const saving: number[] = [];
  for (const [block, from] of ends.slice(0, -1).entries()) {
    const to = ends[block + 1] ?? from;
    const ms = mean(await stepTimes(page, run, from, to));
    (saves(block) ? saving : idle).push(ms);
    log(`steps ${from + 1} to ${to}: ${ms.toFixed(1)} ms each, ${saves(block) ? "saving" : "idle"}`);
  }
  return { idle, saving };
}

/** Milliseconds of the updates after `from` up to `to`, as the journal has them. */
async function stepTimes(page: Page, run: string, from: number, to: number): Promise<readonly number[]> {
  return page.evaluate(
    async ([id, first, last]) => Array.from((await holdfast.journal(id, first, last)).ms),
    [run, from + 1, to] as const,
  );
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
}
