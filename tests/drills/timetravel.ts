/**
 * Every step a place to return to: *text*, `tiny`, 300 steps with the default policy, pictures, evaluations, a change of
 * rate and a comparison while it trains. 50 steps drawn at random are returned to; each must have the digest, and the run
 * the losses, of a plain loop that nothing happened to. `--seed N`, `--visits N`.
 */
import type { DrillResult, RunContext } from "../../scripts/lib/context.mjs";
import { provedVisits, type Reference } from "../support/timetravel";

export async function run({ options, app, page, browser, log }: RunContext): Promise<DrillResult> {
  const asked = Number(options.get("visits") ?? 50);
  const seed = Number(options.get("seed") ?? 1);
  const started = await browser();
  const tab = await started.newPage();
  await tab.goto(await page("uninterrupted"));
  await tab.waitForFunction(() => "train" in globalThis);
  const reference: Reference = (course) => tab.evaluate((given) => train(given), course);
  const visited = await started.newPage();
  const { good, ms, replayed } = await provedVisits(visited, await app(), {
    steps: 300,
    visits: asked,
    seed,
    reference,
    log,
  });
  const sorted = ms.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))]?.toFixed(0) ?? "-";
  log(`${replayed} steps computed again; a return took ${at(0.5)} ms in the median, ${at(1)} ms at most`);
  return { done: good, asked };
}
