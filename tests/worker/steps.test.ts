import { expect, test } from "vitest";
import { Steps } from "../../src/worker/steps";
import type { ComparedStep, RunStep, StorageApi, TrainApi } from "../../src/worker/protocol";
import { codeOf } from "../support/run-samples";

/** Steps of a run of which only 10 and 20 were saved; what the store is asked to compare, in `asked`. */
function stepsOf() {
  const asked: ComparedStep[][] = [];
  const storage = {
    checkpoints: () => Promise.resolve([10, 20].map((step) => ({ step, check: "verified" }))),
    compare: (steps: readonly ComparedStep[]) => Promise.resolve(asked.push([...steps])),
  } as unknown as StorageApi;
  const trainer = {
    look: ({ run, step }: RunStep) =>
      Promise.resolve({
        visit: { holder: `parent of ${run}`, digest: `of ${step}` },
        state: {},
        metrics: {},
      }),
  } as unknown as TrainApi;
  const steps = new Steps({
    storage: () => storage,
    trainer: () => Promise.resolve(trainer),
    isOpen: () => false,
  });
  return { steps, asked };
}

const at = (step: number): RunStep => ({ run: "r1", step });

test("what was not saved is computed again, and comes along in its place", async () => {
  const { steps, asked } = stepsOf();
  await steps.compare([at(20), at(13), at(10)]);
  expect(asked).toEqual([
    [at(20), { run: "parent of r1", step: 13, visited: { state: {}, digest: "of 13", metrics: {} } }, at(10)],
  ]);
});

test.each([0, 1, 7])("%d states are not compared", async (count) => {
  const { steps, asked } = stepsOf();
  expect(await codeOf(steps.compare(Array.from({ length: count }, () => at(10))))).toBe("invalid");
  expect(asked).toEqual([]);
});
