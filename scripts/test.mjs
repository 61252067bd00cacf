/**
 * `npm test`: everything that has to hold, from a fresh clone, on two cores.
 *
 * Two lanes side by side, one of tools and one of tests; then the end-to-end tests alone, since their browsers
 * want both cores. `npm test -- unit e2e` runs those stages only.
 */
import { readFileSync } from "node:fs";
import { ensureInstalled } from "./lib/install.mjs";
import { main } from "./lib/main.mjs";

/** @typedef {import("./lib/stages.mjs").StageResult} StageResult */

/** Of a log that is shown after a failure. */
const LOG_LINES = 120;

/** @param {StageResult} result */
function report(result) {
  const { name, seconds, passed, failed, skipped, again = [], timedOut, log } = result;
  const counts = `${passed} passed, ${failed} failed, ${skipped.length} skipped`;
  process.stdout.write(
    `${name.padEnd(8)} ${seconds.toFixed(1).padStart(6)} s  ${counts}${timedOut ? " (ran out of time)" : ""}\n`,
  );
  for (const test of skipped) process.stdout.write(`           skipped: ${test}\n`);
  for (const test of again) process.stdout.write(`           passed at its second attempt only: ${test}\n`);
  if (failed === 0) return;
  process.stdout.write(`${readFileSync(log, "utf8").split("\n").slice(-LOG_LINES).join("\n")}\n`);
}

await main(async () => {
  const started = performance.now();
  await ensureInstalled();
  const { needBrowser } = await import("./lib/browser.mjs");
  const { STAGES, runStage } = await import("./lib/stages.mjs");
  const browser = needBrowser();
  process.env["CHROMIUM_PATH"] = browser;
  process.stdout.write(`Browser: ${browser}\n`);

  /** @type {readonly (readonly (keyof typeof STAGES)[])[][]} */
  const phases = [
    [
      ["build", "types", "lint"],
      ["unit", "browser"],
    ],
    [["e2e"]],
  ];
  const asked = new Set(process.argv.slice(2));
  const unknown = [...asked].filter((name) => !(name in STAGES));
  if (unknown.length > 0)
    throw new Error(`No stage ${unknown.join(", ")}: there are ${Object.keys(STAGES).join(", ")}.`);

  /** @type {StageResult[]} */
  const results = [];
  for (const lanes of phases) {
    await Promise.all(
      lanes.map(async (lane) => {
        for (const name of lane) {
          if (asked.size > 0 && !asked.has(name)) continue;
          const result = await runStage(STAGES[name]);
          results.push(result);
          report(result);
        }
      }),
    );
  }

  const passed = results.reduce((sum, result) => sum + result.passed, 0);
  const failed = results.reduce((sum, result) => sum + result.failed, 0);
  const skipped = results.reduce((sum, result) => sum + result.skipped.length, 0);
  process.stdout.write(`Took ${Math.round((performance.now() - started) / 1000)} s\n`);
  process.stdout.write(`${passed} passed, ${failed} failed, ${skipped} skipped\n`);
  if (failed > 0) process.exitCode = 1;
});
