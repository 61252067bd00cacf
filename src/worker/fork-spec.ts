/** What a fork is to be, from what a person asks to be different: completed and checked before any worker hears of it. */
import { HoldfastError } from "../errors";
import { given } from "../format/given";
import type { Config, OptimizerConfig } from "../format/run";
import { settingsAt } from "../format/settings";
import { fieldProblems, FREE_SETTINGS, problemsOf, taskInfo } from "../tasks/meta";
import { optimizerProblems, SEED } from "../tasks/training-fields";
import type { ForkOptions } from "./api";
import type { ForkSpec, RunDetail } from "./protocol";
import { policyProblems } from "./start-spec";

/** `holder`: the run that the step belongs to. `invalid` with every problem in words. */
export function forkSpec(
  holder: RunDetail,
  step: number,
  { name, steps, changes = {} }: ForkOptions,
): ForkSpec {
  const { record } = holder;
  const info = taskInfo(record.task);
  if (info === undefined) throw new HoldfastError("missing", `There is no task "${record.task}" here.`);
  const {
    config: asked = {},
    seed = record.seed,
    policy = record.policy,
    schedule = {},
    ...others
  } = changes;
  const [config, rates] = [given(asked), given(others)];
  const { optimizer } = settingsAt(record, holder.events, step);
  const changed: Config = { ...record.config, ...config };
  const updated: OptimizerConfig = {
    ...optimizer,
    ...rates,
    schedule: { ...optimizer.schedule, ...given(schedule) },
  };
  const fixed = Object.keys(config).filter((field) => !FREE_SETTINGS.has(field));
  // A fork of the last step gets as many steps again.
  const total = steps ?? (holder.steps > step ? holder.steps : step + record.steps);
  const problems = [
    ...fixed.map(
      (field) => `"${field}" cannot change in a fork: the state would not fit. Start a new run for that.`,
    ),
    ...unknownIn(rates),
    ...problemsOf(info, changed),
    ...optimizerProblems(updated),
    ...fieldProblems(SEED, seed),
    ...policyProblems(policy),
    ...(Number.isSafeInteger(total) && total > step
      ? []
      : [`The fork starts at step ${step}, so it needs more steps than ${total} in all.`]),
  ];
  if (problems.length > 0) throw new HoldfastError("invalid", problems.join(" "));
  const called = name?.trim() ?? "";
  return {
    from: { run: holder.id, step },
    name: called === "" ? `${holder.name}, from step ${step}` : called,
    steps: total,
    config: changed,
    optimizer: updated,
    policy: given(policy),
    seed,
  };
}

const RATES: ReadonlySet<string> = new Set(["learningRate", "clipNorm"]);

/** What crossed from a console may hold anything. */
function unknownIn(rates: object): readonly string[] {
  return Object.keys(rates)
    .filter((key) => !RATES.has(key))
    .map((key) => `"${key}" cannot change in a fork.`);
}
