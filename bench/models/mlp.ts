/** The model of the benches: a multilayer perceptron of 1.09 M parameters on made-up data, batch of 8. */
import * as tf from "@tensorflow/tfjs-core";
import type { Model, ParameterSpec, Params } from "../../src/engine/task";

export const SIZES = [256, 896, 896, 64] as const;
const SAMPLES = 4096;

/** Inputs and targets as functions of the sample's index: nothing to store, and the same in every loop. */
function sample(index: number, length: number, shift: number): Float32Array {
  return Float32Array.from({ length }, (_, i) =>
    Math.fround(((index * 131 + i * 71 + shift) % 251) / 125.5 - 1),
  );
}

export function mlp(): Model {
  const parameters: ParameterSpec[] = [];
  for (let layer = 0; layer + 1 < SIZES.length; layer += 1) {
    const [width, next] = [SIZES[layer] ?? 0, SIZES[layer + 1] ?? 0];
    parameters.push({
      name: `layer${layer}/weight`,
      shape: [width, next],
      init: { kind: "normal", std: Math.sqrt(1 / width) },
    });
    parameters.push({ name: `layer${layer}/bias`, shape: [next], init: { kind: "zeros" }, decay: false });
  }
  const [input, output] = [SIZES[0], SIZES[SIZES.length - 1] ?? 0];
  return {
    parameters,
    samplesPerEpoch: SAMPLES,
    batch: (samples) => [
      tf.tensor2d(Float32Array.from(samples.flatMap(({ index }) => [...sample(index, input, 0)])), [
        samples.length,
        input,
      ]),
      tf.tensor2d(Float32Array.from(samples.flatMap(({ index }) => [...sample(index, output, 97)])), [
        samples.length,
        output,
      ]),
    ],
    loss: (params, [x, y]) => {
      if (x === undefined || y === undefined) throw new Error("the batch has no inputs or no targets");
      return tf.mean(tf.square(tf.sub(forward(params, x), y)));
    },
    evaluate: () => Promise.resolve({}),
    picture: (_, step) => Promise.resolve({ step, panels: [] }),
    dispose: () => undefined,
  };
}

function forward(params: Params, x: tf.Tensor): tf.Tensor {
  let h = x;
  for (let layer = 0; layer + 1 < SIZES.length; layer += 1) {
    const weight = params[`layer${layer}/weight`];
    const bias = params[`layer${layer}/bias`];
    if (weight === undefined || bias === undefined) throw new Error(`layer ${layer} has no parameters`);
    h = tf.add(tf.matMul(h as tf.Tensor2D, weight as tf.Tensor2D), bias);
    if (layer + 2 < SIZES.length) h = tf.tanh(h);
  }
  return h;
}
