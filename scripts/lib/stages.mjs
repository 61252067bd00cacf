/**
 * What `npm test` runs, and how the result of each stage is read. A stage is a tool in a process of its own with
 * a time limit; its counts come from the tool's JSON report, never from its prose.
 */
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { ROOT, runNode, tool } from "./process.mjs";

export const LOGS = join(ROOT, ".cache", "logs");

/**
 * @typedef {object} Counts
 * @property {number} passed
 * @property {number} failed
 * @property {readonly string[]} skipped names of the tests
 * @property {readonly string[]} [again] names of those that passed at their second attempt only
 *
 * @typedef {object} Stage
 * @property {string} name
 * @property {readonly string[]} args for Node
 * @property {number} timeoutMs
 * @property {"exit" | "vitest" | "playwright"} report where its counts come from; `exit` counts as one test
 *
 * What is read of the tools' reports.
 *
 * @typedef {object} VitestReport
 * @property {readonly { readonly status: string, readonly assertionResults: readonly { readonly status: string, readonly fullName: string }[] }[]} testResults
 *
 * @typedef {object} PlaywrightTest
 * @property {string} status
 * @property {readonly { readonly type: string, readonly description?: string }[]} annotations
 *
 * @typedef {object} PlaywrightSuite
 * @property {readonly { readonly title: string, readonly tests: readonly PlaywrightTest[] }[]} specs
 * @property {readonly PlaywrightSuite[]} [suites]
 *
 * @typedef {object} PlaywrightReport
 * @property {{ readonly expected: number, readonly unexpected: number, readonly flaky: number }} stats
 * @property {readonly unknown[]} errors
 * @property {readonly PlaywrightSuite[]} suites
 *
 * @typedef {Counts & { readonly name: string, readonly seconds: number, readonly timedOut: boolean, readonly log: string }} StageResult
 */

// Limits are for what hangs, several times what a stage takes on two cores that are its own.
const MINUTE_MS = 60_000;

const VITEST = tool("vitest/vitest.mjs");

/** @param {string} project @returns {readonly string[]} */
function vitest(project) {
  return [VITEST, "run", "--project", project, "--reporter=default", "--reporter=json"];
}

/** @satisfies {Readonly<Record<string, Stage>>} */
export const STAGES = {
  types: { name: "types", args: ["scripts/check.mjs"], timeoutMs: 5 * MINUTE_MS, report: "exit" },
  lint: { name: "lint", args: ["scripts/lint.mjs"], timeoutMs: 5 * MINUTE_MS, report: "exit" },
  build: {
    name: "build",
    args: [tool("vite/bin/vite.js"), "build"],
    timeoutMs: 5 * MINUTE_MS,
    report: "exit",
  },
  unit: { name: "unit", args: vitest("node"), timeoutMs: 15 * MINUTE_MS, report: "vitest" },
  browser: { name: "browser", args: vitest("browser"), timeoutMs: 8 * MINUTE_MS, report: "vitest" },
  e2e: {
    name: "e2e",
    args: [tool("@playwright/test/cli.js"), "test", "--reporter=list,json"],
    timeoutMs: 40 * MINUTE_MS,
    report: "playwright",
  },
};

/**
 * @param {Stage} stage
 * @param {readonly string[]} [extra] arguments of the tool
 * @returns {Promise<StageResult>}
 */
export async function runStage(stage, extra = []) {
  const log = join(LOGS, `${stage.name}.log`);
  const report = join(LOGS, `${stage.name}.json`);
  mkdirSync(LOGS, { recursive: true });
  rmSync(log, { force: true });
  rmSync(report, { force: true });
  const started = performance.now();
  const output = stage.report === "vitest" ? [`--outputFile.json=${report}`] : [];
  const { code, timedOut } = await runNode([...stage.args, ...output, ...extra], {
    timeoutMs: stage.timeoutMs,
    log,
    env: { PLAYWRIGHT_JSON_OUTPUT_NAME: report, NO_COLOR: "1", FORCE_COLOR: "0" },
  });
  const counts = await countsOf(stage, report, code === 0);
  return { name: stage.name, seconds: (performance.now() - started) / 1000, timedOut, log, ...counts };
}

/** A stage that failed, or counted nothing, has at least one failure whatever its report says.
 * @param {Stage} stage @param {string} report @param {boolean} succeeded
 * @returns {Promise<Counts>}
 */
async function countsOf(stage, report, succeeded) {
  if (stage.report === "exit") return { passed: succeeded ? 1 : 0, failed: succeeded ? 0 : 1, skipped: [] };
  if (!existsSync(report)) return { passed: 0, failed: 1, skipped: [] };
  const text = readFileSync(report, "utf8");
  const counts =
    stage.report === "vitest" ? vitestCounts(JSON.parse(text)) : playwrightCounts(JSON.parse(text));
  const ranNothing = counts.passed + counts.failed === 0;
  const hiddenFailure = !succeeded && counts.failed === 0;
  return ranNothing || hiddenFailure ? { ...counts, failed: 1 } : counts;
}

/**
 * A file that cannot be loaded has no tests in the report, and counts as one failure.
 *
 * @param {VitestReport} json
 * @returns {Counts}
 */
export function vitestCounts(json) {
  let passed = 0;
  let failed = 0;
  /** @type {string[]} */
  const skipped = [];
  for (const file of json.testResults) {
    let failedHere = 0;
    for (const test of file.assertionResults) {
      if (test.status === "passed") passed++;
      else if (test.status === "failed") failedHere++;
      else skipped.push(test.fullName.trim());
    }
    failed += file.status === "failed" && failedHere === 0 ? 1 : failedHere;
  }
  return { passed, failed, skipped };
}

/**
 * @param {PlaywrightReport} json
 * @returns {Counts}
 */
export function playwrightCounts(json) {
  const { expected, unexpected, flaky } = json.stats;
  return {
    passed: expected + flaky,
    failed: unexpected + json.errors.length,
    skipped: json.suites.flatMap((suite) => specsThat(suite, "skipped")),
    again: json.suites.flatMap((suite) => specsThat(suite, "flaky")),
  };
}

/** @param {PlaywrightSuite} suite @param {string} status @returns {readonly string[]} */
function specsThat(suite, status) {
  const own = suite.specs.flatMap((spec) =>
    spec.tests
      .filter((test) => test.status === status)
      .map((test) => {
        const reason = test.annotations.find((note) => note.type === "skip")?.description;
        return reason === undefined ? spec.title : `${spec.title} (${reason})`;
      }),
  );
  return [...own, ...(suite.suites ?? []).flatMap((inner) => specsThat(inner, status))];
}
