/**
 * A bundle of a gigabyte, made up: ten states of 8.4 million parameters with Adam's moments. Exported to a file and
 * imported from it, whole and compact, each in a fresh worker; the digests of all states are compared. Memory is that of
 * the page's process, looked at every 20 ms, beyond what it had before. `--checkpoints N`, `--parameters N`.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "@playwright/test";
import { LAUNCH_ARGUMENTS, needBrowser } from "../scripts/lib/browser.mjs";
import type { BenchResult, RunContext } from "../scripts/lib/context.mjs";
import { peakDuring } from "./resident";

const PARAMETERS = 8_400_000;
const CHECKPOINTS = 10;
const MIB = 2 ** 20;

export async function run({ page: pageOf, log, options }: RunContext): Promise<BenchResult> {
  const parameters = Number(options.get("parameters") ?? PARAMETERS);
  const checkpoints = Number(options.get("checkpoints") ?? CHECKPOINTS);
  const profile = await mkdtemp(join(tmpdir(), "holdfast-bundle-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: needBrowser(),
    args: LAUNCH_ARGUMENTS,
  });
  try {
    const page = await context.newPage();
    page.setDefaultTimeout(0);
    await page.goto(await pageOf("bundle"));
    await page.waitForFunction(() => "bundles" in globalThis);
    const digests = await page.evaluate(([count, size]) => bundles.fill(count, size), [
      checkpoints,
      parameters,
    ] as const);
    const results: Record<string, number> = {};
    for (const form of ["whole", "compact"] as const) {
      await page.evaluate(() => bundles.fresh());
      const out = await peakDuring(() =>
        page.evaluate((compact) => bundles.exported(compact), form === "compact"),
      );
      await page.evaluate(() => bundles.fresh());
      const back = await peakDuring(() => page.evaluate(() => bundles.imported()));
      if (back.result.digests.join() !== digests.join())
        throw new Error(`the ${form} bundle brought other states`);
      results[`${form}_bytes`] = out.result.bytes;
      results[`${form}_export_s`] = out.result.seconds;
      results[`${form}_export_mib`] = out.bytes / MIB;
      results[`${form}_import_s`] = back.result.seconds;
      results[`${form}_import_mib`] = back.bytes / MIB;
      log(
        `${form}: ${(out.result.bytes / 1e9).toFixed(2)} GB; out in ${out.result.seconds.toFixed(0)} s with ${(out.bytes / MIB).toFixed(0)} MiB, in again in ${back.result.seconds.toFixed(0)} s with ${(back.bytes / MIB).toFixed(0)} MiB; ${digests.length} digests are equal`,
      );
    }
    return { adapter: "none", results };
  } finally {
    await context.close();
    await rm(profile, { recursive: true, force: true });
  }
}
