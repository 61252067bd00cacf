/** A small model with everything that can go wrong in a resume: dropout, a norm, a bias, an embedding by one-hot. */
import * as tf from "@tensorflow/tfjs-core";
import type { OptimizerConfig, OptimizerKind } from "../../src/format/run";
import type { State } from "../../src/format/tensors";
import { uniforms } from "../../src/engine/random";
import type { Model, Params } from "../../src/engine/task";
import type { Trainable } from "../../src/engine/trainable";

export const INPUTS = 6;
export const SAMPLES = 50;
const CLASSES = 3;

export interface TinyOptions {
  readonly width?: number;
  /** Elements of a parameter that costs bytes and hardly any arithmetic. */
  readonly ballast?: number;
  /** Planted faults of negative controls go here. */
  readonly drop?: (x: tf.Tensor) => tf.Tensor;
}

export function tinyModel({ width = 8, ballast = 0, drop }: TinyOptions = {}): Model {
  const inputs = uniforms(11, "data", 0, SAMPLES * INPUTS);
  return {
    parameters: [
      { name: "in/weight", shape: [INPUTS, width], init: { kind: "normal", std: 0.5 } },
      { name: "in/bias", shape: [width], init: { kind: "zeros" }, decay: false },
      { name: "norm/scale", shape: [width], init: { kind: "ones" }, decay: false },
      { name: "out/weight", shape: [width, CLASSES], init: { kind: "uniform", bound: 0.4 } },
      { name: "out/bias", shape: [CLASSES], init: { kind: "zeros" }, decay: false },
      ...(ballast === 0
        ? []
        : [{ name: "ballast", shape: [ballast], init: { kind: "normal", std: 1 } } as const]),
    ],
    samplesPerEpoch: SAMPLES,
    batch: (samples) => {
      const rows = samples.map(({ index }) =>
        Array.from(inputs.subarray(index * INPUTS, (index + 1) * INPUTS)),
      );
      return [
        tf.tensor2d(rows),
        tf.tensor1d(
          samples.map(({ index }) => index % CLASSES),
          "int32",
        ),
      ];
    },
    loss: (params, [x, y], context) => {
      if (x === undefined || y === undefined) throw new Error("a batch has inputs and labels");
      const hidden = tf.tanh(tf.add(tf.matMul(x, of(params, "in/weight")), of(params, "in/bias")));
      const { mean, variance } = tf.moments(hidden, -1, true);
      const normed = tf.mul(
        tf.div(tf.sub(hidden, mean), tf.sqrt(tf.add(variance, 1e-3))),
        of(params, "norm/scale"),
      );
      const dropped = drop === undefined ? context.dropout(normed, "hidden", 0.25) : drop(normed);
      const logits = tf.add(tf.matMul(dropped, of(params, "out/weight")), of(params, "out/bias"));
      const picked = tf.mul(tf.logSoftmax(logits), tf.cast(tf.oneHot(y, CLASSES), "float32"));
      const loss: tf.Scalar = tf.neg(tf.mean(tf.sum(picked, -1)));
      return ballast === 0 ? loss : tf.add(loss, tf.mul(tf.mean(of(params, "ballast")), 1e-3));
    },
    evaluate: () => Promise.resolve({}),
    picture: (_params, step) => Promise.resolve({ step, panels: [] }),
    dispose: () => undefined,
  };
}

function of(params: Params, name: string): tf.Tensor {
  const tensor = params[name];
  if (tensor === undefined) throw new Error(`no parameter ${name}`);
  return tensor;
}

export function optimizerConfig(
  kind: OptimizerKind,
  changes: Partial<OptimizerConfig> = {},
): OptimizerConfig {
  return {
    kind,
    learningRate: 0.05,
    momentum: 0.9,
    beta1: 0.9,
    beta2: 0.999,
    decay: 0.99,
    epsilon: 1e-8,
    weightDecay: 0.01,
    clipNorm: 0.8,
    schedule: { kind: "constant", warmup: 0, horizon: 100, floor: 0, every: 10, factor: 0.5 },
    ...changes,
  };
}

/** Updates from step `from` up to `to`; their losses. The rate differs from step to step, as a schedule's does. */
export async function advance(
  trainable: Trainable,
  from: number,
  to: number,
): Promise<Float32Array<ArrayBuffer>> {
  const pending = [];
  for (let step = from; step < to; step++) {
    const learningRate = Math.fround(0.05 / (1 + step / 7));
    pending.push(trainable.step({ step, samples: step * trainable.batchSize, learningRate, clipNorm: 0.8 }));
    if (step % 4 === 3) await trainable.settled();
  }
  return trainable.losses(pending);
}

/** Names of tensors, or `scalars`, that differ in any bit. As numbers, -0 and 0 or two NaNs could pass for equal. */
export function differing(a: State, b: State): string[] {
  const others = new Map(b.tensors.map((tensor) => [tensor.name, tensor]));
  const names = a.tensors
    .filter(({ name, dtype, shape, values }) => {
      const other = others.get(name);
      others.delete(name);
      return (
        other?.dtype !== dtype || String(other.shape) !== String(shape) || !sameBits(values, other.values)
      );
    })
    .map(({ name }) => name);
  const scalars = JSON.stringify(a.scalars) === JSON.stringify(b.scalars) ? [] : ["scalars"];
  return [...names, ...others.keys(), ...scalars];
}

/** Are all bytes the same? */
export function sameBits(a: ArrayBufferView<ArrayBuffer>, b: ArrayBufferView<ArrayBuffer>): boolean {
  const left = new Uint8Array(a.buffer, a.byteOffset, a.byteLength);
  const right = new Uint8Array(b.buffer, b.byteOffset, b.byteLength);
  return left.length === right.length && left.every((byte, index) => byte === right[index]);
}
