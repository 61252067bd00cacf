import "@tensorflow/tfjs-backend-cpu";
import "@tensorflow/tfjs-core/dist/register_all_gradients";
import {
  fill,
  memory,
  ones,
  profile,
  setBackend,
  tensor,
  tidy,
  train,
  variable,
  zeros,
  type Tensor,
} from "@tensorflow/tfjs-core";
import { beforeAll, expect, suite, test } from "vitest";
import { clipCoefficient } from "../../src/engine/optimizers/clip";
import { Constants } from "../../src/engine/optimizers/constants";
import { optimizerProblems } from "../../src/engine/optimizers/check";
import { groupsOf, joined, PACK_BELOW, parted } from "../../src/engine/optimizers/pack";
import { optimizerOf } from "../../src/engine/optimizers/registry";
import { Updater } from "../../src/engine/optimizers/update";
import { hasCode } from "../../src/errors";
import type { OptimizerConfig, OptimizerKind } from "../../src/format/run";
import { caseOf, KINDS, runOver } from "../support/optimizer-vectors";

beforeAll(async () => {
  await setBackend("cpu");
});

/** Names of kernels that are views and no dispatch on a GPU. */
const FREE = new Set(["Reshape", "Identity", "Cast"]);

async function kernelsOf(work: () => void): Promise<number> {
  const { kernels } = await profile(() => {
    tidy(work);
    return zeros([1]);
  });
  return kernels.filter(({ name }) => !FREE.has(name)).length;
}

/** Kernels of one step over `count` matrices of 4 × 4. */
async function kernelsOfStep(config: OptimizerConfig, count: number, packBelow?: number): Promise<number> {
  const optimizer = optimizerOf(config);
  const updater = new Updater(optimizer, packBelow);
  const parameters = Array.from({ length: count }, (_value, index) => ({
    name: `p${index}`,
    value: ones([4, 4]),
    gradient: ones([4, 4]),
    slots: Object.fromEntries(optimizer.slots.map((slot) => [slot, zeros([4, 4])])),
    decay: true,
  }));
  const options = { learningRate: 0.1, clipNorm: config.clipNorm, counters: {} };
  // Once before, so that the constants are there.
  tidy(() => void updater.step(parameters, options));
  return kernelsOf(() => updater.step(parameters, options));
}

suite("packing", () => {
  test.each(KINDS)("%s: tensors packed and alone give the same bits", async (kind) => {
    for (const name of ["plain", "weight decay"]) {
      const { config } = caseOf(kind, name);
      const packed = await runOver(optimizerOf(config), config);
      expect(await runOver(optimizerOf(config), config, { packBelow: 0 })).toEqual(packed);
      expect(await runOver(optimizerOf(config), config, { packBelow: 15 })).toEqual(packed);
    }
  });

  test("parts what it joined, scalars too", async () => {
    const like = [fill([], 1), fill([3], 2), fill([2, 2], 3)];
    const vector = joined(like);
    expect([...(await vector.data())]).toEqual([1, 2, 2, 2, 3, 3, 3, 3]);
    const apart = parted(vector, like);
    expect(apart.map(({ shape }) => shape)).toEqual([[], [3], [2, 2]]);
    expect(await Promise.all(apart.map(async (one) => [...(await one.data())]))).toEqual([
      [1],
      [2, 2, 2],
      [3, 3, 3, 3],
    ]);
  });

  test("large tensors go alone, small ones with those of the same decay, and no pack grows without end", () => {
    const member = (size: number, decay: boolean) => ({ value: zeros([size]), decay });
    const members = [member(3, true), member(PACK_BELOW, true), member(4, false), member(5, true)];
    expect(groupsOf(members).map((group) => group.map((one) => members.indexOf(one)))).toEqual([
      [0, 3],
      [1],
      [2],
    ]);
    const big = zeros([PACK_BELOW - 1]);
    expect(groupsOf(Array.from({ length: 100 }, () => ({ value: big, decay: true }))).length).toBe(2);
  });

  test("a slot that is missing is named", () => {
    const updater = new Updater(optimizerOf(caseOf("adam", "plain").config));
    const parameter = {
      name: "p",
      value: ones([2]),
      gradient: ones([2]),
      slots: { firstMoment: zeros([2]) },
      decay: true,
    };
    expect(() =>
      tidy(() => void updater.step([parameter], { learningRate: 0.1, clipNorm: 0, counters: {} })),
    ).toThrow(
      expect.toSatisfy((error) => hasCode(error, "internal") && error.message.includes("secondMoment")),
    );
  });
});

suite("kernels per step, each a dispatch on a GPU", () => {
  const perTensor: readonly (readonly [OptimizerKind, number, number])[] = [
    ["sgd", 2, 4],
    ["momentum", 6, 8],
    ["rmsprop", 9, 11],
    ["adam", 12, 14],
    ["adamw", 12, 13],
  ];
  test.each(perTensor)(
    "%s: %i for one tensor, %i with weight decay, as the docstring says",
    async (kind, plain, decayed) => {
      const { config } = caseOf(kind, "plain");
      expect(await kernelsOfStep(config, 1)).toBe(plain);
      expect(await kernelsOfStep({ ...config, weightDecay: 0.1 }, 1)).toBe(decayed);
    },
  );

  test("tfjs's own Adam has 14 for each tensor; ours 12 for all, 4 to join, and 3 each to part", async () => {
    const count = 8;
    const adam = train.adam(0.1);
    const gradients = Array.from({ length: count }, (_value, index) => ({
      name: variable(ones([4, 4]), true, `theirs${index}`).name,
      tensor: ones([4, 4]),
    }));
    adam.applyGradients(gradients);
    // The four are its bias corrections.
    expect(await kernelsOf(() => adam.applyGradients(gradients))).toBe(14 * count + 4);
    const { config } = caseOf("adam", "plain");
    expect(await kernelsOfStep(config, count, 0)).toBe(12 * count);
    expect(await kernelsOfStep(config, count)).toBe(12 + 4 + 3 * count);
  });

  test("clipping adds 8 to a packed step", async () => {
    const { config } = caseOf("adam", "plain");
    const clipped = await kernelsOfStep({ ...config, clipNorm: 1 }, 8);
    expect(clipped - (await kernelsOfStep(config, 8))).toBe(8);
  });
});

suite("clipping by global norm", () => {
  async function coefficient(gradients: readonly Tensor[], maxNorm: number): Promise<number | undefined> {
    const constants = new Constants();
    const [value] = await clipCoefficient(gradients, maxNorm, constants).data();
    constants.dispose();
    return value;
  }

  test("scales to the bound, over all tensors together", async () => {
    expect(await coefficient([tensor([3]), tensor([[4]])], 1)).toBeCloseTo(0.2, 6);
    expect(await coefficient([tensor([3])], 1)).toBeCloseTo(1 / 3, 6);
  });

  test("leaves small gradients as they are, to the bit, and stays finite at zero", async () => {
    expect(await coefficient([tensor([0.3, 0.4])], 1)).toBe(1);
    expect(await coefficient([zeros([4])], 1)).toBe(1);
    expect(await coefficient([zeros([4])], 1e-9)).toBeCloseTo(1e-3, 9);
  });
});

test("constants are made once and freed", () => {
  const before = memory().numTensors;
  const constants = new Constants();
  expect(constants.of(0.9)).toBe(constants.of(0.9));
  expect(constants.of(0.9)).not.toBe(constants.of(0.1));
  expect(memory().numTensors).toBe(before + 2);
  constants.dispose();
  expect(memory().numTensors).toBe(before);
});

suite("a config out of range is refused, and the field named", () => {
  const { config } = caseOf("adam", "plain");
  const wrong: readonly (readonly [string, Partial<OptimizerConfig>])[] = [
    ["optimizer.learningRate", { learningRate: -1 }],
    ["optimizer.learningRate", { learningRate: NaN }],
    ["optimizer.learningRate", { learningRate: Infinity }],
    ["optimizer.momentum", { momentum: 1 }],
    ["optimizer.beta1", { beta1: 1 }],
    ["optimizer.beta2", { beta2: -0.1 }],
    ["optimizer.decay", { decay: 1.5 }],
    ["optimizer.epsilon", { epsilon: 0 }],
    ["optimizer.weightDecay", { weightDecay: -1 }],
    ["optimizer.clipNorm", { clipNorm: -1 }],
    ["optimizer.schedule.warmup", { schedule: { ...config.schedule, warmup: 1.5 } }],
    ["optimizer.schedule.horizon", { schedule: { ...config.schedule, horizon: -1 } }],
    ["optimizer.schedule.floor", { schedule: { ...config.schedule, floor: 2 } }],
    ["optimizer.schedule.every", { schedule: { ...config.schedule, every: 0 } }],
    ["optimizer.schedule.factor", { schedule: { ...config.schedule, factor: NaN } }],
  ];
  test.each(wrong)("%s %j", (field, change) => {
    const problems = optimizerProblems({ ...config, ...change });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(field);
    expect(() => optimizerOf({ ...config, ...change })).toThrow(
      expect.toSatisfy((error) => hasCode(error, "invalid")),
    );
  });

  test("a good one is not", () => {
    for (const kind of KINDS) expect(optimizerProblems(caseOf(kind, "all").config)).toEqual([]);
  });
});
