import * as tf from "@tensorflow/tfjs-core";
import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import { afterAll, beforeAll, expect, suite, test } from "vitest";
import { openDevice, type Device } from "../../src/engine/device";
import { dropout, runKernel, type DropoutOptions } from "../../src/engine/dropout";
import { DropoutProgram, PHILOX_WGSL } from "../../src/engine/kernels/dropout";
import { keepMask } from "../../src/engine/random";

let device: Device;
beforeAll(async () => {
  device = await openDevice({ only: "webgpu" });
});
afterAll(() => {
  device.close();
});

function backend(): WebGPUBackend {
  if (device.webgpu === null) throw new Error("not on WebGPU");
  return device.webgpu;
}

const BASE: DropoutOptions = { seed: 7, stream: "dropout/hidden", step: 3, rate: 0.25 };

function referenceOf({ seed, stream, step, rate }: DropoutOptions, size: number): Float32Array {
  return keepMask(seed, stream, step, size, rate);
}

async function maskOf(shape: number[], options: DropoutOptions): Promise<Float32Array> {
  const mask = tf.tidy(() => dropout(tf.ones(shape), options, backend()));
  expect(mask.shape).toEqual(shape);
  return read(mask);
}

async function read(tensor: tf.Tensor): Promise<Float32Array> {
  const values = Float32Array.from(await tensor.data());
  tensor.dispose();
  return values;
}

suite("dropout on WebGPU", () => {
  test.each([
    ["a single element", [1], {}],
    ["a size that 4 does not divide", [3], {}],
    ["a size just over a workgroup", [257], {}],
    ["a matrix", [13, 29], { step: 4 }],
    ["a tensor of rank 4", [2, 3, 5, 7], { stream: "dropout/attention" }],
    ["over 2^16 elements", [65_539], { step: 2 ** 31 + 5 }],
    ["seed 0", [1000], { seed: 0 }],
    ["the largest seed", [1000], { seed: Number.MAX_SAFE_INTEGER }],
    ["the largest step", [1000], { step: 2 ** 32 - 1 }],
    ["a rate near 0", [1000], { rate: 2 ** -20 }],
    ["a rate of a half", [1000], { rate: 0.5 }],
    ["a rate near 1", [1000], { rate: 0.999 }],
  ] as const)("has the reference's mask bit for bit: %s", async (_, shape, changes) => {
    const options = { ...BASE, ...changes };
    const mask = await maskOf([...shape], options);
    expect(mask).toEqual(referenceOf(options, mask.length));
  });

  test("one pipeline serves every seed, step, stream and rate, and none is baked into it", async () => {
    const compiled = new Set<GPUShaderModule>();
    const create = GPUDevice.prototype.createShaderModule;
    GPUDevice.prototype.createShaderModule = function (descriptor) {
      const made = create.call(this, descriptor);
      compiled.add(made);
      return made;
    };
    try {
      // Every size and rank up to the largest flat dispatch, too.
      for (const changes of [{}, { seed: 8 }, { step: 9 }, { stream: "dropout/other" }, { rate: 0.75 }]) {
        const options = { ...BASE, ...changes };
        expect(await maskOf([50, 20], options)).toEqual(referenceOf(options, 1000));
        expect(await maskOf([77], options)).toEqual(referenceOf(options, 77));
      }
    } finally {
      GPUDevice.prototype.createShaderModule = create;
    }
    expect(compiled.size).toBeLessThanOrEqual(1);
  });

  test("the gradient is the mask times dy, with the mask of the forward pass", async () => {
    const x = tf.linspace(-2, 2, 403);
    const dy = tf.linspace(1, 5, 403);
    const gradient = tf.grad((input) => dropout(input, BASE, backend()))(x, dy);
    const mask = referenceOf(BASE, 403);
    const expected = (await dy.data()).map((value, index) => Math.fround(value * (mask[index] ?? 0)));
    expect(await read(gradient)).toEqual(Float32Array.from(expected));
    tf.dispose([x, dy]);
  });

  test("a wrong round constant is caught by the comparison with the reference", async () => {
    const wrong = PHILOX_WGSL.replace("0xd2511f53u * c.x", "0xd2511f57u * c.x");
    expect(wrong).not.toBe(PHILOX_WGSL);
    const program = new DropoutProgram(1000, wrong);
    program.shaderKey = "counterDropoutPlanted";
    const mask = await read(tf.tidy(() => runKernel(backend(), tf.ones([1000]), BASE, program)));
    expect(mask).not.toEqual(referenceOf(BASE, 1000));
  });

  test("leaves no tensor behind, forward and backward", () => {
    const x = tf.ones([64]);
    const before = tf.memory().numTensors;
    for (let round = 0; round < 3; round++)
      tf.dispose(tf.grad((input) => dropout(input, BASE, backend()))(x));
    expect(tf.memory().numTensors).toBe(before);
    x.dispose();
  });
});

test("rate 0 gives the tensor itself", () => {
  const x = tf.ones([4]);
  expect(dropout(x, { ...BASE, rate: 0 }, backend())).toBe(x);
  x.dispose();
});

test.each([-0.1, 1, Number.NaN])("a rate of %d is refused", (rate) => {
  const x = tf.ones([4]);
  expect(() => tf.tidy(() => dropout(x, { ...BASE, rate }, backend()))).toThrow(/rate/);
  x.dispose();
});
