/** What a page asks of a run, and the record that the store keeps of it. */
import { HoldfastError, messageOf } from "../errors";
import type { Bytes } from "../format/bytes";
import { browserName } from "../format/environment";
import type {
  Config,
  Environment,
  KeepRule,
  OptimizerConfig,
  Policy,
  RunRecord,
  SaveRule,
} from "../format/run";
import { policy as parsePolicy } from "../format/run-parse";
import type { CheckpointInfo } from "../format/stored";
import { keepProblems } from "../policy/keep";
import { POLICIES } from "../policy/presets";
import { newRunId } from "../format/run-id";
import type { Machine } from "./trainer";

/** When to save and what to keep. What is left out is as in `POLICIES.steady`. */
export interface PolicyOptions {
  readonly save?: Exclude<SaveRule, { readonly kind: "epochs" }>;
  readonly keep?: readonly KeepRule[];
  /** Bytes that the run's checkpoints may take. */
  readonly budget?: number;
}

/** What a run is made of. They never change: a run that is there already is refused where they differ. */
export interface RunSettings {
  /** 0 … 2^53 - 1; default: drawn once. All randomness should be a function of it and the step. */
  readonly seed?: number;
  /** Numbers, texts and booleans by name, as the batch size; default: none. */
  readonly settings?: Config;
  /** What it trains on, kept with the run (twice) and in its bundles: the bytes, of whatever array; default: nothing. */
  readonly data?: { readonly bytes: ArrayBuffer | ArrayBufferView; readonly name: string };
  /** Where one of our optimizers is used. */
  readonly optimizer?: OptimizerConfig;
  /** Steps that it is to have; for lists only, the loop is yours. */
  readonly steps?: number;
  /** What is trained, in a word; for lists only. Default `library`. */
  readonly task?: string;
}

/** Who hears of saves that nobody awaits. */
export interface Listener {
  /** A checkpoint is durable. */
  readonly saved?: (checkpoint: CheckpointInfo) => void;
  /** A save beside the training failed; the next one tries again. Without this, the next `stepped` throws it. */
  readonly trouble?: (error: HoldfastError) => void;
}

/** @internal What a run trains on, as its bytes. */
export interface NamedBytes {
  readonly bytes: Bytes;
  readonly name: string;
}

/** @internal What a page asks for, checked: nothing in it is undefined. */
export interface Asked extends Omit<RunSettings, "data">, Listener {
  readonly data?: NamedBytes;
  readonly policy?: Policy;
  readonly takeOver?: boolean;
  readonly inexact?: readonly string[];
}

/** The format wants an optimizer. A rate of 0 says that it is the trainer's business. */
const NOT_OURS: OptimizerConfig = {
  kind: "sgd",
  learningRate: 0,
  momentum: 0,
  beta1: 0,
  beta2: 0,
  decay: 0,
  epsilon: 1,
  weightDecay: 0,
  clipNorm: 0,
  schedule: { kind: "constant", warmup: 0, horizon: 1, floor: 0, every: 1, factor: 1 },
};

/** @internal A whole policy. Throws `invalid` with every problem. */
export function policyOf(options: PolicyOptions, path = "policy"): Policy {
  const { save, keep } = POLICIES.steady;
  const policy = parsedPolicy({ save, keep, draw: false, ...options }, path);
  const problems = [...saveProblems(policy.save), ...keepProblems(policy.keep ?? [], policy.budget)];
  if (problems.length > 0) throw new HoldfastError("invalid", problems.join(" "));
  return policy;
}

function parsedPolicy(value: unknown, path: string): Policy {
  try {
    return parsePolicy(value, path);
  } catch (error) {
    throw new HoldfastError(
      "invalid",
      `${messageOf(error)} Take one of POLICIES, or rules such as { kind: "latest", count: 3 }.`,
      {
        cause: error,
      },
    );
  }
}

function saveProblems(rule: SaveRule): readonly string[] {
  if (rule.kind === "never") return [];
  if (rule.kind === "epochs") return ["Epochs are the loop's own: save every so many steps or seconds."];
  const amounts = rule.kind === "auto" ? [rule.returnSeconds, rule.overhead] : [rule.every];
  return amounts.every((value) => value > 0)
    ? []
    : [`The rule "${rule.kind}" has the number ${amounts.join(" and ")}; it must be above 0.`];
}

/** @internal */
export function environmentOf({ backend, adapter, tfjs, flags, math }: Machine = {}): Environment {
  return {
    backend: backend ?? "cpu",
    adapter: adapter ?? {},
    browser: browserName(navigator),
    tfjs: tfjs ?? "",
    flags: flags ?? {},
    math: math ?? {},
  };
}

/** @internal The record of a new run. `hash`: of its data, which is in the store. */
export function newRecord(
  name: string,
  asked: Asked,
  facts: { readonly policy: Policy; readonly environment: Environment; readonly hash: string },
): RunRecord {
  const {
    seed = drawnSeed(),
    settings = {},
    data,
    optimizer = NOT_OURS,
    steps = 0,
    task = "library",
  } = asked;
  return {
    id: newRunId(),
    name,
    task,
    created: Date.now(),
    seed,
    parent: null,
    firstStep: 0,
    steps,
    config: settings,
    optimizer,
    policy: facts.policy,
    data: {
      hash: facts.hash,
      bytes: data?.bytes.length ?? 0,
      name: data?.name ?? "",
      origin: "file",
      preprocessing: {},
    },
    environment: facts.environment,
  };
}

/** @internal What a page asks for must be what the run was begun with. Throws `invalid` with every difference. */
export function checkSame(record: RunRecord, asked: Asked, hash: string | null): void {
  const problems: string[] = [];
  const compare = (what: string, has: unknown, wanted: unknown) => {
    if (wanted === undefined || sorted(has) === sorted(wanted)) return;
    problems.push(`${what} ${sorted(has)} and not ${sorted(wanted)}`);
  };
  compare("the seed", record.seed, asked.seed);
  compare("the settings", record.config, asked.settings);
  compare("the optimizer", record.optimizer, asked.optimizer);
  compare("data with the hash", record.data.hash, hash ?? undefined);
  if (problems.length === 0) return;
  throw new HoldfastError(
    "invalid",
    `The run "${record.name}" has ${problems.join(", ")}. Ask for what it has, or open another name.`,
  );
}

/** JSON with its keys in order, so that equal values are equal texts. */
function sorted(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

function drawnSeed(): number {
  const [high = 0, low = 0] = crypto.getRandomValues(new Uint32Array(2));
  return (high % 2 ** 21) * 2 ** 32 + low;
}
