/**
 * What saving and restoring a large state takes: 50 million parameters with Adam's moments, 600 MB, made up. Saved as a
 * keyframe and as a difference from it, and restored, beside writing and reading the same number of raw bytes.
 * Memory is that of the page's process, looked at every 20 ms, beyond the state itself. `--parameters N`.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type BrowserContext } from "@playwright/test";
import { LAUNCH_ARGUMENTS, needBrowser } from "../scripts/lib/browser.mjs";
import type { BenchResult, RunContext } from "../scripts/lib/context.mjs";
import { peakDuring } from "./resident";

const PARAMETERS = 50_000_000;
const BYTES_PER_PARAMETER = 12;
const MIB = 2 ** 20;

export async function run({ page: pageOf, log, options }: RunContext): Promise<BenchResult> {
  const parameters = Number(options.get("parameters") ?? PARAMETERS);
  // A profile on the disk: what a private window stores is in memory, and so little that this does not fit.
  const profile = await mkdtemp(join(tmpdir(), "holdfast-large-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: needBrowser(),
    args: LAUNCH_ARGUMENTS,
  });
  try {
    return { adapter: "none", results: await measured(context, await pageOf("large"), parameters, log) };
  } finally {
    await context.close();
    await rm(profile, { recursive: true, force: true });
  }
}

async function measured(
  context: BrowserContext,
  address: string,
  parameters: number,
  log: RunContext["log"],
): Promise<Record<string, number>> {
  const page = await context.newPage();
  page.setDefaultTimeout(0);
  await page.goto(address);
  await page.waitForFunction(() => "large" in globalThis);
  const results: Record<string, number> = {};
  const state = parameters * BYTES_PER_PARAMETER;
  let peak = 0;
  const phases = [
    { key: "raw_write_s", phase: "rawWrite", state: 0, counts: false },
    { key: "raw_read_s", phase: "rawRead", state: 0, counts: false },
    { key: "save_s", phase: "save", state: 0, counts: true },
    { key: "save_delta_s", phase: "saveDelta", state: 0, counts: true },
    // The state is made by it, and so is not there before.
    { key: "restore_s", phase: "restore", state, counts: true },
  ] as const;
  for (const { key, phase, state: made, counts } of phases) {
    await page.evaluate(([name, count]) => large.begin(name, count), [phase, parameters] as const);
    const { result, bytes } = await peakDuring(() => page.evaluate(() => large.run()));
    results[key] = result;
    const over = (bytes - made) / MIB;
    if (counts) peak = Math.max(peak, over);
    log(`${phase}: ${result.toFixed(1)} s, ${over.toFixed(0)} MiB above ${counts ? "the state" : "before"}`);
  }
  return { ...results, peak_over_state_mib: peak };
}
