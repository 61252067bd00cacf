/**
 * What saving and restoring a large state takes: 50 million parameters with Adam's moments, 600 MB, made up. Saved as a
 * keyframe and as a difference from it, and restored, beside writing and reading the same number of raw bytes.
 * Memory is that of the page's process, looked at every 20 ms, beyond the state itself. `--parameters N`.
 */
import { readFileSync } from "node:fs";
import type { BenchResult, RunContext } from "../scripts/lib/context.mjs";

const PARAMETERS = 50_000_000;
const BYTES_PER_PARAMETER = 12;
const SAMPLE_MS = 20;
const PAGE_BYTES = 4096;
const MIB = 2 ** 20;

export async function run({ browser, page: pageOf, log, options }: RunContext): Promise<BenchResult> {
  const parameters = Number(options.get("parameters") ?? PARAMETERS);
  const page = await (await browser()).newPage();
  page.setDefaultTimeout(0);
  await page.goto(await pageOf("large"));
  await page.waitForFunction(() => "large" in globalThis);
  const session = await (await browser()).newBrowserCDPSession();
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  const pids = processInfo.filter(({ type }) => type === "renderer").map(({ id }) => id);
  const resident = () => Math.max(...pids.map(residentBytes));

  const results: Record<string, number> = {};
  const state = parameters * BYTES_PER_PARAMETER;
  let peak = 0;
  const phases = [
    { key: "raw_write_s", phase: "rawWrite", state: 0, counts: false },
    { key: "raw_read_s", phase: "rawRead", state: 0, counts: false },
    { key: "save_s", phase: "save", state: 0, counts: true },
    { key: "save_delta_s", phase: "saveDelta", state: 0, counts: true },
    // The state is made by it, and so is not there before.
    { key: "restore_s", phase: "restore", state, counts: true },
  ] as const;
  for (const { key, phase, state: made, counts } of phases) {
    await page.evaluate(([name, count]) => large.begin(name, count), [phase, parameters] as const);
    const before = resident();
    let most = before;
    const timer = setInterval(() => {
      most = Math.max(most, resident());
    }, SAMPLE_MS);
    results[key] = await page.evaluate(() => large.run());
    clearInterval(timer);
    const over = (most - before - made) / MIB;
    if (counts) peak = Math.max(peak, over);
    log(
      `${phase}: ${(results[key] ?? 0).toFixed(1)} s, ${over.toFixed(0)} MiB above ${counts ? "the state" : "before"}`,
    );
  }
  return { adapter: "none", results: { ...results, peak_over_state_mib: peak } };
}

/** Of a process; 0 where it is gone. */
function residentBytes(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, "utf8").split(" ")[1]) * PAGE_BYTES;
  } catch {
    return 0;
  }
}
