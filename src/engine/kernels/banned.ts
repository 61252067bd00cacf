/**
 * Kernels that training must not run, and a watch that tells when one does.
 *
 * tfjs's WebGPU kernels for scattered sums add floats by compare-and-swap: the order of the additions, and so the
 * sum, is another one in each run. A short run often repeats by luck, so a test of equal results does not find
 * them; the names do.
 */
import * as tf from "@tensorflow/tfjs-core";
import type { Device } from "../device";

const FLOAT_ATOMICS = "adds with float atomics on WebGPU, so that its sums differ from run to run";

/** Why a kernel is banned, by its tfjs name (4.22). Banned on every backend, so that a task runs on all of them. */
export const BANNED_KERNELS: ReadonlyMap<string, string> = new Map([
  ["UnsortedSegmentSum", `${FLOAT_ATOMICS}; it is the gradient of gather: embed by oneHot and matMul`],
  ["ScatterNd", FLOAT_ATOMICS],
  ["TensorScatterUpdate", FLOAT_ATOMICS],
  ["SparseToDense", FLOAT_ATOMICS],
  ["SparseSegmentMean", FLOAT_ATOMICS],
  ["SparseSegmentSum", FLOAT_ATOMICS],
  ["Bincount", FLOAT_ATOMICS],
  ["DenseBincount", FLOAT_ATOMICS],
  ["Dilation2DBackpropFilter", FLOAT_ATOMICS],
  ["Dilation2DBackpropInput", FLOAT_ATOMICS],
  ["Multinomial", "draws from a seed of its own, and ignores seed 0"],
]);

export interface KernelWatch {
  /** Every kernel that ran since the watch began, by name. */
  readonly seen: ReadonlySet<string>;
  /** Those that must not have, each with the reason. */
  banned(): string[];
  stop(): void;
}

/**
 * Watches every kernel call, and on WebGPU every program too: matMul's split-K variant is an atomic program under
 * the name of a good kernel. One watch at a time.
 */
export function watchKernels({ webgpu }: Device): KernelWatch {
  const seen = new Set<string>();
  const atomicPrograms = new Set<string>();
  const engine = tf.engine();
  const runKernel = engine.runKernel.bind(engine);
  engine.runKernel = (name, inputs, attributes) => {
    seen.add(name);
    return runKernel(name, inputs, attributes);
  };
  const runProgram = webgpu?.runWebGPUProgram.bind(webgpu);
  if (webgpu !== null && runProgram !== undefined) {
    webgpu.runWebGPUProgram = (program, ...rest) => {
      if (program.atomic === true) atomicPrograms.add(program.shaderKey);
      return runProgram(program, ...rest);
    };
  }
  return {
    seen,
    banned: () => [
      ...[...BANNED_KERNELS].flatMap(([name, reason]) => (seen.has(name) ? [`${name} ${reason}`] : [])),
      ...[...atomicPrograms].map((key) => `WebGPU program ${key} ${FLOAT_ATOMICS}`),
    ],
    stop: () => {
      engine.runKernel = runKernel;
      if (webgpu !== null && runProgram !== undefined) webgpu.runWebGPUProgram = runProgram;
    },
  };
}
