/**
 * The store after a hundred thousand crashes: process death and power loss at every operation, the catalogue lost,
 * death while recovering, operations that fail; each distinct image is opened, compared bit for bit, saved into and
 * swept. `--states N`, `--seed N` (first seed), `--threads N`. One case again: `--workload NAME --kind NAME --seed N`.
 */
import { availableParallelism } from "node:os";
import type { DrillResult, RunContext } from "../../scripts/lib/context.mjs";
import { ROOT } from "../../scripts/lib/process.mjs";
import { Campaign, CELLS, KINDS, WORKLOAD_NAMES, type Kind } from "../simulation/campaign";
import { runCampaign, type Outcome } from "../simulation/threads";

const STATES = 100_000;
/** Of all images, at least so many in each cell. */
const LEAST_SHARE = 0.01;

export async function run({ options, log }: RunContext): Promise<DrillResult> {
  const number = (name: string, fallback: number) => Number(options.get(name) ?? fallback);
  const seed = number("seed", 0);
  const workload = options.get("workload");
  if (workload !== undefined) {
    const kind = KINDS.find((name) => name === options.get("kind")) ?? KINDS[0];
    const { fault, hash } = await new Campaign().examine({ workload, kind, seed });
    log(`${workload}, ${kind}, seed ${seed}, image ${hash.slice(0, 16)}: ${fault ?? "as it should be"}`);
    return { done: fault === null ? 1 : 0, asked: 1 };
  }
  const states = number("states", STATES);
  const outcome = await runCampaign(ROOT, {
    states,
    seed,
    threads: number("threads", availableParallelism()),
  });
  showTable(outcome, log);
  const rate = outcome.total / outcome.seconds;
  log(
    `${outcome.total} distinct images in ${outcome.seconds.toFixed(0)} s: ${rate.toFixed(0)} a second, ${Math.round(rate * 3600)} an hour`,
  );
  for (const found of outcome.faults)
    log(
      `FAULT  --workload "${found.workload}" --kind "${found.kind}" --seed ${found.seed}\n       ${found.fault}`,
    );
  const thin = CELLS.filter((_, at) => (outcome.images[at] ?? 0) < LEAST_SHARE * states);
  for (const { workload: name, kind } of thin) log(`TOO FEW  ${name}, ${kind}`);
  const whole = Math.min(outcome.total, states) - outcome.faults.length;
  return { done: thin.length > 0 ? Math.min(whole, states - 1) : whole, asked: states };
}

/** Images by workload and kind. */
function showTable({ images }: Outcome, log: (line: string) => void): void {
  const count = (workload: string, kind: Kind) =>
    images[CELLS.findIndex((cell) => cell.workload === workload && cell.kind === kind)] ?? 0;
  const wide = Math.max(...WORKLOAD_NAMES.map((name) => name.length));
  log(`${"".padEnd(wide)}  ${KINDS.map((kind) => kind.padStart(22)).join("")}`);
  for (const workload of WORKLOAD_NAMES)
    log(
      `${workload.padEnd(wide)}  ${KINDS.map((kind) => String(count(workload, kind)).padStart(22)).join("")}`,
    );
}
