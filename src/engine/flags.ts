/** tfjs flags that exactness needs, and those that only speed needs. Set before a backend's first op. */
import * as tf from "@tensorflow/tfjs-core";
import type { Environment } from "../format/run";

export type BackendName = Environment["backend"];

type FlagValues = Readonly<Record<string, boolean | number>>;

/**
 * Dispatches recorded before they are submitted. tfjs submits every 15; a step submits itself at its end, so that
 * the number only bounds how long the GPU waits for the first work of a large step.
 */
const DISPATCHES_PER_SUBMIT = 64;

/** Set before the first op, in every run, also those that never save. They are part of a run's environment. */
const EXACT_FLAGS: Readonly<Record<BackendName, FlagValues>> = {
  webgpu: {
    // Small ops on tensors that are not on the GPU yet would run in JS, with other rounding. A restored tensor is
    // such a one, an uninterrupted run's is not.
    WEBGPU_CPU_FORWARD: false,
    // MatMulPackedProgram. The automatic choice includes split-K, which adds with float atomics: another sum in
    // each run, and a wrong one with `transposeB` from an inner dimension of 2000 on (tfjs 4.22).
    WEBGPU_MATMUL_PROGRAM_TYPE: 3,
  },
  webgl: {
    WEBGL_CPU_FORWARD: false,
    // Small tensors on the CPU would enter shaders as uniforms, and a read-back moves a tensor to the CPU: then a
    // run that saves would run other shaders than one that does not.
    WEBGL_SIZE_UPLOAD_UNIFORM: 0,
  },
  cpu: {},
};

/** These change no number, so they are not recorded. */
const NEUTRAL_FLAGS: Readonly<Record<BackendName, FlagValues>> = {
  webgpu: { WEBGPU_DEFERRED_SUBMIT_BATCH_SIZE: DISPATCHES_PER_SUBMIT },
  // WebGL without a GPU is still faster than JS.
  webgl: { SOFTWARE_WEBGL_ENABLED: true },
  cpu: {},
};

/** Sets what a backend needs; call it once the backend's module is loaded, which registers the flags. */
export function setFlags(name: BackendName): void {
  const flags = { ...EXACT_FLAGS[name], ...NEUTRAL_FLAGS[name] };
  for (const [flag, value] of Object.entries(flags)) tf.env().set(flag, value);
}

/** What is set of the flags that change numbers, for the run's environment. */
export function exactFlags(name: BackendName): Record<string, string> {
  return Object.fromEntries(Object.keys(EXACT_FLAGS[name]).map((flag) => [flag, String(tf.env().get(flag))]));
}
