/** Dropout whose mask is a function of (seed, stream, step, element), so that there is no state to save. */
import * as tf from "@tensorflow/tfjs-core";
import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import { DropoutProgram } from "./kernels/dropout";
import { counterOf, keepMask, keepScale, keepThreshold, keyOf } from "./random";

export interface DropoutOptions {
  readonly seed: number;
  /** Name of the random stream, as in `dropout/<layer>`. */
  readonly stream: string;
  readonly step: number;
  /** Share of elements that is dropped, [0, 1). */
  readonly rate: number;
}

/**
 * `x` times its mask: 0, or 1 / (1 - rate). At rate 0 it is `x` itself. On WebGPU the mask is made by the kernel,
 * forward and backward, and never stored; elsewhere (`webgpu` is null) it is uploaded. Both give the same bits.
 */
export function dropout(x: tf.Tensor, options: DropoutOptions, webgpu: WebGPUBackend | null): tf.Tensor {
  if (options.rate === 0) return x;
  if (webgpu === null) return tf.mul(x, referenceMask(x.shape, options));
  const apply = (input: tf.Tensor): tf.Tensor =>
    runKernel(webgpu, input, options, new DropoutProgram(input.size));
  return tf.customGrad(() => ({ value: apply(x), gradFunc: apply }))(x);
}

/** Runs `program` on `x`; a tensor of the same shape. */
export function runKernel(
  webgpu: WebGPUBackend,
  x: tf.Tensor,
  { seed, stream, step, rate }: DropoutOptions,
  program: DropoutProgram,
): tf.Tensor {
  const [, , stepWord = 0, streamWord = 0] = counterOf(stream, step);
  // Flat, so that tensors of all ranks share one pipeline.
  const flat = { dataId: x.dataId, shape: [x.size], dtype: x.dtype };
  const output = webgpu.runWebGPUProgram(program, [flat], "float32", [
    { type: "uint32", data: [...keyOf(seed)] },
    { type: "uint32", data: [stepWord] },
    { type: "uint32", data: [streamWord] },
    { type: "uint32", data: [keepThreshold(rate)] },
    { type: "float32", data: [keepScale(rate)] },
  ]);
  return tf.engine().makeTensorFromTensorInfo({ dataId: output.dataId, shape: x.shape, dtype: "float32" });
}

function referenceMask(shape: number[], { seed, stream, step, rate }: DropoutOptions): tf.Tensor {
  return tf.tensor(keepMask(seed, stream, step, tf.util.sizeFromShape(shape), rate), shape);
}
