/** A `tf.LayersModel` with its optimizer, as a trainer. */
import { HoldfastError } from "../errors";
import type { Run } from "./run";
import {
  assign,
  exactMachine,
  readVariables,
  shapeOf,
  upload,
  type Named,
  type TensorFlow,
  type TensorLike,
  type VariableLike,
} from "./tensorflow";
import { optimizerVariables, restoreOptimizer, type OptimizerLike } from "./tfjs-optimizer";
import { matched, type Trainer } from "./trainer";

/** A `tf.LayerVariable`. */
export interface WeightLike {
  readonly name: string;
  readonly originalName: string;
  read(): TensorLike;
}

/** A `tf.layers.Layer`. */
export interface LayerLike {
  getClassName(): string;
  getConfig(): object;
  readonly weights: WeightLike[];
}

/** A compiled `tf.LayersModel` or `tf.Sequential`. */
export interface LayersModelLike {
  readonly layers: LayerLike[];
  readonly optimizer: OptimizerLike;
  readonly trainableWeights: WeightLike[];
  /** Set by whoever ends `fit`, at any batch. */
  readonly stopTraining?: boolean;
}

/** Losses and metrics by name. */
export type Logs = Readonly<Record<string, number>>;

/** A callback of `model.fit`: an object of functions, or a `tf.Callback` as `tf.callbacks.earlyStopping()`. */
export interface FitCallback {
  onTrainBegin?(logs?: Logs): void | Promise<void>;
  onTrainEnd?(logs?: Logs): void | Promise<void>;
  onEpochBegin?(epoch: number, logs?: Logs): void | Promise<void>;
  onEpochEnd?(epoch: number, logs?: Logs): void | Promise<void>;
  onBatchBegin?(batch: number, logs?: Logs): void | Promise<void>;
  onBatchEnd?(batch: number, logs?: Logs): void | Promise<void>;
  onYield?(epoch: number, batch: number, logs?: Logs): void | Promise<void>;
}

/** What `model.fit` is to be given, beside what a page gives it. */
export interface FitOptions {
  /** Epochs that the run has behind it. */
  readonly initialEpoch: number;
  /** `fit` shuffles with `Math.random`, each epoch on top of the one before: that cannot be gone on with. */
  readonly shuffle: false;
  /** The run's, and then the page's own. */
  readonly callbacks: FitCallback;
}

const HOOKS = [
  "onTrainBegin",
  "onTrainEnd",
  "onEpochBegin",
  "onEpochEnd",
  "onBatchBegin",
  "onBatchEnd",
  "onYield",
] as const satisfies readonly (keyof FitCallback)[];

/** A trainer that knows what of its model cannot be exact, and how `model.fit` is gone on with. */
export interface LayersTrainer extends Trainer {
  readonly inexact: readonly string[];
  /**
   * Makes `model.fit` resumable: each batch is a step, and the ends of epochs are where a run can go on. Exact if there is
   * nothing in `inexact`, and the data come in the same order. Callbacks of your own go through it: beside it in the options
   * of `model.fit`, one of the two would replace the other.
   *
   * @example
   * const mine = { onEpochEnd: (epoch, logs) => console.log(epoch, logs.loss) };
   * await model.fit(xs, ys, { epochs: 20, ...trainer.fit(run, { callbacks: [mine, tf.callbacks.earlyStopping()] }) });
   */
  fit(run: Run, options?: { readonly callbacks?: FitCallback | readonly FitCallback[] }): FitOptions;
}

/**
 * A model with all its weights (those that are not trained, as means of batch normalization, too) and its optimizer's
 * slots, counters and powers of beta, bit for bit. Sets the flags of the backend that exactness needs, so call it before
 * the first step. Throws `unsupported` where an optimizer's private fields are not those of TensorFlow.js 4.22.
 *
 * Exact: steps by `model.trainOnBatch` or `optimizer.minimize` on batches that are a function of seed and step, from any
 * step; `model.fit` from the end of an epoch. What keeps a model from that stands in `inexact`.
 *
 * @example
 * model.compile({ optimizer: tf.train.adam(0.01), loss: "meanSquaredError" });
 * const trainer = layersModel(tf, model);
 * const run = await store.open("digits", trainer);
 */
export function layersModel(tf: TensorFlow, model: LayersModelLike): LayersTrainer {
  const machine = exactMachine(tf);
  checkModel(model);
  /** Epochs of `fit` that are done. */
  let epochs = 0;
  return {
    machine,
    inexact: inexactLayers(model, machine.backend),
    read: () =>
      readVariables(
        tf,
        [
          ...weightsOf(model).map(({ name, variable }) => ({ name: `param/${name}`, variable })),
          ...optimizerVariables(model.optimizer, trainedOf(model)),
        ],
        { epochs, iterations: model.optimizer.iterations },
      ),
    restore: (state) => {
      const weights = weightsOf(model);
      const isParameter = ({ name }: { readonly name: string }) => name.startsWith("param/");
      const given = matched(
        state.tensors.filter(isParameter),
        weights.map((weight) => ({ ...shapeOf(weight), name: `param/${weight.name}` })),
      );
      const rest = state.tensors.filter((tensor) => !isParameter(tensor));
      restoreOptimizer(tf, model.optimizer, trainedOf(model), { ...state, tensors: rest });
      tf.tidy(() => {
        for (const { name, variable } of weights)
          assign(variable, upload(tf, given(`param/${name}`), variable.shape));
      });
      epochs = state.scalars.counters["epochs"] ?? 0;
    },
    updates: () => model.optimizer.iterations,
    fit: (run, { callbacks = [] } = {}) => {
      const ours: FitCallback = {
        onBatchEnd: (_batch, logs) =>
          run.stepped({ mayEndHere: false, ...(logs?.["loss"] === undefined ? {} : { loss: logs["loss"] }) }),
        onEpochEnd: (epoch, logs = {}) => {
          // It is called too for an epoch that was stopped in the middle, which is not over.
          if (model.stopTraining === true) return;
          epochs = epoch + 1;
          run.saveIfDue(finite(logs));
        },
      };
      // Ours come first: an epoch at whose end somebody stops the training is over.
      const all = [ours, callbacks].flat();
      for (const callback of all) call(callback, "setModel", model);
      return { initialEpoch: epochs, shuffle: false, callbacks: together(all) };
    },
  };
}

/**
 * All weights by stable names: names of layers and variables come from counters of the page. So: the layer's place and
 * kind, the weight's place in it and role, as in `0-dense/0-kernel`.
 */
function weightsOf(model: LayersModelLike): readonly Named[] {
  return model.layers.flatMap((layer, place) =>
    layer.weights.map((weight, index) => {
      const role = weight.originalName.split("/").at(-1) ?? "weight";
      return {
        name: `${place}-${layer.getClassName().toLowerCase()}/${index}-${role}`,
        variable: variableOf(weight),
      };
    }),
  );
}

/** Those that the optimizer gets, in its order. */
function trainedOf(model: LayersModelLike): readonly Named[] {
  const byVariable = new Map(weightsOf(model).map((named) => [named.variable, named]));
  // Fixed by `compile`, so that freezing a layer later does not count: that is what `fit` goes by.
  const collected: unknown = Reflect.get(model, "collectedTrainableWeights");
  const trained = Array.isArray(collected) ? (collected as WeightLike[]) : model.trainableWeights;
  return trained.map((weight) => {
    const named = byVariable.get(variableOf(weight));
    if (named === undefined)
      throw new HoldfastError("unsupported", `The weight ${weight.name} belongs to no layer of the model.`);
    return named;
  });
}

/** `read` gives the variable itself, whatever its type says. */
function variableOf(weight: WeightLike): VariableLike {
  const variable = weight.read();
  if ("assign" in variable && "name" in variable && typeof variable.name === "string")
    return variable as VariableLike;
  throw new HoldfastError("unsupported", `The weight ${weight.name} is no variable of TensorFlow.js 4.22.`);
}

/** Layers that draw from `Math.random`, or keep something that no weight has. */
function inexactLayers({ layers }: LayersModelLike, backend = "cpu"): readonly string[] {
  return layers.flatMap((layer, place) => {
    const kind = layer.getClassName();
    const config = layer.getConfig();
    const has = (field: string): boolean => Number(Reflect.get(config, field) ?? 0) > 0;
    const name = `Layer ${place} (${kind})`;
    if (/Dropout|GaussianNoise/.test(kind) || has("dropout") || has("recurrentDropout"))
      return [`${name} draws from Math.random.`];
    if (Reflect.get(config, "stateful") === true) return [`${name} keeps states that are no weights.`];
    if (kind === "Embedding" && backend === "webgpu")
      return [`${name} adds its gradients with float atomics on WebGPU.`];
    return [];
  });
}

function checkModel(model: unknown): void {
  if (!Array.isArray(Reflect.get(Object(model), "layers")))
    throw new HoldfastError("invalid", "The model is no tf.LayersModel. For variables there is `variables`.");
  if (Reflect.get(Object(model), "optimizer") === undefined)
    throw new HoldfastError(
      "invalid",
      "The model is not compiled. `model.compile({ optimizer, loss })` comes first.",
    );
}

/** One callback that calls all of them in turn: TensorFlow.js takes objects of functions, or its own kind, but not both. */
function together(callbacks: readonly FitCallback[]): FitCallback {
  return Object.fromEntries(
    HOOKS.flatMap((hook) => {
      const able = callbacks.filter((callback) => callback[hook] !== undefined);
      if (able.length === 0) return [];
      const each = async function (this: unknown, ...values: readonly unknown[]): Promise<void> {
        for (const callback of able) {
          if (hook === "onTrainBegin") call(callback, "setParams", Reflect.get(Object(this), "params"));
          await call(callback, hook, ...values);
        }
      };
      return [[hook, each]];
    }),
  );
}

/** A `tf.Callback` has methods that an object of functions lacks. */
function call(callback: FitCallback, name: string, ...values: readonly unknown[]): unknown {
  const method: unknown = Reflect.get(callback, name);
  return typeof method === "function" ? Reflect.apply(method, callback, values) : undefined;
}

function finite(logs: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(logs).filter(([, value]) => Number.isFinite(value)));
}
