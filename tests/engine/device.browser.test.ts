import * as tf from "@tensorflow/tfjs-core";
import { afterEach, expect, suite, test } from "vitest";
import { hasCode } from "../../src/errors";
import { openDevice, type Device } from "../../src/engine/device";
import { environmentOf } from "../../src/engine/environment";
import { sameEnvironment } from "../../src/format/environment";

let device: Device | null = null;
const restore: (() => void)[] = [];
afterEach(() => {
  device?.close();
  device = null;
  for (const undo of restore.splice(0)) undo();
});

async function opened(only?: Device["name"]): Promise<Device> {
  device = await openDevice(only === undefined ? {} : { only });
  return device;
}

/** What the browser answers when asked for an adapter. */
function adapterIs(answer: () => Promise<GPUAdapter | null>): void {
  const { requestAdapter } = GPU.prototype;
  GPU.prototype.requestAdapter = answer;
  restore.push(() => {
    GPU.prototype.requestAdapter = requestAdapter;
  });
}

/** No WebGL 2, as behind a block-list. */
function withoutWebgl(): void {
  const { getContext } = OffscreenCanvas.prototype;
  OffscreenCanvas.prototype.getContext = () => null;
  tf.env().set("WEBGL_VERSION", 0);
  restore.push(() => {
    OffscreenCanvas.prototype.getContext = getContext;
    tf.env().set("WEBGL_VERSION", 2);
  });
}

async function adds(): Promise<number[]> {
  const sum = tf.tidy(() => tf.add(tf.tensor1d([1, 2]), 3));
  const values = [...(await sum.data())];
  sum.dispose();
  return values;
}

suite("openDevice", () => {
  test("takes WebGPU first, with the flags of exactness set and the adapter named", async () => {
    const best = await opened();
    expect(best).toMatchObject({ name: "webgpu", notice: "", adapterMissing: false });
    expect(best.flags).toEqual({ WEBGPU_CPU_FORWARD: "false", WEBGPU_MATMUL_PROGRAM_TYPE: "3" });
    expect(best.adapter["vendor"]).toMatch(/./);
    expect(tf.backend()).toBe(best.webgpu);
    expect(await adds()).toEqual([4, 5]);
    await best.settled();
  });

  test.each(["webgl", "cpu"] as const)("opens %s where it is asked for", async (name) => {
    const asked = await opened(name);
    expect(asked).toMatchObject({ name, notice: "", webgpu: null });
    expect(tf.getBackend()).toBe(name);
    expect(await adds()).toEqual([4, 5]);
    await asked.settled();
  });

  test("without an adapter it falls back to WebGL, says so, and marks that a reload may help", async () => {
    adapterIs(() => Promise.resolve(null));
    const fallback = await opened();
    expect(fallback).toMatchObject({ name: "webgl", adapterMissing: true });
    expect(fallback.notice).toMatch(/adapter/);
    expect(fallback.flags).toEqual({ WEBGL_CPU_FORWARD: "false", WEBGL_SIZE_UPLOAD_UNIFORM: "0" });
    expect(await adds()).toEqual([4, 5]);
  });

  test("with neither adapter nor WebGL it trains on the CPU, and says both", async () => {
    adapterIs(() => Promise.resolve(null));
    withoutWebgl();
    const fallback = await opened();
    expect(fallback).toMatchObject({ name: "cpu", adapterMissing: true });
    expect(fallback.notice).toMatch(/adapter.*WebGL 2/);
    expect(await adds()).toEqual([4, 5]);
  });

  test("asked for WebGPU alone, a missing adapter is device-lost: a reload may bring it back", async () => {
    adapterIs(() => Promise.resolve(null));
    const error: unknown = await openDevice({ only: "webgpu" }).catch((thrown: unknown) => thrown);
    expect(hasCode(error, "device-lost")).toBe(true);
  });

  test("a device that is lost when it is handed out is not taken", async () => {
    const adapter = await navigator.gpu.requestAdapter();
    if (adapter === null) throw new Error("no adapter");
    const requestDevice = adapter.requestDevice.bind(adapter);
    adapter.requestDevice = async (descriptor) => {
      const lost = await requestDevice(descriptor);
      lost.destroy();
      await lost.lost;
      return lost;
    };
    adapterIs(() => Promise.resolve(adapter));
    const error: unknown = await openDevice({ only: "webgpu" }).catch((thrown: unknown) => thrown);
    expect(hasCode(error, "device-lost")).toBe(true);
  });
});

suite("loss", () => {
  test("device.destroy() is told with a reason, and settled() fails", async () => {
    const webgpu = await opened("webgpu");
    await adds();
    webgpu.webgpu?.device.destroy();
    expect(await webgpu.lost).toMatch(/./);
    expect(webgpu.isLost()).toBe(true);
    expect(hasCode(await webgpu.settled().catch((thrown: unknown) => thrown), "device-lost")).toBe(true);
  });

  test("an uncaught GPU error counts as one: tfjs would train on the zeros that it leaves", async () => {
    const webgpu = await opened("webgpu");
    webgpu.webgpu?.device.createBuffer({ size: 16, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.STORAGE });
    expect(hasCode(await webgpu.settled().catch((thrown: unknown) => thrown), "device-lost")).toBe(true);
    expect(await webgpu.lost).toMatch(/uncaptured GPU error/);
    expect(webgpu.isLost()).toBe(true);
  });

  test("a lost WebGL context is seen at once", async () => {
    const webgl = await opened("webgl");
    expect(webgl.isLost()).toBe(false);
    const { gpgpu } = tf.backend() as unknown as { gpgpu: { gl: WebGL2RenderingContext } };
    gpgpu.gl.getExtension("WEBGL_lose_context")?.loseContext();
    expect(webgl.isLost()).toBe(true);
    expect(
      hasCode(
        await webgl.orLost(new Promise(() => undefined)).catch((thrown: unknown) => thrown),
        "device-lost",
      ),
    ).toBe(true);
    expect(hasCode(await webgl.settled().catch((thrown: unknown) => thrown), "device-lost")).toBe(true);
  });
});

test("the environment is the same for two devices of one backend, and another on another", async () => {
  const math = { tiny: 1 };
  const first = environmentOf(await opened("webgpu"), math);
  device?.close();
  const second = environmentOf(await opened("webgpu"), math);
  device?.close();
  const other = environmentOf(await opened("cpu"), math);
  expect(first).toMatchObject({ backend: "webgpu", tfjs: "4.22.0", math });
  expect(first.browser).toMatch(/^Chromium \d+$/);
  expect(sameEnvironment(first, second)).toBe(true);
  expect(sameEnvironment(first, other)).toBe(false);
});
