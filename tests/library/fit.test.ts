/** `model.fit` over a run: callbacks of both sides are called, and what the run was not told of is not saved. */
import * as tf from "@tensorflow/tfjs";
import { afterEach, beforeAll, beforeEach, expect, suite, test, vi } from "vitest";
import type { Run } from "../../src/index";
import { optimized } from "../../src/optimizers";
import { layersModel, variables, type LayersTrainer } from "../../src/tfjs";
import { pageOf, stubNavigator } from "../support/library-store";
import { codeOf } from "../support/run-samples";

beforeAll(async () => {
  await tf.setBackend("cpu");
});
beforeEach(stubNavigator);
afterEach(() => {
  vi.unstubAllGlobals();
});

const BATCHES = 4;
const DATA = { epochs: 3, batchSize: 2, verbose: 0, yieldEvery: "never" } as const;

async function begun() {
  const model = tf.sequential({ layers: [tf.layers.dense({ inputShape: [1], units: 1 })] });
  model.compile({ optimizer: tf.train.adam(0.01), loss: "meanSquaredError" });
  const trainer = layersModel(tf, model);
  const { store } = pageOf();
  const run = await store.open("line", trainer, { policy: { save: { kind: "never" } } });
  const xs = tf.tensor2d(Array.from({ length: 2 * BATCHES }, (_, i) => [i]));
  const fit = (options: tf.ModelFitArgs) => model.fit(xs, xs, { ...DATA, ...options });
  return { model, trainer, run, store, fit };
}

suite("callbacks of the page's own", () => {
  test("are called after the run's, whichever kind they are", async () => {
    const { run, trainer, fit } = await begun();
    const heard: string[] = [];
    class Mine extends tf.Callback {
      override onEpochEnd(epoch: number): Promise<void> {
        heard.push(`mine ${epoch} of ${String(this.params["epochs"])}`);
        return Promise.resolve();
      }
    }
    const simple = { onBatchEnd: (batch: number) => void heard.push(`batch ${batch}, step ${run.step}`) };
    await fit({ epochs: 1, ...trainer.fit(run, { callbacks: [simple, new Mine()] }) });
    expect(heard).toEqual([
      "batch 0, step 1",
      "batch 1, step 2",
      "batch 2, step 3",
      "batch 3, step 4",
      "mine 0 of 1",
    ]);
    expect((await run.finish()).step).toBe(BATCHES);
  });

  test("may end the training: the epoch at whose end they do is over", async () => {
    const { run, trainer, fit } = await begun();
    const impatient = tf.callbacks.earlyStopping({ monitor: "loss", minDelta: 1e6 });
    await fit({ epochs: 9, ...trainer.fit(run, { callbacks: impatient }) });
    expect(run.step).toBe(2 * BATCHES);
    expect((await run.finish()).step).toBe(2 * BATCHES);
    expect(trainer.fit(run).initialEpoch).toBe(2);
  });
});

suite("updates that the run was not told of", () => {
  test.each([
    ["without the spread", (): tf.ModelFitArgs => ({})],
    [
      "where own callbacks replaced the run's",
      (trainer: LayersTrainer, run: Run): tf.ModelFitArgs => ({
        ...trainer.fit(run),
        callbacks: { onEpochEnd: () => undefined },
      }),
    ],
  ])("are not saved as another step: %s", async (_what, options) => {
    const { run, store, trainer, fit } = await begun();
    await fit(options(trainer, run));
    const said = /made 12 updates, and the run was told of 0\. .*trainer\.fit\(run\)/;
    await expect(run.save()).rejects.toThrow(said);
    await expect(run.finish()).rejects.toThrow(said);
    expect(await codeOf(run.close())).toBe("invalid");
    // And it is let go of, as it was last saved.
    const again = await store.open("line", trainer);
    expect(again.step).toBe(0);
    expect((await again.save()).step).toBe(0);
  });

  test("are known of variables with either optimizer", async () => {
    const kernel = tf.variable(tf.scalar(1));
    const loss = () => tf.square(kernel).asScalar();
    const adam = tf.train.adam(0.01);
    // Before it was opened, it may have been trained.
    adam.minimize(loss);
    const ours = optimized({ kernel }, { kind: "adam", learningRate: 0.01 });
    const { store } = pageOf();
    for (const [name, trainer, update] of [
      ["theirs", variables(tf, { kernel }, adam), () => void adam.minimize(loss)],
      ["ours", ours, () => void ours.minimize(loss)],
    ] as const) {
      const run = await store.open(name, trainer);
      update();
      await run.stepped();
      expect((await run.save()).step).toBe(1);
      update();
      expect(await codeOf(run.save())).toBe("invalid");
      await run.stepped();
      expect((await run.finish()).step).toBe(2);
    }
  });
});
