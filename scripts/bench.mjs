/**
 * `npm run bench -- NAME [--json FILE]`: runs bench/NAME.ts, prints its numbers as a table, and writes them as
 * `{ "bench", "adapter", "results": { key: number } }`.
 */
import { writeFileSync } from "node:fs";
import { ensureInstalled } from "./lib/install.mjs";
import { main } from "./lib/main.mjs";
import { readArguments } from "./lib/options.mjs";

const SIGNIFICANT_DIGITS = 4;

/** @param {Readonly<Record<string, number>>} results */
function table(results) {
  const rows = Object.entries(results).map(([key, value]) => [
    key,
    String(Number(value.toPrecision(SIGNIFICANT_DIGITS))),
  ]);
  const width = Math.max(...rows.map(([key = ""]) => key.length));
  const digits = Math.max(...rows.map(([, value = ""]) => value.length));
  return rows.map(([key = "", value = ""]) => `${key.padEnd(width)}  ${value.padStart(digits)}\n`).join("");
}

await main(async () => {
  await ensureInstalled();
  const { loadRun, namesIn } = await import("./lib/modules.mjs");
  const { withContext } = await import("./lib/context.mjs");
  const { name, options } = readArguments(process.argv.slice(2));
  const names = namesIn("bench");
  if (name === undefined) {
    process.stdout.write(`npm run bench -- NAME [--json FILE]\n${names.map((one) => `  ${one}\n`).join("")}`);
    return;
  }
  if (!names.includes(name)) throw new Error(`No bench ${name}: there are ${names.join(", ") || "none"}.`);
  /** @type {(context: import("./lib/context.mjs").RunContext) => Promise<import("./lib/context.mjs").BenchResult>} */
  const run = await loadRun("bench", name);
  const { adapter, results } = await withContext(options, run);
  const bad = Object.entries(results).filter(([, value]) => !Number.isFinite(value));
  if (bad.length > 0 || Object.keys(results).length === 0) {
    throw new Error(
      `The bench ${name} gave no number for ${bad.map(([key]) => key).join(", ") || "anything"}.`,
    );
  }
  process.stdout.write(`\n${name} on ${adapter}\n${table(results)}`);
  const file = options.get("json");
  if (file !== undefined)
    writeFileSync(file, `${JSON.stringify({ bench: name, adapter, results }, null, 2)}\n`);
});
