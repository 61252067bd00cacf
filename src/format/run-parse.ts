/** The run record and its events, read from bytes or from the catalogue: field by field, never cast. */
import {
  boolean,
  byKind,
  dictionary,
  fail,
  finite,
  integer,
  list,
  moment,
  nullable,
  object,
  oneOf,
  pattern,
  text,
  type Parse,
} from "./parse";
import type {
  About,
  BestStep,
  Changes,
  Config,
  ConfigValue,
  DataRecord,
  EarlyStop,
  Environment,
  KeepRule,
  Mark,
  OptimizerConfig,
  Policy,
  RunEvent,
  RunEventBody,
  RunRecord,
  SaveReason,
  SaveRule,
  ScheduleConfig,
  Spike,
  WeightsOrigin,
} from "./run";

const MAX_ENTRIES = 256;
/** Longest name of a run, and of most else that has one. */
export const MAX_NAME = 512;
/** A shader that does not compile comes with its source. */
const MAX_MESSAGE = 1 << 20;
const MAX_EVENTS = 1_000_000;
const MAX_TAG = 40;
const MAX_TAGS = 20;
const MAX_NOTE = 4000;
const MAX_MARKS = 100_000;

/** `r` and 16 of [a-z0-9], as the run record says; other lengths are allowed for ids of tests and of later versions. */
export const runId: Parse<string> = pattern(/^[a-z0-9]{1,24}$/, "a run id");
/** SHA-256 in lower-case hexadecimal. */
export const hashText: Parse<string> = pattern(/^[0-9a-f]{64}$/, "a SHA-256 in hexadecimal");

const configValue: Parse<ConfigValue> = (value, path) => {
  switch (typeof value) {
    case "string":
      return text()(value, path);
    case "boolean":
      return boolean(value, path);
    default:
      return finite(value, path);
  }
};

export const config: Parse<Config> = dictionary(configValue, MAX_ENTRIES);

const schedule: Parse<ScheduleConfig> = object<ScheduleConfig>({
  kind: oneOf("constant", "cosine", "step", "linear"),
  warmup: integer(),
  horizon: integer(),
  floor: finite,
  every: integer(),
  factor: finite,
});

export const optimizerConfig: Parse<OptimizerConfig> = object<OptimizerConfig>({
  kind: oneOf("sgd", "momentum", "rmsprop", "adam", "adamw"),
  learningRate: finite,
  momentum: finite,
  beta1: finite,
  beta2: finite,
  decay: finite,
  epsilon: finite,
  weightDecay: finite,
  clipNorm: finite,
  schedule,
});

const saveRule: Parse<SaveRule> = byKind<SaveRule>({
  never: object<{ readonly kind: "never" }>({ kind: oneOf("never") }),
  steps: object<{ readonly kind: "steps"; readonly every: number }>({ kind: oneOf("steps"), every: finite }),
  seconds: object<{ readonly kind: "seconds"; readonly every: number }>({
    kind: oneOf("seconds"),
    every: finite,
  }),
  epochs: object<{ readonly kind: "epochs"; readonly every: number }>({
    kind: oneOf("epochs"),
    every: finite,
  }),
  auto: object<Extract<SaveRule, { readonly kind: "auto" }>>({
    kind: oneOf("auto"),
    returnSeconds: finite,
    overhead: finite,
  }),
});

type Keep<K extends KeepRule["kind"]> = Extract<KeepRule, { readonly kind: K }>;

const keepRule: Parse<KeepRule> = byKind<KeepRule>({
  latest: object<Keep<"latest">>({ kind: oneOf("latest"), count: integer() }),
  best: object<Keep<"best">>({
    kind: oneOf("best"),
    metric: text(MAX_NAME),
    mode: oneOf("min", "max"),
    count: integer(),
  }),
  every: object<Keep<"every">>({ kind: oneOf("every"), steps: integer() }),
  spaced: object<Keep<"spaced">>({ kind: oneOf("spaced"), density: finite }),
  young: object<Keep<"young">>({ kind: oneOf("young"), seconds: finite }),
  used: object<Keep<"used">>({ kind: oneOf("used"), seconds: finite }),
});

const earlyStop: Parse<EarlyStop> = object<EarlyStop>({
  metric: text(MAX_NAME),
  mode: oneOf("min", "max"),
  patience: integer(),
});

/** When to save, and what to keep. */
export const policy: Parse<Policy> = object<
  Pick<Policy, "save" | "draw">,
  Required<Omit<Policy, "save" | "draw">>
>(
  { save: saveRule, draw: boolean },
  {
    keep: list(keepRule, MAX_ENTRIES),
    budget: finite,
    evaluate: integer(),
    stop: earlyStop,
    spike: finite,
  },
);

/** Tags of a run or a step. */
export const tags: Parse<readonly string[]> = list(text(MAX_TAG), MAX_TAGS);
export const note: Parse<string> = text(MAX_NOTE);

export const mark: Parse<Mark> = object<Mark>({ step: integer(), pinned: boolean, tags, note });

export const about: Parse<About> = object<About>({ marks: list(mark, MAX_MARKS), tags, note });

const dataRecord: Parse<DataRecord> = object<DataRecord>({
  hash: hashText,
  bytes: integer(),
  name: text(MAX_NAME),
  origin: oneOf("generated", "file"),
  preprocessing: config,
});

export const environment: Parse<Environment> = object<Environment>({
  backend: oneOf("webgpu", "webgl", "cpu"),
  adapter: dictionary(text(), MAX_ENTRIES),
  browser: text(MAX_NAME),
  tfjs: text(MAX_NAME),
  flags: dictionary(text(), MAX_ENTRIES),
  math: dictionary(finite, MAX_ENTRIES),
});

const parentOf: Parse<RunRecord["parent"]> = nullable(
  object<NonNullable<RunRecord["parent"]>>({ run: runId, step: integer() }),
);

const weightsOrigin: Parse<WeightsOrigin> = object<WeightsOrigin>({
  name: text(MAX_NAME),
  bytes: integer(),
  hash: hashText,
});

/** All of it, as it was written. */
export const runRecord: Parse<RunRecord> = object<Omit<RunRecord, "from">, { readonly from: WeightsOrigin }>(
  {
    id: runId,
    name: text(MAX_NAME),
    task: text(MAX_NAME),
    created: moment,
    seed: integer(),
    parent: parentOf,
    firstStep: integer(),
    steps: integer(),
    config,
    optimizer: optimizerConfig,
    policy,
    data: dataRecord,
    environment,
  },
  { from: weightsOrigin },
);

const changes: Parse<Changes> = object<object, { readonly learningRate: number; readonly clipNorm: number }>(
  {},
  { learningRate: finite, clipNorm: finite },
);

type Body<K extends RunEventBody["kind"]> = Extract<RunEvent, { readonly kind: K }>;

const head = { seq: integer(), step: integer(), time: moment };

/** One event, by its kind. */
export const runEvent: Parse<RunEvent> = byKind<RunEvent>({
  started: object<Body<"started">>({ ...head, kind: oneOf("started") }),
  paused: object<Omit<Body<"paused">, "spike">, { readonly spike: Spike }>(
    { ...head, kind: oneOf("paused"), why: text(MAX_MESSAGE) },
    { spike: object<Spike>({ step: integer(), loss: finite, usual: finite }) },
  ),
  resumed: object<Body<"resumed">>({
    ...head,
    kind: oneOf("resumed"),
    from: integer(),
    replayed: integer(),
    why: text(MAX_MESSAGE),
  }),
  changed: object<Body<"changed">>({ ...head, kind: oneOf("changed"), changes }),
  extended: object<Omit<Body<"extended">, "horizon">, { readonly horizon: number }>(
    { ...head, kind: oneOf("extended"), steps: integer() },
    { horizon: integer() },
  ),
  finished: object<Body<"finished">>({ ...head, kind: oneOf("finished") }),
  evaluated: object<Body<"evaluated">>({
    ...head,
    kind: oneOf("evaluated"),
    metrics: dictionary(finite, MAX_ENTRIES),
  }),
  stopped: object<Omit<Body<"stopped">, "best">, { readonly best: BestStep }>(
    { ...head, kind: oneOf("stopped") },
    { best: object<BestStep>({ metric: text(MAX_NAME), step: integer(), value: finite }) },
  ),
  forked: object<Body<"forked">>({ ...head, kind: oneOf("forked"), child: runId }),
  trouble: object<Body<"trouble">>({
    ...head,
    kind: oneOf("trouble"),
    code: text(MAX_NAME),
    message: text(MAX_MESSAGE),
  }),
});

/** Why a checkpoint was made. */
export const saveReason: Parse<SaveReason> = oneOf(
  "start",
  "policy",
  "improved",
  "pause",
  "hidden",
  "end",
  "recovered",
  "fork",
  "import",
  "asked",
);

/** `corrupt` with the path of the first field that is wrong. */
export function parseRunRecord(value: unknown): RunRecord {
  return runRecord(value, "run");
}

/** A run's events, numbered upwards. */
export function parseRunEvents(value: unknown): readonly RunEvent[] {
  const events = list(runEvent, MAX_EVENTS)(value, "events");
  for (const [index, event] of events.entries()) {
    const before = events[index - 1];
    if (before !== undefined && before.seq >= event.seq) {
      return fail(`events[${index}].seq`, "is not above the one before");
    }
  }
  return events;
}
