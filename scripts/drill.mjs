/**
 * `npm run drill -- NAME [--key value]`: runs tests/drills/NAME.ts. Its last line is `done/asked`, and it fails
 * where they differ.
 */
import { ensureInstalled } from "./lib/install.mjs";
import { main } from "./lib/main.mjs";
import { readArguments } from "./lib/options.mjs";

await main(async () => {
  await ensureInstalled();
  const { loadRun, namesIn } = await import("./lib/modules.mjs");
  const { withContext } = await import("./lib/context.mjs");
  const { name, options } = readArguments(process.argv.slice(2));
  const names = namesIn("tests/drills");
  if (name === undefined) {
    process.stdout.write(`npm run drill -- NAME [--key value]\n${names.map((one) => `  ${one}\n`).join("")}`);
    return;
  }
  if (!names.includes(name)) throw new Error(`No drill ${name}: there are ${names.join(", ") || "none"}.`);
  /** @type {(context: import("./lib/context.mjs").RunContext) => Promise<import("./lib/context.mjs").DrillResult>} */
  const run = await loadRun("tests/drills", name);
  const { done, asked } = await withContext(options, run);
  process.stdout.write(`${done}/${asked}\n`);
  // A drill that asked for nothing has shown nothing.
  if (done !== asked || asked === 0) process.exitCode = 1;
});
