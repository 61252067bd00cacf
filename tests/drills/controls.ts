/**
 * Negative controls of the exactness matrix: four planted faults, each of which must make its cell fail, and the
 * same cells without a fault, which must pass. `--only TEXT`.
 */
import { rm } from "node:fs/promises";
import type { DrillResult, RunContext } from "../../scripts/lib/context.mjs";
import { serve } from "../../scripts/lib/serve.mjs";
import { openApp } from "../support/app-page";
import { nameOf, proveCell, reference } from "../support/exactness";
import { buildWith, FAULTS, type Fault } from "../support/faults";
import { LiveBrowser } from "../support/kill";

export async function run({ options, app, log }: RunContext): Promise<DrillResult> {
  const faults = FAULTS.filter(({ name }) => name.includes(options.get("only") ?? ""));
  const healthy = await app();
  let done = 0;
  for (const fault of faults) {
    const without = await failureOf(healthy, fault);
    const folder = await buildWith(fault);
    const served = await serve(folder);
    try {
      const within = await failureOf(served.url, fault);
      const caught = without === null && within !== null;
      log(`${caught ? "caught" : "MISSED"}  ${fault.name}, in ${nameOf(fault.cell)}`);
      log(`        with it: ${within ?? "equal"}`);
      if (without !== null) log(`        without it: ${without}`);
      if (caught) done += 1;
    } finally {
      await served.close();
      await rm(folder, { recursive: true, force: true });
    }
  }
  return { done, asked: faults.length };
}

/** How the cell of that fault fails; null where it passes. */
async function failureOf(url: string, { cell }: Fault): Promise<string | null> {
  const browser = await LiveBrowser.launch();
  try {
    await openApp(browser.page, url);
    await proveCell(browser, url, cell, await reference(browser.page, cell));
    return null;
  } catch (error) {
    return (error instanceof Error ? error.message : String(error)).split("\n")[0] ?? "";
  } finally {
    await browser.close();
  }
}
