/**
 * `npm run interop`: what runs leave behind, read and gone on with by software that nobody here wrote, and back. Its last
 * line is `N/N`, and it fails where not all comparisons hold. `npm test` does not need it, nor Python.
 */
import { ensureInstalled } from "./lib/install.mjs";
import { main } from "./lib/main.mjs";
import { readArguments } from "./lib/options.mjs";

await main(async () => {
  await ensureInstalled();
  const { loadRun } = await import("./lib/modules.mjs");
  const { withContext } = await import("./lib/context.mjs");
  /** @type {(context: import("./lib/context.mjs").RunContext) => Promise<import("./lib/context.mjs").DrillResult>} */
  const run = await loadRun("tests/interop", "interop");
  const { done, asked } = await withContext(readArguments(process.argv.slice(2)).options, run);
  process.stdout.write(`${done}/${asked}\n`);
  if (done !== asked || asked === 0) process.exitCode = 1;
});
