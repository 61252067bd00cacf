/** `npm run check`: types of all files at once, of each side on its own platform, and of the components. */
import { ROOT, runNode, tool } from "./lib/process.mjs";
import { main } from "./lib/main.mjs";

const TIMEOUT_MS = 300_000;

const TSC = tool("typescript/bin/tsc");
const CHECKS = [
  [[TSC, "--noEmit", "-p", "tsconfig.json"]],
  [
    [TSC, "--noEmit", "-p", "tsconfig.worker.json"],
    [
      tool("svelte-check/bin/svelte-check"),
      "--workspace",
      ROOT,
      "--tsconfig",
      "tsconfig.page.json",
      "--fail-on-warnings",
      "--output",
      "human",
    ],
  ],
];

/** One after the other. @param {readonly (readonly string[])[]} lane */
async function runLane(lane) {
  let failed = false;
  for (const args of lane) {
    const { code } = await runNode(args, { timeoutMs: TIMEOUT_MS });
    failed ||= code !== 0;
  }
  return failed;
}

await main(async () => {
  const failed = await Promise.all(CHECKS.map(runLane));
  if (failed.includes(true)) process.exitCode = 1;
});
