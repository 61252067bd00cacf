/**
 * The real `Trainable`: a model and an optimizer on tfjs tensors.
 *
 * Tensors are never written to. A step makes new ones and lets go of the old, so between two steps the state is a
 * set of immutable tensors, and a snapshot is a set of clones: nothing is copied until it is read back. A step
 * reads parameters, slots, counters, step and data position, and nothing else; `State` holds all of them.
 */
import * as tf from "@tensorflow/tfjs-core";
import { HoldfastError } from "../errors";
import type { OptimizerConfig } from "../format/run";
import type { State } from "../format/tensors";
import { samplesAt } from "./batches";
import type { Device } from "./device";
import { dropout } from "./dropout";
import type { Optimizer } from "./optimizers/optimizer";
import { optimizerOf } from "./optimizers/registry";
import { Updater } from "./optimizers/update";
import { ReadBack } from "./read-back";
import { TfjsSnapshot } from "./tfjs-snapshot";
import {
  disposeState,
  entriesOf,
  initialState,
  uploadParams,
  uploadState,
  type Held,
  type HeldState,
  type StateShape,
} from "./tfjs-state";
import type { LossContext, Model, ParameterSpec, Params } from "./task";
import type { PendingLoss, Snapshot, StepInput, Trainable } from "./trainable";

/**
 * Raised when first values, masks, or the way a step is put together give other bits than before; a part of the
 * environment. Golden digests in the tests force it.
 */
export const KERNELS_MATH_VERSION = 1;

/** Losses have 4 bytes each. Slices of their own, so that they never wait for those of a snapshot. */
const LOSS_SLICE_BYTES = 4096;
const LOSS_SLICES = 2;

export interface TfjsTrainableOptions {
  readonly device: Device;
  /** Stays the caller's: `dispose` leaves it alone. */
  readonly model: Model;
  readonly optimizer: OptimizerConfig;
  readonly seed: number;
  /** Samples per step. */
  readonly batchSize: number;
}

interface Computed {
  readonly loss: tf.Tensor;
  readonly state: HeldState;
}

/** Starts at S_0, drawn from the seed. */
export class TfjsTrainable implements Trainable {
  readonly batchSize: number;
  readonly samplesPerEpoch: number;
  readonly #device: Device;
  readonly #model: Model;
  readonly #seed: number;
  readonly #optimizer: Optimizer;
  readonly #updater: Updater;
  readonly #states: ReadBack;
  readonly #lossReads: ReadBack;
  readonly #losses = new Map<PendingLoss, tf.Tensor>();
  #state: HeldState;

  constructor({ device, model, optimizer, seed, batchSize }: TfjsTrainableOptions) {
    if (!Number.isSafeInteger(batchSize) || batchSize < 1) {
      throw new HoldfastError(
        "invalid",
        `The batch size is ${batchSize}; it must be a whole number of at least 1.`,
      );
    }
    this.batchSize = batchSize;
    this.samplesPerEpoch = model.samplesPerEpoch;
    this.#device = device;
    this.#model = model;
    this.#seed = seed;
    this.#optimizer = optimizerOf(optimizer);
    this.#updater = new Updater(this.#optimizer);
    this.#states = new ReadBack(device);
    this.#lossReads = new ReadBack(device, LOSS_SLICE_BYTES, LOSS_SLICES);
    this.#state = initialState(device, model.parameters, this.#optimizer, seed);
  }

  /** What its states consist of. */
  get shape(): StateShape & { readonly parameters: readonly ParameterSpec[] } {
    return { ...this.#optimizer, parameters: this.#model.parameters };
  }

  step(input: StepInput): PendingLoss {
    this.#device.assertPresent();
    this.#assertIsNext(input);
    const { loss, state } = this.#computed(input);
    this.#replace(state);
    // All of a step goes to the GPU now; what tfjs holds back would wait for the next one.
    this.#device.flush();
    const pending: PendingLoss = { step: state.scalars.step };
    this.#losses.set(pending, loss);
    return pending;
  }

  async losses(pending: readonly PendingLoss[]): Promise<Float32Array<ArrayBuffer>> {
    const tensors = pending.map((one) => {
      const tensor = this.#losses.get(one);
      if (tensor === undefined)
        throw new HoldfastError("internal", `The loss of step ${one.step} was read before.`);
      return tensor;
    });
    for (const one of pending) this.#losses.delete(one);
    const result = new Float32Array(tensors.length);
    // Typed arrays are copied as bytes; as a number, a NaN could lose its bits.
    for (const [index, value] of (await this.#lossReads.read(tensors)).entries()) result.set(value, index);
    return result;
  }

  settled(): Promise<void> {
    return this.#device.settled();
  }

  snapshot(): Snapshot {
    return new TfjsSnapshot(this.#state, this.#states);
  }

  /** Takes the buffers of a state that a snapshot gave, once nobody uses them any more. */
  recycle(buffers: readonly ArrayBuffer[]): void {
    this.#states.recycle(buffers);
  }

  restore(state: State): void {
    this.#device.assertPresent();
    this.#replace(uploadState(this.#device, this.#model.parameters, this.#optimizer, state));
  }

  /** Hands `use` the parameters for an evaluation or a picture: clones, so that steps may go on while it awaits. */
  withParams<Result>(use: (params: Params) => Promise<Result>): Promise<Result> {
    const clones = this.#state.parameters.map(
      ({ spec, value }) => [spec.name, tf.keep(tf.clone(value))] as const,
    );
    return lent(Object.fromEntries(clones), use);
  }

  /** As `withParams`, with the parameters of a stored state. Throws `invalid` where they are another model's. */
  async withParamsOf<Result>(state: State, use: (params: Params) => Promise<Result>): Promise<Result> {
    return lent(uploadParams(this.#device, this.#model.parameters, state), use);
  }

  dispose(): void {
    disposeState(this.#state);
    tf.dispose([...this.#losses.values()]);
    this.#losses.clear();
    this.#updater.dispose();
    this.#states.dispose();
    this.#lossReads.dispose();
  }

  /** The next state and its loss, kept; everything else that was made on the way is freed. */
  #computed(input: StepInput): Computed {
    tf.engine().startScope("step");
    try {
      return this.#compute(input);
    } finally {
      tf.engine().endScope();
    }
  }

  #compute({ step, samples, learningRate, clipNorm }: StepInput): Computed {
    const { parameters, scalars } = this.#state;
    const batch = this.#model.batch(samplesAt(samples, this.batchSize, this.samplesPerEpoch, this.#seed));
    const context = this.#contextOf(step);
    const gradient = tf.valueAndGrads((...values) =>
      this.#model.loss(paramsOf(parameters, values), batch, context),
    );
    const { value: loss, grads } = gradient(parameters.map(({ value }) => value));
    const result = this.#updater.step(
      parameters.map(({ spec, value, slots }, index) => ({
        name: spec.name,
        value,
        gradient: present(grads[index]),
        slots,
        decay: spec.decay ?? true,
      })),
      { learningRate, clipNorm, counters: scalars.counters },
    );
    const state = {
      parameters: parameters.map(({ spec }) => ({ spec, ...present(result.updated.get(spec.name)) })),
      scalars: { step: step + 1, samples: samples + this.batchSize, counters: result.counters },
    };
    for (const [, tensor] of entriesOf(state)) tf.keep(tensor);
    return { loss: tf.keep(loss), state };
  }

  #contextOf(step: number): LossContext {
    const layers = new Set<string>();
    return {
      dropout: (x, layer, rate) => {
        // The same stream twice would give both the same mask, and nobody would see it in the loss.
        if (layers.has(layer))
          throw new HoldfastError(
            "internal",
            `Two dropouts of a model are named "${layer}"; give each its own name.`,
          );
        layers.add(layer);
        return dropout(x, { seed: this.#seed, stream: `dropout/${layer}`, step, rate }, this.#device.webgpu);
      },
    };
  }

  #assertIsNext({ step, samples }: StepInput): void {
    const { scalars } = this.#state;
    if (step === scalars.step && samples === scalars.samples) return;
    throw new HoldfastError(
      "internal",
      `An update was asked for at step ${step}, sample ${samples}; the state is at step ${scalars.step}, sample ${scalars.samples}.`,
    );
  }

  #replace(state: HeldState): void {
    const old = this.#state;
    this.#state = state;
    disposeState(old);
  }
}

function paramsOf(parameters: readonly Held[], values: readonly tf.Tensor[]): Params {
  return Object.fromEntries(parameters.map(({ spec }, index) => [spec.name, present(values[index])]));
}

async function lent<Result>(params: Params, use: (params: Params) => Promise<Result>): Promise<Result> {
  try {
    return await use(params);
  } finally {
    for (const tensor of Object.values(params)) tensor.dispose();
  }
}

/** For lists that run parallel to the parameters. */
function present<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new HoldfastError("internal", "A step lost one of its parameters.");
  return value;
}
