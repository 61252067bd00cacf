/** tfjs flags that exactness needs, and those that only speed needs. Set before a backend's first op. */
import * as tf from "@tensorflow/tfjs-core";
import { EXACT_FLAGS, type BackendName, type FlagValues } from "./exact-flags";

export type { BackendName } from "./exact-flags";

/**
 * Dispatches recorded before they are submitted. tfjs submits every 15; a step submits itself at its end, so that
 * the number only bounds how long the GPU waits for the first work of a large step.
 */
const DISPATCHES_PER_SUBMIT = 64;

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
