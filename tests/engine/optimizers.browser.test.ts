import { beforeAll, expect, suite, test, vi } from "vitest";
import { openDevice } from "../../src/engine/device";
import { optimizerOf } from "../../src/engine/optimizers/registry";
import type { OptimizerKind } from "../../src/format/run";
import { caseOf, KINDS, RECORDED_STEPS, runOver, worstError } from "../support/optimizer-vectors";

/** WGSL allows division 2.5 ULP and sqrt as much again; over 20 steps that is more than a CPU's rounding. */
const TOLERANCE = 5e-6;

const STEPS = 20;

const dispatches = vi.spyOn(GPUComputePassEncoder.prototype, "dispatchWorkgroups");

beforeAll(async () => {
  await openDevice({ only: "webgpu" });
});

async function watched(work: () => ReturnType<typeof runOver>) {
  const before = dispatches.mock.calls.length;
  const states = await work();
  return { states, dispatches: dispatches.mock.calls.length - before };
}

suite("on WebGPU", () => {
  test.each(KINDS)("%s agrees with PyTorch and repeats bit for bit", async (kind) => {
    const { config, states } = caseOf(kind, "all");
    const ours = await runOver(optimizerOf(config), config);
    for (const step of RECORDED_STEPS) {
      expect(worstError(ours.get(step), states.get(step)), `step ${step}`).toBeLessThanOrEqual(TOLERANCE);
    }
    expect(await runOver(optimizerOf(config), config)).toEqual(ours);
  });

  // Per step of four small tensors; tfjs's own Adam has 14 for each and 4 more, 60. Joining pays from the slots on.
  const perStep: readonly (readonly [OptimizerKind, number, number])[] = [
    ["sgd", 8, 8],
    ["momentum", 17, 24],
    ["rmsprop", 20, 36],
    ["adam", 28, 48],
    ["adamw", 28, 48],
  ];
  test.each(perStep)(
    "%s gives the same bits packed (%i dispatches) and alone (%i)",
    async (kind, packed, alone) => {
      const { config } = caseOf(kind, "cosine");
      const together = await watched(() => runOver(optimizerOf(config), config));
      const apart = await watched(() => runOver(optimizerOf(config), config, { packBelow: 0 }));
      expect(together.states).toEqual(apart.states);
      expect([together.dispatches / STEPS, apart.dispatches / STEPS]).toEqual([packed, alone]);
    },
  );
});
