/** Plain variables with an optimizer of Holdfast's, as a trainer. */
import * as tf from "@tensorflow/tfjs-core";
import { OPTIMIZER_MATH_VERSION, type Counters, type Slots } from "../engine/optimizers/optimizer";
import { optimizerOf } from "../engine/optimizers/registry";
import { Updater } from "../engine/optimizers/update";
import { rateAt } from "../engine/schedule";
import { HoldfastError } from "../errors";
import { given } from "../format/given";
import type { OptimizerConfig, OptimizerKind } from "../format/run";
import type { State } from "../format/tensors";
import { assign, exactMachine, readVariables, shapeOf, upload, type Named } from "./tensorflow";
import { matched, type Contents, type Machine, type Trainer } from "./trainer";

/** An optimizer; what is left out is as in PyTorch, with a constant rate. */
export type OptimizerOptions = Partial<OptimizerConfig> & {
  readonly kind: OptimizerKind;
  readonly learningRate: number;
};

const CONSTANT = { kind: "constant", warmup: 0, horizon: 1, floor: 0, every: 1, factor: 1 } as const;

/** An update that was made, as `run.stepped` takes it. */
export interface Update {
  readonly loss: Promise<ArrayLike<number>>;
  readonly rate: number;
}

/**
 * Variables by names of yours, updated by SGD, Nesterov momentum, RMSProp, Adam or AdamW with clipping and a schedule; the
 * rate is a function of the step. Weight decay spares what has less than two dimensions, as biases. Sets the flags of the
 * backend that exactness needs, so call it before the first step. Throws `invalid` for a number out of range.
 *
 * @example
 * const trainer = optimized({ kernel, bias }, { kind: "adamw", learningRate: 1e-3 });
 * const run = await store.open("line", trainer, { optimizer: trainer.config });
 * while (run.step < 1000) await run.stepped(trainer.minimize(() => loss(batch(run.seed, run.step))));
 */
export function optimized(
  parameters: Readonly<Record<string, tf.Variable>>,
  options: OptimizerOptions,
): Optimized {
  return new Optimized(parameters, options);
}

/** Variables with one of our optimizers. */
export class Optimized implements Trainer {
  /** For `store.open`: a run is refused where it was begun with another one. */
  readonly config: OptimizerConfig;
  readonly machine: Machine;
  readonly #parameters: readonly (Named & { readonly variable: tf.Variable })[];
  readonly #updater: Updater;
  readonly #slotNames: readonly string[];
  #slots: readonly Slots[];
  #counters: Counters;
  #step = 0;

  /** @internal */
  constructor(parameters: Readonly<Record<string, tf.Variable>>, options: OptimizerOptions) {
    this.config = {
      momentum: 0.9,
      beta1: 0.9,
      beta2: 0.999,
      decay: 0.99,
      epsilon: 1e-8,
      weightDecay: options.kind === "adamw" ? 0.01 : 0,
      clipNorm: 0,
      ...given(options),
      schedule: { ...CONSTANT, ...given(options.schedule ?? {}) },
    };
    this.machine = { ...exactMachine(tf), math: { optimizer: OPTIMIZER_MATH_VERSION } };
    const optimizer = optimizerOf(this.config);
    this.#updater = new Updater(optimizer);
    this.#slotNames = optimizer.slots;
    this.#parameters = Object.entries(parameters).map(([name, variable]) => ({ name, variable }));
    this.#slots = this.#parameters.map(({ variable }) =>
      Object.fromEntries(optimizer.slots.map((slot) => [slot, tf.keep(tf.zerosLike(variable))])),
    );
    this.#counters = Object.fromEntries(optimizer.counters.map((counter) => [counter, 0]));
  }

  /** One update by the gradient of `loss`, which has to use every variable. Frees what is made on the way. */
  minimize(loss: () => tf.Scalar): Update {
    const rate = rateAt(this.config, this.#step);
    const value = tf.tidy(() => {
      const { value, grads } = tf.variableGrads(
        loss,
        this.#parameters.map(({ variable }) => variable),
      );
      this.#apply(grads, rate);
      return tf.keep(value);
    });
    this.#step += 1;
    return { rate, loss: value.data().finally(() => value.dispose()) };
  }

  updates(): number {
    return this.#step;
  }

  read(): Promise<Contents> {
    return readVariables(tf, this.#held(), this.#counters);
  }

  restore({ tensors, scalars }: State): void {
    const values = matched(tensors, this.#held().map(shapeOf));
    tf.tidy(() => {
      for (const { name, variable } of this.#parameters)
        assign(variable, upload(tf, values(`param/${name}`), variable.shape));
      this.#replace(
        this.#parameters.map(({ name, variable }) =>
          Object.fromEntries(
            this.#slotNames.map((slot) => [
              slot,
              tf.tensor(values(`slot/${slot}/${name}`), variable.shape, "float32"),
            ]),
          ),
        ),
      );
    });
    this.#counters = scalars.counters;
    this.#step = scalars.step;
  }

  #apply(grads: Readonly<Record<string, tf.Tensor>>, rate: number): void {
    const { updated, counters } = this.#updater.step(
      this.#parameters.map(({ name, variable }, index) => {
        const gradient = grads[variable.name];
        if (gradient === undefined)
          throw new HoldfastError(
            "invalid",
            `The loss does not depend on "${name}". Leave it out of the trainer.`,
          );
        return {
          name,
          value: variable,
          gradient,
          slots: this.#slots[index] ?? {},
          decay: variable.rank >= 2,
        };
      }),
      { learningRate: rate, clipNorm: this.config.clipNorm, counters: this.#counters },
    );
    for (const { name, variable } of this.#parameters) {
      const value = updated.get(name)?.value;
      if (value !== undefined) variable.assign(value);
    }
    this.#replace(this.#parameters.map(({ name }) => updated.get(name)?.slots ?? {}));
    this.#counters = counters;
  }

  #replace(slots: readonly Slots[]): void {
    for (const slot of slots.flatMap((one) => Object.values(one))) tf.keep(slot);
    tf.dispose(this.#slots.flatMap((one) => Object.values(one)));
    this.#slots = slots;
  }

  #held(): { readonly name: string; readonly variable: tf.Tensor }[] {
    return this.#parameters.flatMap(({ name, variable }, index) => [
      { name: `param/${name}`, variable },
      ...Object.entries(this.#slots[index] ?? {}).map(([slot, tensor]) => ({
        name: `slot/${slot}/${name}`,
        variable: tensor,
      })),
    ]);
  }
}
