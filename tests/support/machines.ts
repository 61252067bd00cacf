/** Browsers that have each of the backends as their best one. */
import { LAUNCH_ARGUMENTS } from "../../scripts/lib/browser.mjs";
import type { BackendInfo } from "../../src/worker/protocol";
import type { LiveOptions } from "./kill";

export interface Machine {
  readonly backend: BackendInfo["name"];
  /** What the page calls it. */
  readonly shown: string;
  readonly launch: LiveOptions;
}

const WITHOUT_WEBGPU = LAUNCH_ARGUMENTS.filter((argument) => /webgpu|Vulkan/.test(argument));

export const MACHINES: readonly Machine[] = [
  { backend: "webgpu", shown: "WebGPU", launch: {} },
  { backend: "webgl", shown: "WebGL", launch: { without: WITHOUT_WEBGPU } },
  {
    backend: "cpu",
    shown: "CPU",
    launch: { without: WITHOUT_WEBGPU, args: ["--disable-gpu", "--disable-software-rasterizer"] },
  },
];
