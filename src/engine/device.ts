/**
 * The machine that tensors live on: picks a backend, sets the flags that exactness needs, watches for its loss.
 *
 * A device that is lost stays lost, and most WebGPU calls still appear to succeed on it. So whoever hands numbers
 * out asks `isLost()` after the last await. The cure is a new worker, never a new device in the old one.
 */
import * as tf from "@tensorflow/tfjs-core";
import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import { nextTask } from "./next-task";
import { HoldfastError, messageOf } from "../errors";
import { LostSignal, lostError } from "./lost-signal";
import { exactFlags, setFlags, type BackendName } from "./flags";

export type { BackendName } from "./flags";

/** A backend that is open. One at a time: tfjs has one current backend for all of a worker. */
export interface Device {
  readonly name: BackendName;
  /** Why not WebGPU, for people; empty where it is. */
  readonly notice: string;
  /**
   * There is WebGPU but no adapter. After GPU crashes that lasts until the page is loaded again, so a run that
   * was on WebGPU is better served by a reload than by another backend.
   */
  readonly adapterMissing: boolean;
  /** Vendor, architecture, device and description, as far as the browser tells. */
  readonly adapter: Readonly<Record<string, string>>;
  /** What was set before the first op, by flag. */
  readonly flags: Readonly<Record<string, string>>;
  /** For kernels and read-back of our own; null on other backends. */
  readonly webgpu: WebGPUBackend | null;
  /** Resolves with the reason; never rejects. */
  readonly lost: Promise<string>;
  isLost(): boolean;
  /** Throws `device-lost` where it is. */
  assertPresent(): void;
  /** What `work` gives, or `device-lost` at once where the device goes away meanwhile: some waits would never end. */
  orLost<Result>(work: Promise<Result>): Promise<Result>;
  /** Hands over to the GPU what tfjs has recorded and not yet submitted. */
  flush(): void;
  /** Resolves when everything that was asked for before is done. Fails with `device-lost`. */
  settled(): Promise<void>;
  /** Frees the device and all its tensors. */
  close(): void;
}

export interface DeviceOptions {
  /** This backend or an error (`unsupported`; `device-lost` where the adapter is missing). Default: the best there is. */
  readonly only?: BackendName;
}

/** Opens the best backend: WebGPU, else WebGL with 32-bit floats, else the CPU, which is always there. */
export async function openDevice(options: DeviceOptions = {}): Promise<Device> {
  await import("@tensorflow/tfjs-core/dist/register_all_gradients");
  if (options.only !== undefined) return openOnly(options.only);
  const webgpu = await openWebgpu();
  if (webgpu.kind === "open") return webgpu.device;
  const notice = `${webgpu.reason} Training is slower without it.`;
  const fallback = { notice, adapterMissing: webgpu.adapterMissing };
  const webgl = await openWebgl(fallback);
  return webgl.kind === "open" ? webgl.device : openCpu({ ...fallback, notice: `${notice} ${webgl.reason}` });
}

interface Fallback {
  readonly notice: string;
  readonly adapterMissing: boolean;
}

type Attempt =
  | { readonly kind: "open"; readonly device: Device }
  | { readonly kind: "refused"; readonly reason: string; readonly adapterMissing: boolean };

const AS_ASKED: Fallback = { notice: "", adapterMissing: false };

async function openOnly(name: BackendName): Promise<Device> {
  if (name === "cpu") return openCpu(AS_ASKED);
  const attempt = name === "webgpu" ? await openWebgpu() : await openWebgl(AS_ASKED);
  if (attempt.kind === "open") return attempt.device;
  throw new HoldfastError(attempt.adapterMissing ? "device-lost" : "unsupported", attempt.reason);
}

async function openWebgpu(): Promise<Attempt> {
  if (!("gpu" in navigator)) return refused("This browser has no WebGPU.");
  const adapter = await navigator.gpu.requestAdapter({ powerPreference: "high-performance" });
  if (adapter === null) {
    return refused(
      "This browser has WebGPU but gives no adapter: the GPU is blocked, or crashed since the page was loaded.",
      true,
    );
  }
  const { limits } = adapter;
  let gpu: GPUDevice;
  try {
    gpu = await adapter.requestDevice({
      requiredLimits: {
        maxComputeWorkgroupStorageSize: limits.maxComputeWorkgroupStorageSize,
        maxComputeWorkgroupsPerDimension: limits.maxComputeWorkgroupsPerDimension,
        maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
        maxBufferSize: limits.maxBufferSize,
        maxComputeWorkgroupSizeX: limits.maxComputeWorkgroupSizeX,
        maxComputeInvocationsPerWorkgroup: limits.maxComputeInvocationsPerWorkgroup,
      },
    });
  } catch (error) {
    return refused(`The GPU's adapter gives no device (${messageOf(error)}).`, true);
  }
  const lost = new LostSignal();
  void gpu.lost.then((info) => {
    lost.report(info.message === "" ? info.reason : info.message);
  });
  // Out of memory or an invalid command leaves buffers of zeros behind and raises nothing else: tfjs would train
  // on them. So an error that nobody caught counts as a loss.
  gpu.addEventListener("uncapturederror", (event) => {
    lost.report(`uncaptured GPU error: ${event.error.message}`);
  });

  const { WebGPUBackend } = await import("@tensorflow/tfjs-backend-webgpu");
  const backend = new WebGPUBackend(gpu, adapter.info);
  await install("webgpu", () => backend);
  const device = deviceOf("webgpu", AS_ASKED, lost, {
    adapter: adapterInfo(adapter.info),
    webgpu: backend,
    flush: () => {
      backend.ensureCommandEncoderReady();
      backend.endComputePassEncoder();
      backend.submitQueue();
    },
    done: () => gpu.queue.onSubmittedWorkDone(),
    destroy: () => {
      gpu.destroy();
    },
  });
  // A device may be lost already when it is handed out; the first round trip tells.
  await gpu.queue.onSubmittedWorkDone();
  return lost.reason === null
    ? { kind: "open", device }
    : refused(`The GPU was lost at once (${lost.reason}).`, true);
}

async function openWebgl(fallback: Fallback): Promise<Attempt> {
  const { MathBackendWebGL } = await import("@tensorflow/tfjs-backend-webgl");
  setFlags("webgl");
  if (tf.env().getNumber("WEBGL_VERSION") < 2 || !tf.env().getBool("WEBGL_RENDER_FLOAT32_ENABLED")) {
    return refused("This browser has no WebGL 2 with 32-bit floats either.");
  }
  const canvas = new OffscreenCanvas(1, 1);
  const backend = new MathBackendWebGL(canvas);
  await install("webgl", () => backend);
  const { gl } = backend.gpgpu;
  const lost = new LostSignal();
  canvas.addEventListener("webglcontextlost", () => {
    lost.report("the WebGL context was lost");
  });
  const names = gl.getExtension("WEBGL_debug_renderer_info");
  const device = deviceOf("webgl", fallback, lost, {
    adapter: {
      vendor: String(gl.getParameter(names?.UNMASKED_VENDOR_WEBGL ?? gl.VENDOR)),
      description: String(gl.getParameter(names?.UNMASKED_RENDERER_WEBGL ?? gl.RENDERER)),
    },
    webgpu: null,
    flush: () => {
      gl.flush();
    },
    done: () => backend.gpgpu.createAndWaitForFence(),
    // The event comes as a task of its own; the context itself knows at once.
    isLostNow: () => gl.isContextLost(),
    destroy: () => {
      gl.getExtension("WEBGL_lose_context")?.loseContext();
    },
  });
  return { kind: "open", device };
}

async function openCpu(fallback: Fallback): Promise<Device> {
  const { MathBackendCPU } = await import("@tensorflow/tfjs-backend-cpu");
  await install("cpu", () => new MathBackendCPU());
  return deviceOf("cpu", fallback, new LostSignal(), {
    adapter: {},
    webgpu: null,
    flush: () => undefined,
    // The work is done when it is called; a task of its own lets messages in between two steps.
    done: nextTask,
    destroy: () => undefined,
  });
}

function refused(reason: string, adapterMissing = false): Attempt {
  return { kind: "refused", reason, adapterMissing };
}

/** Takes the place of the backend that tfjs registered by itself: that one would ask for an adapter of its own. */
async function install(name: BackendName, make: () => tf.KernelBackend): Promise<void> {
  setFlags(name);
  if (name in tf.engine().registryFactory) tf.removeBackend(name);
  tf.registerBackend(name, make);
  await tf.setBackend(name);
}

function adapterInfo(info: GPUAdapterInfo): Record<string, string> {
  const { vendor, architecture, device, description } = info;
  return { vendor, architecture, device, description };
}

interface Parts {
  readonly adapter: Readonly<Record<string, string>>;
  readonly webgpu: WebGPUBackend | null;
  flush(): void;
  done(): Promise<void>;
  isLostNow?(): boolean;
  destroy(): void;
}

function deviceOf(name: BackendName, fallback: Fallback, lost: LostSignal, parts: Parts): Device {
  const isLost = (): boolean => {
    if (parts.isLostNow?.() === true) lost.report("the context was lost");
    return lost.reason !== null;
  };
  const assertPresent = (): void => {
    if (isLost()) throw lostError(lost.reason ?? "");
  };
  return {
    name,
    ...fallback,
    adapter: parts.adapter,
    flags: exactFlags(name),
    webgpu: parts.webgpu,
    lost: lost.reported,
    isLost,
    assertPresent,
    orLost: (work) => lost.orLost(work),
    flush: () => {
      parts.flush();
    },
    settled: async () => {
      assertPresent();
      parts.flush();
      await lost.orLost(parts.done());
      assertPresent();
    },
    close: () => {
      tf.removeBackend(name);
      parts.destroy();
    },
  };
}
