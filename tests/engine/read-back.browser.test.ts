import * as tf from "@tensorflow/tfjs-core";
import { afterEach, expect, suite, test } from "vitest";
import { hasCode } from "../../src/errors";
import type { TensorValues } from "../../src/format/tensors";
import { openDevice, type Device } from "../../src/engine/device";
import { uniforms } from "../../src/engine/random";
import { ReadBack, SLICE_BYTES, SLICES } from "../../src/engine/read-back";
import { TfjsTrainable } from "../../src/engine/tfjs";
import { advance, differing, optimizerConfig, sameBits, tinyModel } from "./tfjs-model";

let device: Device | null = null;
afterEach(() => {
  device?.close();
  device = null;
});

async function webgpu(): Promise<Device> {
  device = await openDevice({ only: "webgpu" });
  return device;
}

/** 3.2 MB in tensors of many sizes: of slices of 1 MiB, one holds many of the small ones, the large one takes three. */
const SIZES = [1, 3, 700_001, 5, 64, 100_000, ...Array.from({ length: 60 }, (_, index) => 1 + index * 7)];

function tensors(): { kept: tf.Tensor[]; expected: Float32Array<ArrayBuffer>[] } {
  const expected = SIZES.map((size, index) => uniforms(index, "test", 0, size));
  return { kept: expected.map((values) => tf.keep(tf.tensor1d(values.slice()))), expected };
}

function expectBits(values: readonly TensorValues[], expected: readonly Float32Array<ArrayBuffer>[]): void {
  expect(values.map(({ length }) => length)).toEqual(expected.map(({ length }) => length));
  const other = expected.findIndex((one, index) => !sameBits(values[index] ?? new Uint8Array(0), one));
  expect(other, "index of the first tensor that differs").toBe(-1);
}

/** Buffers made for reading while `work` runs. */
async function stagingMade(work: () => Promise<void>): Promise<GPUBuffer[]> {
  const create = GPUDevice.prototype.createBuffer;
  const made: GPUBuffer[] = [];
  GPUDevice.prototype.createBuffer = function (descriptor) {
    const buffer = create.call(this, descriptor);
    if ((descriptor.usage & GPUBufferUsage.MAP_READ) !== 0) made.push(buffer);
    return buffer;
  };
  try {
    await work();
  } finally {
    GPUDevice.prototype.createBuffer = create;
  }
  return made;
}

suite("reading back from WebGPU", () => {
  test.each([
    [SLICE_BYTES, SLICES],
    [2 ** 20, 2],
    [4096, 2],
    [64, 1],
  ])("gives every bit of 3 MB, in slices of %d bytes, %d of them", async (sliceBytes, slices) => {
    const readBack = new ReadBack(await webgpu(), sliceBytes, slices);
    const { kept, expected } =
      sliceBytes > 64 ? tensors() : { kept: [tf.tensor1d([1, 2, 3])], expected: [Float32Array.of(1, 2, 3)] };
    expectBits(await readBack.read(kept), expected);
    expect(kept.every((tensor) => tensor.isDisposed)).toBe(true);
    readBack.dispose();
  });

  test("integers, booleans and empty tensors keep their type", async () => {
    const readBack = new ReadBack(await webgpu());
    const given = [
      tf.tensor1d([-1, 2 ** 31 - 1], "int32"),
      tf.tensor1d([true, false, true], "bool"),
      tf.zeros([0, 3]),
    ];
    expect(await readBack.read(given)).toEqual([
      Int32Array.of(-1, 2 ** 31 - 1),
      Uint8Array.of(1, 0, 1),
      new Float32Array(0),
    ]);
    readBack.dispose();
  });

  test("NaNs, infinities, -0 and denormals come back with their bits", async () => {
    const readBack = new ReadBack(await webgpu());
    const words = Uint32Array.of(0x7fc00001, 0xffc12345, 0x7f800000, 0x80000000, 0x00000001);
    const [values] = await readBack.read([tf.tensor1d(new Float32Array(words.slice().buffer))]);
    expect(new Uint32Array(values?.buffer ?? new ArrayBuffer(0))).toEqual(words);
    readBack.dispose();
  });

  test("ten reads, two at a time, share one ring, leave no tensor and no GPU memory behind", async () => {
    const opened = await webgpu();
    const readBack = new ReadBack(opened);
    const read = async (): Promise<void> => {
      const { kept, expected } = tensors();
      expectBits(await readBack.read(kept), expected);
    };
    await read();
    const before = tf.memory().numTensors;
    const bytes = opened.webgpu?.memory().numBytesInGPU;
    const made = await stagingMade(async () => {
      for (let round = 0; round < 5; round++) await Promise.all([read(), read()]);
    });
    expect(made.length).toBeLessThan(SLICES);
    expect(tf.memory().numTensors).toBe(before);
    opened.flush();
    expect(opened.webgpu?.memory().numBytesInGPU).toBe(bytes);
    readBack.dispose();
  });

  test("buffers that come back are filled again, and hold nothing of what they held", async () => {
    const readBack = new ReadBack(await webgpu());
    const first = await readBack.read([tf.ones([5000]), tf.ones([3])]);
    const buffers = first.map(({ buffer }) => buffer);
    readBack.recycle(buffers);
    const { kept, expected } = tensors();
    const again = await readBack.read([tf.zeros([3]), tf.fill([5000], 7), ...kept]);
    expect([again[1]?.buffer, again[0]?.buffer].every((buffer, index) => buffer === buffers[index])).toBe(
      true,
    );
    expectBits(again, [new Float32Array(3), new Float32Array(5000).fill(7), ...expected]);
    readBack.dispose();
  });

  test("a state read while training goes on is that of a run stopped at its step, 3 MB and more", async () => {
    const opened = await webgpu();
    const options = { device: opened, optimizer: optimizerConfig("adamw"), seed: 3, batchSize: 4 };
    const ballast = 300_000;
    const running = new TfjsTrainable({ ...options, model: tinyModel({ ballast }) });
    await advance(running, 0, 3);
    const held: number[] = [];
    const reading = running.snapshot().read(held);
    const progress = { done: false };
    void reading.finally(() => (progress.done = true));
    const pending = [];
    for (let step = 3; !progress.done || step < 5; step++) {
      pending.push(running.step({ step, samples: 4 * step, learningRate: 0.1, clipNorm: 0 }));
      await new Promise((resolve) => setTimeout(resolve));
    }
    await running.losses(pending);
    const stopped = new TfjsTrainable({ ...options, model: tinyModel({ ballast }) });
    await advance(stopped, 0, 3);
    expect(differing(await reading, await stopped.snapshot().read([]))).toEqual([]);
    // The clones, the flush, a slice into the ring, and at least two stretches out of it.
    expect(held.length).toBeGreaterThan(4);
    running.dispose();
    stopped.dispose();
  });
});

suite("a lost device", () => {
  /** Ways into a read at which the device can go away. */
  test.each<readonly [string, (destroy: () => void) => () => void]>([
    ["before the first slice is submitted", beforeCall(GPUQueue.prototype, "submit")],
    ["before the first slice is mapped", beforeCall(GPUBuffer.prototype, "mapAsync")],
    ["before the last bytes are copied out", beforeCall(GPUBuffer.prototype, "getMappedRange")],
  ])("gives no state away: %s", async (_, plant) => {
    const opened = await webgpu();
    const readBack = new ReadBack(opened);
    const { kept } = tensors();
    const unplant = plant(() => opened.webgpu?.device.destroy());
    try {
      const error: unknown = await readBack.read(kept).catch((thrown: unknown) => thrown);
      expect(hasCode(error, "device-lost")).toBe(true);
    } finally {
      unplant();
    }
    expect(kept.every((tensor) => tensor.isDisposed)).toBe(true);
  });

  test("refuses steps and restores, and tells why", async () => {
    const opened = await webgpu();
    const trainable = new TfjsTrainable({
      device: opened,
      model: tinyModel(),
      optimizer: optimizerConfig("sgd"),
      seed: 1,
      batchSize: 4,
    });
    const state = await trainable.snapshot().read([]);
    const pending = trainable.step({ step: 0, samples: 0, learningRate: 0, clipNorm: 0 });
    expect(opened.isLost()).toBe(false);
    opened.webgpu?.device.destroy();
    const reason = await opened.lost;
    expect(reason).not.toBe("");
    expect(opened.isLost()).toBe(true);
    for (const call of [
      () => trainable.step({ step: 1, samples: 4, learningRate: 0, clipNorm: 0 }),
      () => trainable.restore(state),
    ]) {
      expect(call).toThrow(reason);
    }
    for (const call of [
      () => trainable.losses([pending]),
      () => trainable.settled(),
      () => trainable.snapshot().read([]),
    ]) {
      expect(hasCode(await call().catch((thrown: unknown) => thrown), "device-lost")).toBe(true);
    }
  });
});

/** Destroys the device just before the first call of a method. */
function beforeCall<Target extends object>(target: Target, method: keyof Target & string) {
  return (destroy: () => void): (() => void) => {
    const original = Object.getOwnPropertyDescriptor(target, method);
    const call: unknown = original?.value;
    if (original === undefined || typeof call !== "function") throw new Error(`${method} is not a method`);
    let calls = 0;
    Object.defineProperty(target, method, {
      ...original,
      value(this: Target, ...args: unknown[]): unknown {
        if (calls++ === 0) destroy();
        return Reflect.apply(call, this, args);
      },
    });
    return () => {
      Object.defineProperty(target, method, original);
    };
  };
}
