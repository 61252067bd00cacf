import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const script = fileURLToPath(new URL("../../scripts/start.mjs", import.meta.url));

function started(...words: readonly string[]) {
  const { status, stderr } = spawnSync(process.execPath, [script, ...words], { encoding: "utf8" });
  return { status, stderr: stderr.trim() };
}

test.each([
  [["--prot", "5"], "npm start takes --port N, and not prot."],
  [["5173"], "npm start takes --port N, and not 5173."],
  [["--port", "x"], "--port is x; give a whole number from 0 (any free one) to 65535."],
  [["--port", "65536"], "--port is 65536; give a whole number from 0 (any free one) to 65535."],
  [["--port"], "--port is true; give a whole number from 0 (any free one) to 65535."],
])("npm start %j is refused before anything is installed or built", (words, message) => {
  expect(started(...words)).toEqual({ status: 1, stderr: message });
});
