/** `npm run lint`: rules and format, no warnings. */
import { main } from "./lib/main.mjs";
import { runNode, tool } from "./lib/process.mjs";

const TIMEOUT_MS = 300_000;

await main(async () => {
  const results = await Promise.all([
    runNode([tool("eslint/bin/eslint.js"), ".", "--max-warnings", "0"], { timeoutMs: TIMEOUT_MS }),
    runNode([tool("prettier/bin/prettier.cjs"), "--check", "--log-level", "warn", "."], {
      timeoutMs: TIMEOUT_MS,
    }),
  ]);
  if (results.some(({ code }) => code !== 0)) process.exitCode = 1;
});
