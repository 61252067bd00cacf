/**
 * A day of training in a simulated clock, with the policy and the store as they are: half a second to a step, a save every
 * five, each looked at when all that follows from it is done. `--hours N`, `--budget BYTES` (0: none), `--seed N`. Draws
 * `.cache/day.svg`.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { DrillResult, RunContext } from "../../scripts/lib/context.mjs";
import { ROOT } from "../../scripts/lib/process.mjs";
import { simulatedDay } from "../support/day";
import { drawnDay } from "../support/day-picture";

export async function run({ options, log }: RunContext): Promise<DrillResult> {
  const hours = Number(options.get("hours") ?? 24);
  const budget = Number(options.get("budget") ?? 1_000_000) || null;
  const seed = Number(options.get("seed") ?? 1);
  const start = performance.now();
  const day = await simulatedDay({ hours, budget, seed });
  for (const fault of day.faults) log(`FAULT  ${fault}`);
  const left = day.samples.at(-1)?.steps.length ?? 0;
  log(
    `${day.saves} saves, a keyframe takes ${day.keyframeBytes} bytes; ${left} checkpoints at the end; ${day.mostBytes} bytes at most${
      budget === null ? "" : ` of ${budget}`
    }; ${((performance.now() - start) / 1000).toFixed(0)} s`,
  );
  const folder = join(ROOT, ".cache");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "day.svg"), drawnDay(day, { hours, budget }));
  return { done: day.saves - day.faults.length, asked: day.saves };
}
