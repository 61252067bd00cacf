/** `npm run screenshots [-- --out FOLDER]`: every screen of the built app as pictures, to be looked at. */
import { ensureInstalled } from "./lib/install.mjs";
import { main } from "./lib/main.mjs";
import { readArguments } from "./lib/options.mjs";

await main(async () => {
  await ensureInstalled();
  const { loadRun } = await import("./lib/modules.mjs");
  const { withContext } = await import("./lib/context.mjs");
  const { options } = readArguments(process.argv.slice(2));
  /** @type {(context: import("./lib/context.mjs").RunContext) => Promise<readonly string[]>} */
  const run = await loadRun("tests/support", "screenshots");
  const files = await withContext(options, run);
  for (const file of files) process.stdout.write(`${file}\n`);
});
