/** Writes a golden store of the present format: `--to FOLDER`, which must not exist. Done once for each format version. */
import type { DrillResult, RunContext } from "../../scripts/lib/context.mjs";
import { writeGolden } from "../support/golden";

export async function run({ options, log }: RunContext): Promise<DrillResult> {
  const folder = options.get("to");
  if (folder === undefined) throw new Error("Say where to: npm run drill -- golden --to tests/fixtures/v2");
  await writeGolden(folder);
  log(`written to ${folder}`);
  return { done: 1, asked: 1 };
}
