/** PyTorch's results on recorded gradients, and a run of ours over the same; made by `scripts/optimizer-vectors.py`. */
import { dispose, keep, tensor, tidy, zeros, type Tensor } from "@tensorflow/tfjs-core";
import { Updater, type ParameterState } from "../../src/engine/optimizers/update";
import type { Counters, Optimizer, Slots } from "../../src/engine/optimizers/optimizer";
import { rateAt } from "../../src/engine/schedule";
import type { OptimizerConfig, OptimizerKind, ScheduleConfig } from "../../src/format/run";
import adam from "../fixtures/optimizers/adam.json";
import adamw from "../fixtures/optimizers/adamw.json";
import inputs from "../fixtures/optimizers/inputs.json";
import momentum from "../fixtures/optimizers/momentum.json";
import rmsprop from "../fixtures/optimizers/rmsprop.json";
import schedules from "../fixtures/optimizers/schedules.json";
import sgd from "../fixtures/optimizers/sgd.json";

export const RECORDED_STEPS = [1, 2, 5, 20] as const;

/** Values by name: `value/<parameter>` and `<slot>/<parameter>`. */
export type Recorded = ReadonlyMap<string, readonly number[]>;

export interface VectorCase {
  readonly name: string;
  readonly config: OptimizerConfig;
  /** By step. */
  readonly states: ReadonlyMap<number, Recorded>;
}

interface StoredCase {
  readonly config: Omit<OptimizerConfig, "kind" | "schedule"> & {
    readonly schedule: Omit<ScheduleConfig, "kind"> & { readonly kind: string };
  };
  readonly states: Readonly<Record<string, Readonly<Record<string, StoredParameter>>>>;
}

interface StoredParameter {
  readonly value: readonly number[];
  readonly slots: Readonly<Record<string, readonly number[]>>;
}

const FILES: Readonly<Record<OptimizerKind, { readonly cases: Readonly<Record<string, StoredCase>> }>> = {
  sgd,
  momentum,
  rmsprop,
  adam,
  adamw,
};

export const KINDS: readonly OptimizerKind[] = ["sgd", "momentum", "rmsprop", "adam", "adamw"];

/** All recorded cases of one optimizer. */
export function casesOf(kind: OptimizerKind): VectorCase[] {
  return Object.entries(FILES[kind].cases).map(([name, { config, states }]) => ({
    name,
    config: { ...config, kind, schedule: scheduleOf(config.schedule) },
    states: new Map(Object.entries(states).map(([step, state]) => [Number(step), flat(state)])),
  }));
}

/** One recorded case. */
export function caseOf(kind: OptimizerKind, name: string): VectorCase {
  const found = casesOf(kind).find((one) => one.name === name);
  if (found === undefined) throw new Error(`no fixture "${name}" for ${kind}`);
  return found;
}

/** PyTorch's schedulers: the rate of each step. */
export function scheduleVectors(): {
  readonly schedule: ScheduleConfig;
  readonly rates: readonly number[];
}[] {
  return schedules.schedules.map(({ schedule, rates }) => ({ schedule: scheduleOf(schedule), rates }));
}

function scheduleOf(stored: StoredCase["config"]["schedule"]): ScheduleConfig {
  const kind = (["constant", "cosine", "step", "linear"] as const).find((known) => known === stored.kind);
  if (kind === undefined) throw new Error(`no schedule "${stored.kind}"`);
  return { ...stored, kind };
}

function flat(state: Readonly<Record<string, StoredParameter>>): Recorded {
  const values = new Map<string, readonly number[]>();
  for (const [name, { value, slots }] of Object.entries(state)) {
    values.set(`value/${name}`, value);
    for (const [slot, content] of Object.entries(slots)) values.set(`${slot}/${name}`, content);
  }
  return values;
}

export interface RunOptions {
  readonly steps?: number;
  readonly packBelow?: number;
  /** What a planted fault changes. */
  readonly decayAll?: boolean;
}

type Live = Omit<ParameterState, "gradient">;

/** Runs `optimizer` over the recorded gradients; hands back the states after the recorded steps. Frees all. */
export async function runOver(
  optimizer: Optimizer,
  config: OptimizerConfig,
  { steps = 20, packBelow, decayAll = false }: RunOptions = {},
): Promise<Map<number, Recorded>> {
  const updater = new Updater(optimizer, packBelow);
  const states = new Map<number, Recorded>();
  let counters: Counters = {};
  let live = tidy(() => inputs.parameters.map((stored) => startOf(optimizer, stored, decayAll)));
  for (let step = 0; step < steps; step++) {
    const before = live;
    live = tidy(() => {
      const result = updater.step(
        before.map((parameter) => withGradient(parameter, step)),
        {
          learningRate: rateAt(config, step),
          clipNorm: config.clipNorm,
          counters,
        },
      );
      counters = result.counters;
      return before.map((parameter) => keptOf({ ...parameter, ...result.updated.get(parameter.name) }));
    });
    dispose(before.flatMap(tensorsOf));
    if (RECORDED_STEPS.some((recorded) => recorded === step + 1)) states.set(step + 1, await readAll(live));
  }
  dispose(live.flatMap(tensorsOf));
  updater.dispose();
  return states;
}

function startOf(
  optimizer: Optimizer,
  { name, shape, decay, value }: (typeof inputs.parameters)[number],
  decayAll: boolean,
): Live {
  const slots: Slots = Object.fromEntries(optimizer.slots.map((slot) => [slot, zeros(shape)]));
  return keptOf({ name, value: tensor(value, shape, "float32"), slots, decay: decay || decayAll });
}

function withGradient(parameter: Live, step: number): ParameterState {
  const gradients: Readonly<Record<string, readonly number[]>> | undefined = inputs.gradients[step];
  const values = gradients?.[parameter.name];
  if (values === undefined) throw new Error(`no gradient of ${parameter.name} at step ${step}`);
  return { ...parameter, gradient: tensor([...values], parameter.value.shape, "float32") };
}

function keptOf(parameter: Live): Live {
  for (const one of tensorsOf(parameter)) keep(one);
  return parameter;
}

function tensorsOf({ value, slots }: Live): Tensor[] {
  return [value, ...Object.values(slots)];
}

async function readAll(live: readonly Live[]): Promise<Recorded> {
  const values = new Map<string, readonly number[]>();
  for (const { name, value, slots } of live) {
    values.set(`value/${name}`, [...(await value.data())]);
    for (const [slot, content] of Object.entries(slots))
      values.set(`${slot}/${name}`, [...(await content.data())]);
  }
  return values;
}

/**
 * Largest difference of an element, relative to that element of `expected` or to its tensor's root mean square,
 * whichever is larger: an element that has come near 0 carries the rounding of what was subtracted. Infinity where
 * names or sizes differ.
 */
export function worstError(actual: Recorded | undefined, expected: Recorded | undefined): number {
  if (actual === undefined || expected === undefined || actual.size !== expected.size) return Infinity;
  let worst = 0;
  for (const [name, values] of expected) {
    const ours = actual.get(name);
    if (ours?.length !== values.length) return Infinity;
    const typical = Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0) / values.length);
    for (const [index, value] of values.entries()) {
      worst = Math.max(worst, Math.abs((ours[index] ?? NaN) - value) / Math.max(Math.abs(value), typical));
    }
  }
  return worst;
}
