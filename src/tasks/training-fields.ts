/**
 * The settings of a run that are the same for every task, as fields like a task's own: the form is drawn from them,
 * and what comes in by the console is checked against them.
 */
import type { OptimizerConfig, OptimizerKind, ScheduleConfig, ScheduleKind } from "../format/run";
import { fieldProblems, type Field, type NumberField, type Preset, type PresetName } from "./meta";

/** The sizes to choose from; what each means is the task's business. */
export const PRESETS: readonly {
  readonly value: PresetName;
  readonly label: string;
  readonly help: string;
}[] = [
  { value: "tiny", label: "Tiny", help: "learns in seconds, on anything" },
  { value: "small", label: "Small", help: "the one to start with" },
  { value: "medium", label: "Medium", help: "wants a real GPU and minutes" },
];

const OPTIMIZERS: readonly { readonly value: OptimizerKind; readonly label: string }[] = [
  { value: "adamw", label: "AdamW" },
  { value: "adam", label: "Adam" },
  { value: "rmsprop", label: "RMSProp" },
  { value: "momentum", label: "SGD with Nesterov momentum" },
  { value: "sgd", label: "SGD" },
];

const SCHEDULES: readonly { readonly value: ScheduleKind; readonly label: string }[] = [
  { value: "constant", label: "Constant" },
  { value: "cosine", label: "Warm-up, then cosine" },
  { value: "linear", label: "Warm-up, then linear" },
  { value: "step", label: "In steps" },
];

export const STEPS: NumberField = {
  name: "steps",
  label: "Steps",
  help: "More can be added later.",
  kind: "integer",
  default: 1000,
  min: 1,
  max: 10_000_000,
};
export const SEED: NumberField = {
  name: "seed",
  label: "Seed",
  help: "The same seed gives the same run, bit for bit.",
  kind: "integer",
  default: 1,
  min: 0,
  max: Number.MAX_SAFE_INTEGER,
};
export const OPTIMIZER: Field = {
  name: "optimizer",
  label: "Optimizer",
  kind: "choice",
  default: "adamw",
  options: OPTIMIZERS,
};
export const LEARNING_RATE: NumberField = {
  name: "learningRate",
  label: "Learning rate",
  help: "Can be changed while it trains.",
  kind: "number",
  default: 0.001,
  min: 1e-9,
  max: 10,
};
export const CLIP_NORM: NumberField = {
  name: "clipNorm",
  label: "Clip gradients at norm",
  help: "0 turns it off.",
  kind: "number",
  default: 1,
  min: 0,
  max: 1_000_000,
};
export const SCHEDULE: Field = {
  name: "schedule",
  label: "Schedule of the rate",
  kind: "choice",
  default: "cosine",
  options: SCHEDULES,
};
export const SAVE_KIND: Field = {
  name: "saveKind",
  label: "Save",
  kind: "choice",
  default: "auto",
  options: [
    { value: "auto", label: "automatically" },
    { value: "steps", label: "every so many steps" },
    { value: "seconds", label: "every so many seconds" },
    { value: "epochs", label: "every so many epochs" },
  ],
};
/** By the names of the policies. */
export const KEEP: Field = {
  name: "keep",
  label: "Keep checkpoints",
  help: "Every step can be gone back to; more checkpoints make it faster.",
  kind: "choice",
  default: "steady",
  options: [
    { value: "explore", label: "many (explore)" },
    { value: "steady", label: "some (steady)" },
    { value: "lean", label: "few (lean)" },
  ],
};

export const EVALUATE: NumberField = {
  name: "evaluate",
  label: "Evaluate every so many steps",
  help: "On held-out data; 0 turns it off.",
  kind: "integer",
  default: 0,
  min: 0,
  max: 10_000_000,
};
export const PATIENCE: NumberField = {
  name: "patience",
  label: "Stop after so many evaluations without a better one",
  help: "0 turns it off.",
  kind: "integer",
  default: 0,
  min: 0,
  max: 1_000_000,
};
export const SPIKE: NumberField = {
  name: "spike",
  label: "Pause where the loss is so many times the usual",
  help: "Above 1; 0 turns it off.",
  kind: "number",
  default: 0,
  min: 0,
  max: 1_000_000,
};

/** What a run is watched for. */
export const WATCH_FIELDS: readonly NumberField[] = [EVALUATE, PATIENCE, SPIKE];

export const DRAW: Field = {
  name: "draw",
  label: "Live pictures",
  help: "Costs a little speed; changes no number of the run.",
  kind: "switch",
  default: true,
};

const BETA1: NumberField = {
  name: "beta1",
  label: "Beta 1",
  kind: "number",
  default: 0.9,
  min: 0,
  max: 0.9999,
};
const BETA2: NumberField = {
  name: "beta2",
  label: "Beta 2",
  kind: "number",
  default: 0.999,
  min: 0,
  max: 0.999999,
};
const EPSILON: NumberField = {
  name: "epsilon",
  label: "Epsilon",
  kind: "number",
  default: 1e-8,
  min: 1e-12,
  max: 1,
};
const MOMENTUM: NumberField = {
  name: "momentum",
  label: "Momentum",
  kind: "number",
  default: 0.9,
  min: 0,
  max: 0.9999,
};
const DECAY: NumberField = {
  name: "decay",
  label: "Decay of the mean square",
  kind: "number",
  default: 0.99,
  min: 0,
  max: 0.999999,
};

function weightDecayField(kind: OptimizerKind): NumberField {
  return {
    name: "weightDecay",
    label: "Weight decay",
    help: kind === "adamw" ? "Decoupled from the gradient." : "Added to the gradient (L2).",
    kind: "number",
    default: kind === "adamw" ? 0.01 : 0,
    min: 0,
    max: 10,
  };
}

/** The fields that matter to an optimizer, beside its rate and clipping. */
export function optimizerFields(kind: OptimizerKind): readonly Field[] {
  const weightDecay = weightDecayField(kind);
  switch (kind) {
    case "sgd":
      return [weightDecay];
    case "momentum":
      return [MOMENTUM, weightDecay];
    case "rmsprop":
      return [DECAY, EPSILON, weightDecay];
    case "adam":
    case "adamw":
      return [BETA1, BETA2, EPSILON, weightDecay];
    default:
      return kind satisfies never;
  }
}

const WARMUP: NumberField = {
  name: "warmup",
  label: "Warm-up",
  kind: "integer",
  default: 20,
  min: 0,
  max: 10_000_000,
  unit: "steps",
};
const FLOOR: NumberField = {
  name: "floor",
  label: "Ends at",
  help: "Share of the full rate.",
  kind: "number",
  default: 0.1,
  min: 0,
  max: 1,
};
export const EVERY: NumberField = {
  name: "every",
  label: "Lower it every",
  kind: "integer",
  default: 500,
  min: 1,
  max: 10_000_000,
  unit: "steps",
};
const FACTOR: NumberField = {
  name: "factor",
  label: "By the factor",
  kind: "number",
  default: 0.3,
  min: 0.0001,
  max: 1,
};

const HORIZON: NumberField = {
  name: "horizon",
  label: "Horizon",
  help: "Step at which cosine and linear end.",
  kind: "integer",
  default: 1000,
  min: 1,
  max: 10_000_000,
  unit: "steps",
};

/** The fields that matter to a schedule. */
export function scheduleFields(kind: ScheduleKind): readonly Field[] {
  switch (kind) {
    case "constant":
      return [WARMUP];
    case "cosine":
    case "linear":
      return [WARMUP, FLOOR];
    case "step":
      return [WARMUP, EVERY, FACTOR];
    default:
      return kind satisfies never;
  }
}

export const OPTIMIZER_KINDS = OPTIMIZERS.map(({ value }) => value);
export const SCHEDULE_KINDS = SCHEDULES.map(({ value }) => value);

/** Every setting that says how a run of any task is trained, whatever its optimizer and its schedule. */
export const TRAINING_FIELDS: readonly Field[] = [
  SEED,
  OPTIMIZER,
  LEARNING_RATE,
  CLIP_NORM,
  ...OPTIMIZER_KINDS.flatMap(optimizerFields),
  SCHEDULE,
  ...SCHEDULE_KINDS.flatMap(scheduleFields),
  HORIZON,
];

/** Longest return that is planned for, where the policy chooses how often to save. */
export const RETURN_SECONDS: NumberField = {
  name: "returnSeconds",
  label: "Going back to any step takes at most",
  help: "Saves often enough for that, where saving costs little.",
  kind: "number",
  default: 5,
  min: 0.1,
  max: 3600,
  unit: "seconds",
};
export const SAVE_OVERHEAD: NumberField = {
  name: "overhead",
  label: "Saving takes at most",
  help: "Share of the time.",
  kind: "number",
  default: 0.02,
  min: 0.001,
  max: 0.5,
};

/** How often to save, in the unit chosen. */
export function saveEveryField(kind: string): Field {
  if (kind === "auto") return RETURN_SECONDS;
  const field = { name: "saveEvery", label: "Save every", default: 100, max: 1_000_000 };
  if (kind === "seconds" || kind === "epochs") return { ...field, kind: "number", min: 0.01, unit: kind };
  return { ...field, kind: "integer", min: 1, unit: "steps" };
}

export function isOptimizerKind(value: unknown): value is OptimizerKind {
  return OPTIMIZERS.some((option) => option.value === value);
}

export function isScheduleKind(value: unknown): value is ScheduleKind {
  return SCHEDULES.some((option) => option.value === value);
}

/** What is wrong with an optimizer's settings, one sentence each; those that its kind does not use count too. */
export function optimizerProblems({ kind, schedule, ...values }: OptimizerConfig): readonly string[] {
  return [
    ...fieldProblems(OPTIMIZER, kind),
    ...problemsIn(
      [LEARNING_RATE, CLIP_NORM, BETA1, BETA2, EPSILON, MOMENTUM, DECAY, weightDecayField(kind)],
      values,
    ),
    ...fieldProblems(SCHEDULE, schedule.kind),
    ...problemsIn([WARMUP, HORIZON, FLOOR, EVERY, FACTOR], schedule),
  ];
}

/** The weight decay that a preset means for this optimizer. */
export function presetDecay(kind: OptimizerKind, { weightDecay }: Pick<Preset, "weightDecay">): number {
  return (kind === "adamw" ? weightDecay : undefined) ?? weightDecayField(kind).default;
}

/** The preset's; where it says nothing PyTorch's defaults, where it has one. */
export function defaultOptimizer(
  kind: OptimizerKind,
  preset: Pick<Preset, "learningRate" | "weightDecay" | "schedule">,
  steps: number,
): OptimizerConfig {
  return {
    kind,
    learningRate: preset.learningRate,
    momentum: MOMENTUM.default,
    beta1: BETA1.default,
    beta2: BETA2.default,
    decay: DECAY.default,
    epsilon: EPSILON.default,
    weightDecay: presetDecay(kind, preset),
    clipNorm: CLIP_NORM.default,
    schedule: defaultSchedule(steps, preset.schedule),
  };
}

/** Warm-up and cosine over the whole run, unless told otherwise; a short run warms up over a tenth of it. */
function defaultSchedule(steps: number, kind: ScheduleKind = "cosine"): ScheduleConfig {
  return {
    kind,
    warmup: Math.min(WARMUP.default, Math.floor(steps / 10)),
    horizon: steps,
    floor: FLOOR.default,
    every: Math.max(1, Math.floor(steps / 3)),
    factor: FACTOR.default,
  };
}

function problemsIn(fields: readonly Field[], values: object): readonly string[] {
  const entries = new Map<string, unknown>(Object.entries(values));
  return fields.flatMap((field) => fieldProblems(field, entries.get(field.name)));
}
