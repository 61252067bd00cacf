import * as tf from "@tensorflow/tfjs-core";
import { afterAll, afterEach, beforeAll, expect, suite, test } from "vitest";
import { hasCode } from "../../src/errors";
import type { OptimizerKind } from "../../src/format/run";
import type { State } from "../../src/format/tensors";
import { openDevice, type BackendName, type Device } from "../../src/engine/device";
import { KERNELS_MATH_VERSION, TfjsTrainable } from "../../src/engine/tfjs";
import { advance, differing, optimizerConfig, sameBits, tinyModel, type TinyOptions } from "./tfjs-model";

const KINDS: readonly OptimizerKind[] = ["sgd", "momentum", "rmsprop", "adam", "adamw"];
const BACKENDS: readonly BackendName[] = ["webgpu", "webgl", "cpu"];
const STOP = 13;
const END = 33;

suite.each(BACKENDS)("on %s", (name) => {
  let device: Device;
  let open: TfjsTrainable[] = [];
  beforeAll(async () => {
    device = await openDevice({ only: name });
  });
  afterAll(() => {
    device.close();
  });
  afterEach(() => {
    for (const trainable of open) trainable.dispose();
    open = [];
  });

  function make(kind: OptimizerKind, options: TinyOptions = {}, seed = 0): TfjsTrainable {
    const model = tinyModel(options);
    const trainable = new TfjsTrainable({
      device,
      model,
      optimizer: optimizerConfig(kind),
      seed,
      batchSize: 8,
    });
    open.push(trainable);
    return trainable;
  }

  /** What a run that was never interrupted, saved or read ends with. */
  async function uninterrupted(
    kind: OptimizerKind,
    options: TinyOptions = {},
  ): Promise<{ losses: Float32Array<ArrayBuffer>; end: State }> {
    const trainable = make(kind, options);
    const losses = await advance(trainable, 0, END);
    return { losses, end: await trainable.snapshot().read([]) };
  }

  test.each(KINDS)("%s goes on bit for bit after a restore, and snapshots change nothing", async (kind) => {
    const reference = await uninterrupted(kind);

    const first = make(kind);
    await advance(first, 0, STOP);
    const snapshot = first.snapshot();
    const rest = advance(first, STOP, END);
    const saved = await snapshot.read([]);
    expect(sameBits(await rest, reference.losses.slice(STOP))).toBe(true);
    expect(differing(await first.snapshot().read([]), reference.end)).toEqual([]);

    const second = make(kind, {}, 0);
    second.restore(saved);
    expect(differing(await second.snapshot().read([]), saved)).toEqual([]);
    const losses = await advance(second, STOP, END);
    expect(sameBits(losses, reference.losses.slice(STOP))).toBe(true);
    expect(differing(await second.snapshot().read([]), reference.end)).toEqual([]);
    expect(reference.end.scalars).toMatchObject({ step: END, samples: END * 8 });
  });

  test("dropout from Math.random is caught: the resumed run ends elsewhere", async () => {
    const drop = (x: tf.Tensor): tf.Tensor => tf.dropout(x, 0.25);
    const reference = await uninterrupted("adam", { drop });
    const again = await uninterrupted("adam", { drop });
    expect(differing(again.end, reference.end)).not.toEqual([]);
  });

  test("one flipped bit of an optimizer slot is caught", async () => {
    const { end } = await uninterrupted("adam");
    const first = make("adam");
    await advance(first, 0, STOP);
    const saved = await first.snapshot().read([]);
    const slot = saved.tensors.findIndex(({ name: tensor }) => tensor.startsWith("slot/"));
    const bits = new Uint32Array(saved.tensors[slot]?.values.buffer ?? new ArrayBuffer(4));
    bits[0] = (bits[0] ?? 0) ^ (1 << 16);
    const second = make("adam");
    second.restore(saved);
    await advance(second, STOP, END);
    expect(differing(await second.snapshot().read([]), end)).not.toEqual([]);
  });

  test("200 steps with snapshots and loss reads leave the number of tensors as it was", async () => {
    const trainable = make("adamw");
    await advance(trainable, 0, 4);
    const before = tf.memory().numTensors;
    for (let step = 4; step < 204; step += 20) {
      await advance(trainable, step, step + 20);
      await trainable.snapshot().read([]);
      trainable.snapshot().discard();
      expect(tf.memory().numTensors).toBe(before);
    }
  });

  test("dispose frees everything", async () => {
    const before = tf.memory().numTensors;
    const trainable = make("adamw");
    await advance(trainable, 0, 2);
    trainable.step({ step: 2, samples: 16, learningRate: 0, clipNorm: 0 });
    open = [];
    trainable.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});

suite("restore is strict", () => {
  let device: Device;
  let trainable: TfjsTrainable;
  let state: State;
  beforeAll(async () => {
    device = await openDevice({ only: "cpu" });
    const optimizer = optimizerConfig("adam");
    trainable = new TfjsTrainable({ device, model: tinyModel(), optimizer, seed: 1, batchSize: 4 });
    state = await trainable.snapshot().read([]);
  });
  afterAll(() => {
    trainable.dispose();
    device.close();
  });

  test.each<readonly [string, (whole: State) => State, RegExp]>([
    [
      "a missing tensor",
      (whole) => ({ ...whole, tensors: whole.tensors.slice(1) }),
      /param\/in\/weight is missing/,
    ],
    [
      "an unknown tensor",
      (whole) => ({ ...whole, tensors: [...whole.tensors, { ...whole.tensors[0]!, name: "param/extra" }] }),
      /param\/extra is unknown/,
    ],
    [
      "another shape",
      (whole) => ({
        ...whole,
        tensors: whole.tensors.map((tensor) =>
          tensor.name === "param/in/bias" ? { ...tensor, shape: [2, 4] } : tensor,
        ),
      }),
      /param\/in\/bias is float32 \[2, 4\]/,
    ],
    [
      "another type",
      (whole) => ({
        ...whole,
        tensors: whole.tensors.map((tensor) =>
          tensor.name === "param/in/bias"
            ? { ...tensor, dtype: "int32" as const, values: new Int32Array(8) }
            : tensor,
        ),
      }),
      /param\/in\/bias is int32/,
    ],
    [
      "too few values",
      (whole) => ({
        ...whole,
        tensors: whole.tensors.map((tensor) =>
          tensor.name === "param/in/bias" ? { ...tensor, values: new Float32Array(7) } : tensor,
        ),
      }),
      /param\/in\/bias is float32 \[8\] with 7 values/,
    ],
    ["a name twice", (whole) => ({ ...whole, tensors: [...whole.tensors, whole.tensors[0]!] }), /twice/],
    [
      "the counters of another optimizer",
      (whole) => ({ ...whole, scalars: { ...whole.scalars, counters: {} } }),
      /counters/,
    ],
  ])("%s is refused by name, and the state stays", async (_, damage, message) => {
    let thrown: unknown;
    try {
      trainable.restore(damage(state));
    } catch (error) {
      thrown = error;
    }
    expect(hasCode(thrown, "invalid")).toBe(true);
    expect(String(thrown)).toMatch(message);
    expect(differing(await trainable.snapshot().read([]), state)).toEqual([]);
  });

  test("a step that is not the next one is refused", () => {
    expect(() => trainable.step({ step: 1, samples: 0, learningRate: 0, clipNorm: 0 })).toThrow(/at step 0/);
    expect(() => trainable.step({ step: 0, samples: 4, learningRate: 0, clipNorm: 0 })).toThrow(/sample 0/);
  });

  test("a loss is read once, and a snapshot too", async () => {
    const pending = trainable.step({ step: 0, samples: 0, learningRate: 0, clipNorm: 0 });
    await trainable.losses([pending]);
    await expect(trainable.losses([pending])).rejects.toThrow(/read before/);
    const snapshot = trainable.snapshot();
    snapshot.discard();
    await expect(snapshot.read([])).rejects.toThrow(/gone/);
  });
});

/** SHA-256 of a state's bytes after five steps on the CPU backend, whose arithmetic is that of JS. */
const GOLDEN: Readonly<Record<number, string>> = {
  1: "50cc998e8f3e1085886cbca2bb3d151aa7d1bd01aa64bc481be0bf5e508862e0",
};

test("the same numbers as ever: another digest here asks for a higher KERNELS_MATH_VERSION", async () => {
  const device = await openDevice({ only: "cpu" });
  const optimizer = optimizerConfig("adamw");
  const trainable = new TfjsTrainable({ device, model: tinyModel(), optimizer, seed: 42, batchSize: 8 });
  await advance(trainable, 0, 5);
  const { tensors } = await trainable.snapshot().read([]);
  trainable.dispose();
  device.close();
  const bytes = await new Blob(tensors.map(({ values }) => values)).arrayBuffer();
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const hex = Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
  expect(hex).toBe(GOLDEN[KERNELS_MATH_VERSION]);
});
