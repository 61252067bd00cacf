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
import { evaluationProblems } from "../policy/evaluation";
import { keepProblems } from "../policy/keep";
import { defaultPolicy } from "../policy/presets";
import type { StartOptions } from "./api";
import type { OptimizerConfig, Policy, SaveRule, StartSpec } from "./protocol";

/** Each is an event of the run, which the page and every opening read. */
const MOST_EVALUATIONS = 10_000;
/** Characters of a file's name that are kept. */
const MOST_NAME = 255;

/** Throws `invalid` or `missing` with every problem in words. */
export function startSpec(options: StartOptions): StartSpec {
  const info = taskOf(options.task);
  const preset = info.presets[options.preset ?? "small"];
  const config = withDefaults(info, { ...preset.config, ...options.config });
  const steps = options.steps ?? preset.steps;
  const seed = options.seed ?? 1;
  const optimizer = optimizerOf(options, preset, steps);
  const policy = options.policy ?? defaultPolicy(steps);
  const from = [options.from ?? []].flat();
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
    ...(from.every((file) => file instanceof Blob)
      ? []
      : ["`from` is no file; give a File or a Blob of a safetensors file."]),
    ...(options.file !== undefined && info.file === null
      ? [`${info.title} takes no file; it makes its own data.`]
      : []),
  ];
  if (problems.length > 0) throw new HoldfastError("invalid", problems.join(" "));
  return {
    task: info.id,
    name: nameOf(options, info),
    seed,
    steps,
    config,
    optimizer,
    policy,
    file: options.file === undefined ? null : { hash: options.file.hash, name: options.file.name },
    from: from.map((file) => ({ file, name: fileName(file) })),
  };
}

/** As it can be written down: a script may name a file as it likes. */
function fileName(file: Blob): string {
  const name = file instanceof File ? file.name.slice(0, MOST_NAME).replace(/\p{Surrogate}/gu, "\ufffd") : "";
  return name === "" ? "weights.safetensors" : name;
}

function taskOf(id: string): TaskInfo {
  const info = taskInfo(id);
  if (info !== undefined) return info;
  throw new HoldfastError(
    "missing",
    `There is no task "${id}"; choose one of ${TASKS.map((task) => task.id).join(", ")}.`,
  );
}

function nameOf(options: StartOptions, info: TaskInfo): string {
  const name = options.name?.trim() ?? "";
  if (name !== "") return name;
  return options.file === undefined ? info.title : options.file.name;
}

function optimizerOf(options: StartOptions, preset: Preset, steps: number): OptimizerConfig {
  const defaults = defaultOptimizer(options.optimizer?.kind ?? "adamw", preset.learningRate, steps);
  return {
    ...defaults,
    ...options.optimizer,
    schedule: { ...defaults.schedule, ...options.optimizer?.schedule },
  };
}

/** What is wrong with a policy, one sentence each. */
export function policyProblems(policy: Policy): readonly string[] {
  const { save, keep = [], budget } = policy;
  return [...saveProblems(save), ...keepProblems(keep, budget), ...evaluationProblems(policy)];
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
