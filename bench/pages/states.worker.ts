/** Trains *text* and gives its state at some steps, cut into the chunks that a save would make of it. */
import { expose, transfer } from "comlink";
import { openDevice } from "../../src/engine/device";
import { TfjsTrainable } from "../../src/engine/tfjs";
import type { Bytes } from "../../src/format/bytes";
import { CHUNK_BYTES, gather, inNameOrder, planChunks } from "../../src/format/chunks";
import type { State } from "../../src/format/tensors";
import { taskInfo, withDefaults } from "../../src/tasks/meta";
import { loadTask } from "../../src/tasks";
import { installErrorTransfer } from "../../src/worker/wire-errors";

export interface StatesApi {
  /** The chunks of each of these states, in order of the steps, which ascend. */
  train(
    preset: "tiny" | "small",
    steps: readonly number[],
  ): Promise<{ readonly adapter: string; readonly states: readonly (readonly Bytes[])[] }>;
}

installErrorTransfer();

const SEED = 7;
/** Steps that are submitted before their losses are waited for. */
const AHEAD = 4;

const api: StatesApi = {
  async train(preset, steps) {
    const info = taskInfo("text");
    if (info === undefined) throw new Error("there is no text task");
    const { config, learningRate } = info.presets[preset];
    const settings = withDefaults(info, config);
    const task = await loadTask("text");
    const device = await openDevice();
    const batchSize = Number(settings["batchSize"]);
    const trainable = new TfjsTrainable({
      device,
      model: task.build(settings, task.generate(settings, SEED), SEED),
      optimizer: {
        kind: "adamw",
        learningRate,
        momentum: 0,
        beta1: 0.9,
        beta2: 0.999,
        decay: 0,
        epsilon: 1e-8,
        weightDecay: 0.01,
        clipNorm: 1,
        schedule: { kind: "constant", warmup: 0, horizon: 1, floor: 0, every: 1, factor: 1 },
      },
      seed: SEED,
      batchSize,
    });
    const states: Bytes[][] = [];
    let step = 0;
    for (const wanted of steps) {
      for (; step < wanted; step++) {
        trainable.step({ step, samples: step * batchSize, learningRate, clipNorm: 1 });
        if (step % AHEAD === 0) await trainable.settled();
      }
      states.push(chunksOf(await trainable.snapshot().read([])));
    }
    const { vendor, architecture, description } = device.adapter;
    const adapter = [device.name, vendor, architecture, description].filter((word) => word).join(" ");
    device.close();
    return transfer(
      { adapter, states },
      states.flat().map(({ buffer }) => buffer),
    );
  },
};

expose(api);

function chunksOf(state: State): Bytes[] {
  const tensors = inNameOrder(state.tensors);
  const scratch = new Uint8Array(CHUNK_BYTES);
  return planChunks(tensors).map((chunk) => gather(chunk, tensors, scratch).slice());
}
