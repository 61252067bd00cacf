/**
 * What a save costs the step loop: an MLP of 1.1 M parameters, batch 8, AdamW, saved every 10 steps, beside tfjs
 * `model.save('indexeddb://…', { includeOptimizer: true })` of the same model in the same worker.
 *
 * *Stall* is the longest stretch in which any part of a save (clone, submit, copy out of a mapped buffer, post,
 * dispose) holds the trainer's thread; *held* is their sum. A thread that has lost its core to another counts as held,
 * so the page's threads get precedence. `--turns N` (default 6, 12 saves each).
 */
import type { Stretch } from "./pages/stall.worker";
import type { BenchResult, RunContext } from "../scripts/lib/context.mjs";
import { givePrecedence } from "../scripts/lib/precedence.mjs";

const TURNS = 6;
const SAVING_STEPS = 110;
const IDLE_STEPS = 30;
const SAVE_EVERY = 10;
const TFJS_SAVES = 15;

export async function run({ browser, page: pageOf, log, options }: RunContext): Promise<BenchResult> {
  const turns = Number(options.get("turns") ?? TURNS);
  const started = await browser();
  const page = await started.newPage();
  await page.exposeFunction("told", (saved: Stretch, rested: Stretch) => {
    log(
      `${saved.stepsPerSecond.toFixed(2)} steps/s with ${saved.held.length} saves, ${rested.stepsPerSecond.toFixed(2)} idle`,
    );
  });
  page.on("pageerror", (error) => {
    log(String(error));
  });
  await page.goto(await pageOf("stall"));
  await page.waitForFunction(() => "measureStall" in globalThis);
  log(
    (await givePrecedence(started))
      ? "the page's threads come first, those of a software GPU last"
      : "the page's threads compete with a software GPU and the rest of the machine",
  );
  const measured = await page.evaluate(
    ([turns, saving, idle, every, saves]) => measureStall(turns, saving, idle, every, saves),
    [turns, SAVING_STEPS, IDLE_STEPS, SAVE_EVERY, TFJS_SAVES] as const,
  );
  const held = measured.saving.flatMap((stretch) => stretch.held);
  const stalls = held.map((stretches) => Math.max(...stretches));
  const sums = held.map((stretches) => stretches.reduce((sum, ms) => sum + ms, 0));
  const saving = quantile(
    measured.saving.map(({ stepsPerSecond }) => stepsPerSecond),
    0.5,
  );
  const idle = quantile(
    measured.idle.map(({ stepsPerSecond }) => stepsPerSecond),
    0.5,
  );
  const tfjs = quantile(measured.tfjs, 0.5);
  const skipped = measured.saving.reduce((sum, stretch) => sum + stretch.skipped, 0);
  log(`${held.length} saves of ${(measured.stateBytes / 1e6).toFixed(1)} MB, ${skipped} skipped`);
  const p95 = quantile(stalls, 0.95);
  const typical = held.find((stretches) => Math.max(...stretches) === quantile(stalls, 0.5)) ?? [];
  log(`a typical save held, in ms: ${typical.map((ms) => ms.toFixed(1)).join(" ")}`);
  log(
    `stall p95 is 1/${(tfjs / p95).toFixed(0)} of a tfjs save; saving runs at ${(saving / idle).toFixed(3)} of idle`,
  );
  return {
    adapter: measured.adapter,
    results: {
      saves: held.length,
      saves_skipped: skipped,
      state_mb: measured.stateBytes / 1e6,
      stored_over_raw: measured.saving.at(-1)?.storedRatio ?? Number.NaN,
      stall_p50_ms: quantile(stalls, 0.5),
      stall_p95_ms: p95,
      held_p50_ms: quantile(sums, 0.5),
      tfjs_save_p50_ms: tfjs,
      tfjs_over_stall: tfjs / p95,
      steps_per_s_saving: saving,
      steps_per_s_idle: idle,
      saving_over_idle: saving / idle,
    },
  };
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}
