/**
 * One loop, ours or the plain one of tfjs, on one model, timed in stretches when the page asks. Each worker has one
 * loop only, because the two want different flags, and flags count from the first op on.
 */
import { expose } from "comlink";
import * as tf from "@tensorflow/tfjs-core";
import { openDevice } from "../../src/engine/device";
import { samplesAt } from "../../src/engine/batches";
import { Session } from "../../src/engine/session";
import type { Model, Params } from "../../src/engine/task";
import { TfjsTrainable } from "../../src/engine/tfjs";
import type { Config, OptimizerConfig, RunEvent, RunRecord } from "../../src/format/run";
import { taskInfo, withDefaults } from "../../src/tasks/meta";
import { loadTask } from "../../src/tasks";
import { mlp } from "../models/mlp";
import { countGpuCalls, gpuCounts } from "./counts";

export interface Job {
  readonly loop: "exact" | "plain";
  readonly model: "mlp" | "text_tiny" | "text_small";
  /** Dropout of the text model. */
  readonly dropout: number;
}

export interface Prepared {
  readonly adapter: string;
  readonly parameters: number;
  readonly dispatches: number;
  readonly submits: number;
}

export interface ExactApi {
  /** Builds the loop and does its first steps, which compile shaders. Counts are of one step. */
  prepare(job: Job): Promise<Prepared>;
  /** Seconds that so many steps took, from rest to rest. */
  time(steps: number): Promise<number>;
}

const SEED = 7;
const WARM_STEPS = 3;
const ADAM = { learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-7 };

interface Loop {
  run(steps: number): Promise<void>;
}

countGpuCalls();
let loop: Loop | null = null;

const api: ExactApi = {
  async prepare(job) {
    const adapter = job.loop === "exact" ? await openExact() : await openPlain();
    const { model, batchSize } = await modelOf(job);
    loop = job.loop === "exact" ? await exactLoop(model, batchSize) : plainLoop(model, batchSize);
    await loop.run(WARM_STEPS);
    const before = gpuCounts();
    await loop.run(10);
    const after = gpuCounts();
    return {
      adapter,
      parameters: model.parameters.reduce(
        (sum, { shape }) => sum + shape.reduce((size, n) => size * n, 1),
        0,
      ),
      dispatches: (after.dispatches - before.dispatches) / 10,
      submits: (after.submits - before.submits) / 10,
    };
  },
  async time(steps) {
    if (loop === null) throw new Error("prepare comes first");
    const start = performance.now();
    await loop.run(steps);
    return (performance.now() - start) / 1000;
  },
};

expose(api);

let deviceOfExact: Awaited<ReturnType<typeof openDevice>> | null = null;

async function openExact(): Promise<string> {
  deviceOfExact = await openDevice();
  const { vendor, architecture, description } = deviceOfExact.adapter;
  return [deviceOfExact.name, vendor, architecture, description].filter((word) => word).join(" ");
}

/** tfjs as it comes: its own choice of flags, its own WebGPU backend. */
async function openPlain(): Promise<string> {
  await import("@tensorflow/tfjs");
  await import("@tensorflow/tfjs-backend-webgpu");
  if (!(await tf.setBackend("webgpu").catch(() => false))) await tf.setBackend("cpu");
  await tf.ready();
  return tf.getBackend();
}

async function modelOf({ model, dropout }: Job): Promise<{ model: Model; batchSize: number }> {
  if (model === "mlp") return { model: mlp(), batchSize: 8 };
  const info = taskInfo("text");
  if (info === undefined) throw new Error("there is no text task");
  const preset = model === "text_tiny" ? info.presets.tiny : info.presets.small;
  const config: Config = { ...withDefaults(info, preset.config), dropout };
  const task = await loadTask("text");
  const built = task.build(config, task.generate(config, SEED), SEED);
  return { model: built, batchSize: Number(config["batchSize"]) };
}

async function exactLoop(model: Model, batchSize: number): Promise<Loop> {
  if (deviceOfExact === null) throw new Error("the device is not open");
  const schedule = { kind: "constant", warmup: 0, horizon: 1, floor: 0, every: 1, factor: 1 } as const;
  const optimizer: OptimizerConfig = {
    ...ADAM,
    kind: "adam",
    momentum: 0,
    decay: 0,
    weightDecay: 0,
    clipNorm: 0,
    schedule,
  };
  const trainable = new TfjsTrainable({ device: deviceOfExact, model, optimizer, seed: SEED, batchSize });
  let position = { step: 0, samples: 0 };
  const events: RunEvent[] = [];
  const record = {
    firstStep: 0,
    steps: 0,
    optimizer,
    policy: { save: { kind: "never" }, draw: false },
  } as unknown as RunRecord;
  return {
    async run(steps) {
      let ended: () => void = () => undefined;
      const end = new Promise<void>((resolve) => (ended = resolve));
      const session = new Session({
        record: { ...record, firstStep: position.step, steps: position.step + steps },
        trainable,
        storage: {
          appendJournal: () => Promise.resolve(),
          appendEvent: (step, event) => Promise.resolve({ ...event, step, seq: events.length, time: 0 }),
          save: () => Promise.reject(new Error("this bench saves nothing")),
        },
        events,
        status: "paused",
        position,
        journalEnd: position.step,
        lastSavedStep: position.step,
        now: () => performance.now(),
        evaluate: () => Promise.resolve({}),
        saveCost: () => 0,
        signal: (signal) => {
          if (signal.kind === "trouble") throw new Error(signal.message);
          if (signal.kind === "status" && signal.status === "finished") ended();
        },
      });
      await session.go({ kind: "started" });
      await end;
      await trainable.settled();
      position = { step: session.step, samples: session.samples };
    },
  };
}

/** What a careful author writes without us: minimize, at most four steps ahead, losses read four times a second. */
function plainLoop(model: Model, batchSize: number): Loop {
  const { learningRate, beta1, beta2, epsilon } = ADAM;
  const optimizer = tf.train.adam(learningRate, beta1, beta2, epsilon);
  const variables = Object.fromEntries(
    model.parameters.map(({ name, shape, init }) => [
      name,
      tf.variable(
        init.kind === "normal"
          ? tf.randomNormal([...shape], 0, init.std)
          : init.kind === "ones"
            ? tf.ones([...shape])
            : tf.zeros([...shape]),
      ),
    ]),
  ) satisfies Params;
  const list = Object.values(variables);
  let samples = 0;
  return {
    async run(steps) {
      let losses: tf.Scalar[] = [];
      let readAt = performance.now();
      const read = async (): Promise<void> => {
        if (losses.length === 0) return;
        const stacked = tf.tidy(() => tf.stack(losses));
        tf.dispose(losses);
        losses = [];
        await stacked.data();
        stacked.dispose();
        readAt = performance.now();
      };
      for (let step = 0; step < steps; step += 1) {
        const batch = model.batch(samplesAt(samples, batchSize, model.samplesPerEpoch, SEED));
        const loss = optimizer.minimize(
          () =>
            model.loss(variables, batch, { dropout: (x, _, rate) => (rate === 0 ? x : tf.dropout(x, rate)) }),
          true,
          list,
        );
        if (loss !== null) losses.push(loss);
        tf.dispose([...batch]);
        samples += batchSize;
        if (step % 4 === 3 || performance.now() - readAt > 250) await read();
      }
      await read();
    },
  };
}
