/** Tasks on tfjs's CPU backend, for tests in Node. */
import * as tf from "@tensorflow/tfjs-core";
import type { Scalar, Tensor } from "@tensorflow/tfjs-core";
import { openDevice } from "../../src/engine/device";
import type { Device } from "../../src/engine/device";
import { initialValues } from "../../src/engine/initialize";
import { keepMask } from "../../src/engine/random";
import type { LossContext, Model, Params, Task } from "../../src/engine/task";
import { TfjsTrainable } from "../../src/engine/tfjs";
import type { Panel, Picture } from "../../src/format/picture";
import type { Config, OptimizerConfig } from "../../src/format/run";
import type { NamedTensor } from "../../src/format/tensors";
import { withDefaults } from "../../src/tasks/meta";
import type { PresetName } from "../../src/tasks/meta";

let opened: Promise<Device> | undefined;

/** The CPU device, opened once: opening it again would take the tensors of the first one with it. */
export function openCpu(): Promise<Device> {
  // Where tfjs knows that it runs in Node, it advertises another backend at each start.
  tf.env().set("IS_NODE", false);
  opened ??= openDevice({ only: "cpu" });
  return opened;
}

/** PyTorch's defaults, with clipping. */
export const OPTIMIZER: OptimizerConfig = {
  kind: "adamw",
  learningRate: 0.01,
  momentum: 0.9,
  beta1: 0.9,
  beta2: 0.999,
  decay: 0.99,
  epsilon: 1e-8,
  weightDecay: 0.01,
  clipNorm: 1,
  schedule: { kind: "constant", warmup: 0, horizon: 1, floor: 0, every: 1, factor: 1 },
};

/** The preset's complete config, with some fields set otherwise. */
export function configOf(task: Task, preset: PresetName, changes: Config = {}): Config {
  return withDefaults(task.info, { ...task.info.presets[preset].config, ...changes });
}

/** A model on data of its own; the caller disposes it. */
export function modelOf(task: Task, config: Config, seed = 1): Model {
  return task.build(config, task.generate(config, seed), seed);
}

/** S_0 of a model; the caller disposes it. */
export function initialParams(model: Model, seed = 1): Params {
  return Object.fromEntries(
    model.parameters.map((spec) => [spec.name, tf.tensor(initialValues(spec, seed), [...spec.shape])]),
  );
}

/** Dropout with the engine's masks. */
export function droppingAt(step: number, seed = 1): LossContext {
  return {
    dropout: (x, layer, rate) =>
      rate === 0 ? x : tf.mul(x, tf.tensor(keepMask(seed, `dropout/${layer}`, step, x.size, rate), x.shape)),
  };
}

/** The gradient of a function of named tensors, read back. */
export async function gradientOf(
  inputs: Params,
  f: (inputs: Params) => Scalar,
): Promise<{ readonly value: number; readonly gradients: Readonly<Record<string, Float32Array>> }> {
  const names = Object.keys(inputs);
  const { value, grads } = tf.tidy(() => {
    const named = (values: readonly Tensor[]): Params =>
      Object.fromEntries(names.map((name, i) => [name, present(values[i])]));
    return { ...tf.valueAndGrads((...values: Tensor[]) => f(named(values)))(Object.values(inputs)) };
  });
  const gradients: Record<string, Float32Array> = {};
  for (const [i, name] of names.entries())
    gradients[name] = Float32Array.from(await present(grads[i]).data());
  const [loss] = await value.data();
  tf.dispose([value, grads]);
  return { value: present(loss), gradients };
}

/** What training left behind. */
export interface Trained {
  readonly losses: readonly number[];
  readonly tensors: readonly NamedTensor[];
}

/** Trains S_0 with the engine; `between` sees the model and the parameters after each step. */
export async function train(
  model: Model,
  options: {
    readonly steps: number;
    readonly batchSize: number;
    readonly optimizer?: Partial<OptimizerConfig>;
  },
  between: (params: Params, step: number) => Promise<void> = async () => undefined,
): Promise<Trained> {
  const device = await openCpu();
  const optimizer = { ...OPTIMIZER, ...options.optimizer };
  const trainable = new TfjsTrainable({ device, model, optimizer, seed: 1, batchSize: options.batchSize });
  const losses: number[] = [];
  for (let step = 0; step < options.steps; step++) {
    const { learningRate, clipNorm } = optimizer;
    const input = {
      step,
      samples: step * options.batchSize,
      learningRate: Math.fround(learningRate),
      clipNorm,
    };
    losses.push(...(await trainable.losses([trainable.step(input)])));
    await withParams(await tensorsOf(trainable), (params) => between(params, step + 1));
  }
  const tensors = await tensorsOf(trainable);
  trainable.dispose();
  return { losses, tensors };
}

/** Runs `work` with the parameters of a state as tensors. */
export async function withParams<T>(
  tensors: readonly NamedTensor[],
  work: (params: Params) => Promise<T>,
): Promise<T> {
  const own = tensors.filter(({ name }) => name.startsWith("param/"));
  const params = Object.fromEntries(
    own.map(({ name, values, shape }) => [name.slice("param/".length), tf.tensor(values, [...shape])]),
  );
  try {
    return await work(params);
  } finally {
    tf.dispose(params);
  }
}

/** The picture's panel of that kind, the first if there are several. */
export function panelOf<Kind extends Panel["kind"]>(
  picture: Picture,
  kind: Kind,
): Extract<Panel, { readonly kind: Kind }> {
  const found = picture.panels.find(
    (panel): panel is Extract<Panel, { readonly kind: Kind }> => panel.kind === kind,
  );
  return present(found);
}

/** A tensor with one element moved. */
export function nudged(tensor: Tensor, element: number, by: number): Tensor {
  const nudge = new Float32Array(tensor.size);
  nudge[element] = by;
  return tf.add(tensor, tf.tensor(nudge, tensor.shape));
}

/** The mean of some numbers. */
export function meanOf(values: Iterable<number>): number {
  const all = [...values];
  return all.reduce((sum, value) => sum + value, 0) / all.length;
}

/** The value; a test that has none fails here. */
export function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("Expected a value.");
  return value;
}

async function tensorsOf(trainable: TfjsTrainable): Promise<readonly NamedTensor[]> {
  return (await trainable.snapshot().read([])).tensors;
}
