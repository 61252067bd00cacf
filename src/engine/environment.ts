/** Where a run's numbers come from. */
import * as tf from "@tensorflow/tfjs-core";
import { browserName } from "../format/environment";
import type { Environment } from "../format/run";
import type { Device } from "./device";

/** The environment that this worker computes in. `math`: version by task, optimizer and kernel set. */
export function environmentOf(device: Device, math: Readonly<Record<string, number>>): Environment {
  return {
    backend: device.name,
    adapter: device.adapter,
    browser: browserName(navigator),
    tfjs: tf.version_core,
    flags: device.flags,
    math,
  };
}
