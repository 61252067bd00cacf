/** tfjs flags that exactness needs, as data: whoever holds tfjs sets them. */
import type { Environment } from "../format/run";

export type BackendName = Environment["backend"];

export type FlagValues = Readonly<Record<string, boolean | number>>;

/** Set before the first op, in every run, also those that never save. They are part of a run's environment. */
export const EXACT_FLAGS: Readonly<Record<BackendName, FlagValues>> = {
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
