/**
 * Negative controls of the crash drill: ten broken stores, each of which it must find, and the same case with the store
 * as it is, which must pass. `--only TEXT`, `--states N` (at most, for each), `--threads N`.
 */
import { availableParallelism } from "node:os";
import type { DrillResult, RunContext } from "../../scripts/lib/context.mjs";
import { ROOT } from "../../scripts/lib/process.mjs";
import { Campaign } from "../simulation/campaign";
import { CONTROLS } from "../simulation/controls";
import { runCampaign } from "../simulation/threads";

const STATES = 20_000;

export async function run({ options, log }: RunContext): Promise<DrillResult> {
  const controls = CONTROLS.filter(({ name }) => name.includes(options.get("only") ?? ""));
  const states = Number(options.get("states") ?? STATES);
  const threads = Number(options.get("threads") ?? availableParallelism());
  let done = 0;
  for (const { name, edits } of controls) {
    const { faults, total, seconds } = await runCampaign(ROOT, {
      states,
      seed: 0,
      threads,
      stopAfter: 1,
      edits,
    });
    const [found] = faults;
    if (found === undefined) {
      log(`MISSED  ${name}: ${total} images`);
      continue;
    }
    const healthy = (await new Campaign().examine(found)).fault;
    const { workload, kind, seed, fault } = found;
    // A store that does not even run was broken in another way than was meant.
    const isCaught = healthy === null && !fault.startsWith("it cannot be recorded");
    log(`${isCaught ? "caught" : "NO CONTROL"}  ${name}, after ${total} images, ${seconds.toFixed(1)} s`);
    log(`        --workload "${workload}" --kind "${kind}" --seed ${seed}: ${fault.split("\n")[0] ?? ""}`);
    if (isCaught) done++;
  }
  return { done, asked: controls.length };
}
