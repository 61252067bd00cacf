/**
 * Mutants of bundles, checkpoints, logs and stores, for every reader of them: each is taken as what it is or refused by a code
 * that a file may be refused with, without a trace. `--inputs N`, `--seed N`, `--threads N`; `--only I` runs that input alone;
 * `--target NAME` feeds one reader only.
 */
import { availableParallelism } from "node:os";
import type { DrillResult, RunContext } from "../../scripts/lib/context.mjs";
import { ROOT } from "../../scripts/lib/process.mjs";
import { examine, targetsBy } from "../fuzz/campaign";
import { runFuzz } from "../fuzz/threads";

const INPUTS = 200_000;
/** Of progress. */
const LINES = 10;

export async function run({ options, log }: RunContext): Promise<DrillResult> {
  const number = (name: string, fallback: number) => Number(options.get(name) ?? fallback);
  const seed = number("seed", 1);
  const target = options.get("target") ?? null;
  const only = options.get("only");
  if (only !== undefined) {
    const { target: fed, outcome } = await examine(await targetsBy(target), seed, Number(only));
    log(`${fed}, seed ${seed}, input ${only}: ${outcome.fault ?? outcome.reached}`);
    return { done: outcome.fault === null ? 1 : 0, asked: 1 };
  }
  const inputs = number("inputs", INPUTS);
  const threads = number("threads", availableParallelism());
  let shown = 0;
  const progress = (done: number, bad: number) => {
    if (done < shown + inputs / LINES) return;
    shown = done;
    log(`${done} inputs, ${bad} faults`);
  };
  const { tally, faults, seconds } = await runFuzz(ROOT, { inputs, seed, threads, target, progress });
  const again = target === null ? "" : ` --target "${target}"`;
  for (const line of tally.table()) log(line);
  log(`${tally.inputs} inputs in ${seconds.toFixed(0)} s, ${tally.outcomes} different outcomes`);
  for (const { index, target: fed, fault } of faults)
    log(`FAULT  ${fed}: --seed ${seed} --only ${index}${again}
       ${fault}`);
  return { done: tally.inputs - faults.length, asked: inputs };
}
