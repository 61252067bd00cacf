/**
 * What a run should be: the model stepped from the first step to the last in a plain loop. No session, no journal, no
 * checkpoint, no event of the store, no picture and no restore; it shares the step itself with the app, and nothing else.
 */
import { expose } from "comlink";
import { openDevice } from "../../src/engine/device";
import { rateAt } from "../../src/engine/schedule";
import { TfjsTrainable } from "../../src/engine/tfjs";
import type { PendingLoss } from "../../src/engine/trainable";
import { digestOf } from "../../src/format/digest";
import type { RunRecord } from "../../src/format/run";
import { loadTask } from "../../src/tasks";
import { installErrorTransfer } from "../../src/worker/wire-errors";

export interface Course {
  readonly record: Pick<RunRecord, "task" | "config" | "seed" | "optimizer" | "steps">;
  /** The base rate becomes `rate` at state `step`. */
  readonly change: { readonly step: number; readonly rate: number };
  /** Steps whose digests are asked for. */
  readonly wanted: readonly number[];
}

export interface Recorded {
  readonly adapter: string;
  /** By step. */
  readonly digests: Readonly<Record<number, string>>;
  /** Bits of the loss of each step, from step 1 on. */
  readonly losses: readonly number[];
}

export interface CourseApi {
  train(course: Course): Promise<Recorded>;
}

installErrorTransfer();

const api: CourseApi = {
  async train({ record, change, wanted }) {
    const { config, seed, optimizer, steps } = record;
    const device = await openDevice();
    const task = await loadTask(record.task);
    const batchSize = Number(config["batchSize"]);
    const model = task.build(config, task.generate(config, seed), seed);
    const trainable = new TfjsTrainable({ device, model, optimizer, seed, batchSize });
    const digests: Record<number, string> = {};
    const losses: PendingLoss[] = [];
    const asked = new Set(wanted);
    for (let step = 0; step <= steps; step++) {
      if (asked.has(step)) digests[step] = await digestOf(await trainable.snapshot().read([]));
      if (step === steps) break;
      const learningRate = step < change.step ? optimizer.learningRate : change.rate;
      const rate = rateAt({ ...optimizer, learningRate }, step);
      const { clipNorm } = optimizer;
      losses.push(trainable.step({ step, samples: step * batchSize, learningRate: rate, clipNorm }));
      await trainable.settled();
    }
    const { buffer } = await trainable.losses(losses);
    const { vendor, architecture, description } = device.adapter;
    const adapter = [device.name, vendor, architecture, description].filter((word) => word).join(" ");
    return { adapter, digests, losses: [...new Uint32Array(buffer)] };
  },
};

expose(api);
