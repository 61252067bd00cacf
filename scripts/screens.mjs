/**
 * `npm run screens [-- --out FOLDER] [--only PART] [--trained no]`: every screen in every state as pictures, and a page
 * that shows them all, to be looked at.
 */
import { ensureInstalled } from "./lib/install.mjs";
import { main } from "./lib/main.mjs";
import { readArguments } from "./lib/options.mjs";

await main(async () => {
  await ensureInstalled();
  const { loadRun } = await import("./lib/modules.mjs");
  const { withContext } = await import("./lib/context.mjs");
  const { options } = readArguments(process.argv.slice(2));
  /** @type {(context: import("./lib/context.mjs").RunContext) => Promise<string>} */
  const run = await loadRun("tests/support", "pictures");
  process.stdout.write(`${await withContext(options, run)}\n`);
});
