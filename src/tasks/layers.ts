/**
 * Layers that the tasks share, as functions of tensors.
 *
 * Only ops whose WebGPU kernel and gradient repeat bit for bit. Where tfjs would tape a long composition, the
 * gradient is written by hand: fewer dispatches for the same mathematics.
 */
import * as tf from "@tensorflow/tfjs-core";
import type { GradSaveFunc, Scalar, Tensor, Tensor1D, Tensor2D } from "@tensorflow/tfjs-core";
import { HoldfastError } from "../errors";
import type { LossContext, Params } from "../engine/task";

/** A context for evaluation and pictures: nothing is dropped. */
export const NO_DROPOUT: LossContext = { dropout: (x) => x };

/** The parameter of that name; `internal` where a task reads what it did not declare. */
export function parameter(params: Params, name: string): Tensor {
  const found = params[name];
  if (!found)
    throw new HoldfastError(
      "internal",
      `The model reads the parameter "${name}", which it does not declare.`,
    );
  return found;
}

/** x · weight + bias, with `<name>/weight` [in, out] and `<name>/bias` [out]; x is [rows, in]. */
export function dense(params: Params, name: string, x: Tensor): Tensor2D {
  const a = tf.reshape<tf.Rank.R2>(x, [-1, lastOf(x)]);
  // Fused: one dispatch for product and bias. Its gradient knows no tanh, so activations stay outside.
  const product = tf.fused.matMul({
    a,
    b: parameter(params, `${name}/weight`),
    bias: parameter(params, `${name}/bias`),
  });
  return tf.reshape(product, [-1, lastOf(product)]);
}

/** Layer norm over the last axis of x [rows, width] (Ba et al. 2016), with `<name>/gain` and `<name>/bias` [width]. */
export function layerNorm(params: Params, name: string, x: Tensor, epsilon: Scalar): Tensor {
  const gain = parameter(params, `${name}/gain`);
  const bias = parameter(params, `${name}/bias`);
  return withGradient([x, gain, bias], (save) => {
    const centred = tf.sub(x, tf.mean(x, -1, true));
    const scale = tf.rsqrt(tf.add(tf.mean(tf.square(centred), -1, true), epsilon));
    const normal = tf.mul(centred, scale);
    save([normal, scale, gain]);
    return {
      value: tf.add(tf.mul(normal, gain), bias),
      gradFunc: (dy, saved) => {
        const [normalAgain, scaleAgain, gainAgain] = three(saved);
        const inner = tf.mul(dy, gainAgain);
        const along = tf.mul(normalAgain, tf.mean(tf.mul(inner, normalAgain), -1, true));
        const dx = tf.mul(tf.sub(tf.sub(inner, tf.mean(inner, -1, true)), along), scaleAgain);
        return [dx, tf.sum(tf.mul(dy, normalAgain), 0), tf.sum(dy, 0)];
      },
    };
  });
}

/** What `gelu` multiplies by; scalars made once, because a number would be uploaded again at each call. */
export interface GeluConstants {
  readonly one: Scalar;
  readonly linear: Scalar;
  readonly cubic: Scalar;
  readonly cubicSlope: Scalar;
}

/** The scalars of `gelu`; the caller disposes them. */
export function geluConstants(): GeluConstants {
  const linear = 2 * Math.sqrt(2 / Math.PI);
  const cubic = 0.044715 * linear;
  return {
    one: tf.scalar(1),
    linear: tf.scalar(linear),
    cubic: tf.scalar(cubic),
    cubicSlope: tf.scalar(3 * cubic),
  };
}

/** GELU in its tanh form (Hendrycks & Gimpel 2016), as x · sigmoid(2√(2/π) (x + 0.044715 x³)). */
export function gelu(x: Tensor, { one, linear, cubic, cubicSlope }: GeluConstants): Tensor {
  return withGradient([x], (save) => {
    const square = tf.square(x);
    const gate = tf.sigmoid(tf.mul(x, tf.add(tf.mul(square, cubic), linear)));
    const value = tf.mul(x, gate);
    save([square, gate, value]);
    return {
      value,
      gradFunc: (dy, saved) => {
        const [squareAgain, gateAgain, valueAgain] = three(saved);
        const slope = tf.add(tf.mul(squareAgain, cubicSlope), linear);
        return tf.mul(dy, tf.add(gateAgain, tf.mul(tf.mul(valueAgain, tf.sub(one, gateAgain)), slope)));
      },
    };
  });
}

/** −log p of each row's target, nats, [rows]: logits and one-hot targets are [rows, classes]. */
export function rowLosses(logits: Tensor2D, targets: Tensor2D): Tensor1D {
  return tf.neg(tf.sum(tf.mul(tf.logSoftmax(logits), targets), 1));
}

/** Mean cross-entropy over rows, nats. The gradient is (softmax − target) / rows, with no logarithm to lose digits in. */
export function crossEntropy(logits: Tensor2D, targets: Tensor2D): Scalar {
  return withGradient([logits], (save) => {
    const logarithms = tf.logSoftmax(logits);
    save([logarithms, targets]);
    return {
      value: tf.neg(tf.mean<Scalar>(tf.sum(tf.mul(logarithms, targets), 1))),
      gradFunc: (dy, saved) => {
        const [logarithmsAgain, targetsAgain] = two(saved);
        return tf.mul(tf.sub(tf.exp(logarithmsAgain), targetsAgain), tf.div(dy, logits.shape[0]));
      },
    };
  });
}

/** An op with a gradient by hand; typed here once, because tfjs hands `save` over as one of the inputs. */
function withGradient<T extends Tensor>(
  inputs: Tensor[],
  forward: (save: GradSaveFunc) => { value: T; gradFunc: (dy: T, saved: Tensor[]) => Tensor | Tensor[] },
): T {
  const op = tf.customGrad((...given) => {
    const save = given.at(-1);
    if (typeof save !== "function")
      throw new HoldfastError("internal", "tfjs gave a custom gradient nothing to save with.");
    return forward(save);
  });
  return op(...inputs);
}

function two(saved: readonly Tensor[]): readonly [Tensor, Tensor] {
  const [first, second] = saved;
  if (!first || !second) throw new HoldfastError("internal", "A gradient lost what its forward pass saved.");
  return [first, second];
}

function three(saved: readonly Tensor[]): readonly [Tensor, Tensor, Tensor] {
  const third = saved[2];
  if (!third) throw new HoldfastError("internal", "A gradient lost what its forward pass saved.");
  return [...two(saved), third];
}

function lastOf(x: Tensor): number {
  return x.shape[x.rank - 1] ?? 1;
}
