/** What a person asks for, completed with defaults and checked, before any worker hears of it. */
import { HoldfastError } from "../errors";
import {
  fieldProblems,
  problemsOf,
  taskInfo,
  TASKS,
  withDefaults,
  type Preset,
  type TaskInfo,
} from "../tasks/meta";
import {
  defaultOptimizer,
  optimizerProblems,
  RETURN_SECONDS,
  SAVE_OVERHEAD,
  saveEveryField,
  SEED,
  STEPS,
} from "../tasks/training-fields";
import { freeName } from "../format/free-name";
import { given } from "../format/given";
import { evaluationProblems } from "../policy/evaluation";
import { keepProblems } from "../policy/keep";
import { defaultPolicy } from "../policy/presets";
import type { StartOptions } from "./api";
import type { OptimizerConfig, Policy, SaveRule, StartSpec } from "./protocol";
import { isSavedModelName } from "./saved-models";

/** Each is an event of the run, which the page and every opening read. */
const MOST_EVALUATIONS = 10_000;
/** Characters of a file's name that are kept. */
const MOST_NAME = 255;

/** `taken`: names of the runs there are. Throws `invalid` or `missing` with every problem in words. */
export function startSpec(options: StartOptions, taken: readonly string[] = []): StartSpec {
  const info = taskOf(options.task);
  const preset = info.presets[options.preset ?? "small"];
  const config = withDefaults(info, { ...preset.config, ...given(options.config ?? {}) });
  const steps = options.steps ?? preset.steps;
  const seed = options.seed ?? 1;
  const optimizer = optimizerOf(options, preset, steps);
  const policy = given(options.policy ?? defaultPolicy(steps));
  const from = fromOf(options.from);
  const problems = [
    ...problemsOf(info, config),
    ...fieldProblems(STEPS, steps),
    ...fieldProblems(SEED, seed),
    ...optimizerProblems(optimizer),
    ...policyProblems(policy),
    ...(steps / (policy.evaluate ?? steps) > MOST_EVALUATIONS
      ? [
          `${steps} steps with an evaluation every ${policy.evaluate} are more than ${MOST_EVALUATIONS} evaluations; make them rarer.`,
        ]
      : []),
    ...(from === null
      ? [
          "`from` is no file; give a File or a Blob of a safetensors file, or the name of a saved model, as indexeddb://my-model.",
        ]
      : []),
    ...(options.data !== undefined && info.file === null
      ? [`${info.title} takes no data; it makes its own.`]
      : []),
  ];
  if (problems.length > 0) throw new HoldfastError("invalid", problems.join(" "));
  return {
    task: info.id,
    name: nameOf(options, info, taken),
    seed,
    steps,
    config,
    optimizer,
    policy,
    data: options.data === undefined ? null : { hash: options.data.hash, name: options.data.name },
    from: from ?? [],
  };
}

/** Null where it is nothing to begin with. */
function fromOf(from: StartOptions["from"] = []): StartSpec["from"] | null {
  if (isSavedModelName(from)) return { model: from, name: written(from) };
  const files = [from].flat();
  if (!files.every((file) => file instanceof Blob)) return null;
  return files.map((file) => ({ file, name: fileName(file) }));
}

function fileName(file: Blob): string {
  const name = file instanceof File ? written(file.name) : "";
  return name === "" ? "weights.safetensors" : name;
}

/** As it can be written down: a script may name things as it likes. */
function written(name: string): string {
  return name.slice(0, MOST_NAME).replace(/\p{Surrogate}/gu, "\ufffd");
}

function taskOf(id: string): TaskInfo {
  const info = taskInfo(id);
  if (info !== undefined) return info;
  throw new HoldfastError(
    "missing",
    `There is no task "${id}"; choose one of ${TASKS.map((task) => task.id).join(", ")}.`,
  );
}

function nameOf(options: StartOptions, info: TaskInfo, taken: readonly string[]): string {
  const name = options.name?.trim() ?? "";
  if (name !== "") return name;
  return freeName(options.data?.name ?? info.title, taken);
}

function optimizerOf(options: StartOptions, preset: Preset, steps: number): OptimizerConfig {
  const { kind = "adamw", schedule = {}, ...others } = options.optimizer ?? {};
  const defaults = defaultOptimizer(kind, preset, steps);
  return {
    ...defaults,
    ...given(others),
    schedule: { ...defaults.schedule, ...given(schedule) },
  };
}

/** What is wrong with a policy, one sentence each. */
export function policyProblems(policy: Policy): readonly string[] {
  const { save, keep = [], budget } = policy;
  return [...saveProblems(save), ...keepProblems(keep, budget), ...evaluationProblems(policy)];
}

/** Throws `invalid` with all of that. */
export function checkPolicy(policy: Policy): void {
  const problems = policyProblems(policy);
  if (problems.length > 0) throw new HoldfastError("invalid", problems.join(" "));
}

function saveProblems(save: SaveRule): readonly string[] {
  switch (save.kind) {
    case "never":
      return [];
    case "auto":
      return [
        ...fieldProblems(RETURN_SECONDS, save.returnSeconds),
        ...fieldProblems(SAVE_OVERHEAD, save.overhead),
      ];
    default:
      return fieldProblems(saveEveryField(save.kind), save.every);
  }
}
