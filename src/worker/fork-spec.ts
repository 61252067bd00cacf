/** What a fork is to be, from what a person asks to be different: completed and checked before any worker hears of it. */
import { HoldfastError } from "../errors";
import { cutName, freeName } from "../format/free-name";
import { given } from "../format/given";
import type { Config, OptimizerConfig } from "../format/run";
import { settingsAt } from "../format/settings";
import { fieldProblems, FREE_SETTINGS, problemsOf, taskInfo, type TaskInfo } from "../tasks/meta";
import { CLIP_NORM, LEARNING_RATE, optimizerProblems, SEED } from "../tasks/training-fields";
import type { ForkOptions } from "./api";
import type { ForkSpec, RunDetail } from "./protocol";
import { policyProblems } from "./start-spec";

/** `holder`: the run that the step belongs to; `taken`: names of the runs there are. `invalid` with every problem in words. */
export function forkSpec(
  holder: RunDetail,
  step: number,
  { name, steps, changes = {} }: ForkOptions,
  taken: readonly string[] = [],
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
  const before = { seed: record.seed, ...record.config, ...ratesOf(optimizer) };
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
    name:
      called === ""
        ? freeName(nameOf(holder.name, step, info, before, { seed, ...changed, ...ratesOf(updated) }), taken)
        : called,
    steps: total,
    config: changed,
    optimizer: updated,
    policy: given(policy),
    seed,
  };
}

/** More of them are on the run's screen; a name is read in a list. */
const NAMED_CHANGES = 2;
/** Characters of a parent's name that are kept: forks of forks of forks have a name all the same. */
const PARENT_NAME = 120;

/** Lists have little room. */
const SHORT: Readonly<Record<string, string>> = { learningRate: "rate", clipNorm: "clipping" };

/** By what is different: forks of one step are told apart. */
function nameOf(parent: string, step: number, info: TaskInfo, before: Config, after: Config): string {
  const fields = [...info.fields, LEARNING_RATE, CLIP_NORM, SEED];
  const different = fields.filter(({ name }) => before[name] !== after[name]);
  const told = different
    .slice(0, NAMED_CHANGES)
    .map(({ name, label }) => `${SHORT[name] ?? label.toLowerCase()} ${valueWords(after[name])}`);
  const short = parent.length > PARENT_NAME ? `${cutName(parent, PARENT_NAME)}…` : parent;
  return [`${short}, from step ${step}`, ...told].join(", ");
}

/** Without the digits that a sum of decimals leaves behind. */
function valueWords(value: Config[string] | undefined): string {
  return String(typeof value === "number" ? Number(value.toPrecision(6)) : value);
}

function ratesOf({ learningRate, clipNorm }: OptimizerConfig): Config {
  return { learningRate, clipNorm };
}

const RATES: ReadonlySet<string> = new Set(["learningRate", "clipNorm"]);

/** What crossed from a console may hold anything. */
function unknownIn(rates: object): readonly string[] {
  return Object.keys(rates)
    .filter((key) => !RATES.has(key))
    .map((key) => `"${key}" cannot change in a fork.`);
}
