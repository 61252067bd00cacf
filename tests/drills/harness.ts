/**
 * Kills a browser in the middle of a flush, many times, and looks for the flushed count after each: the ground
 * that the drills on real runs stand on. `--kills N`, `--seed N`.
 */
import { fileURLToPath } from "node:url";
import { setTimeout as sleep } from "node:timers/promises";
import type { DrillResult, RunContext } from "../../scripts/lib/context.mjs";
import { serve } from "../../scripts/lib/serve.mjs";
import { LiveBrowser } from "../support/kill";
import { spread } from "../support/spread";

const LONGEST_LIFE_MS = 1_000;

export async function run({ options, log }: RunContext): Promise<DrillResult> {
  const asked = Number(options.get("kills") ?? 10);
  const random = spread(Number(options.get("seed") ?? 1));
  const served = await serve(fileURLToPath(new URL("../support/harness-page", import.meta.url)));
  const live = await LiveBrowser.launch();
  let done = 0;
  try {
    const open = async () => {
      await live.page.goto(served.url);
      return live.page.evaluate(() => harness.start());
    };
    await open();
    for (let kill = 1; kill <= asked; kill++) {
      const life = Math.round(random() * LONGEST_LIFE_MS);
      await sleep(life);
      const flushed = await live.page.evaluate(() => harness.state.count);
      await live.killBrowser();
      await live.relaunch();
      const found = await open();
      log(`kill ${kill} after ${life} ms: ${found} found, at least ${flushed} expected`);
      if (found >= flushed) done++;
    }
  } finally {
    await live.close();
    await served.close();
  }
  return { done, asked };
}
