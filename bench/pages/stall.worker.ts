/**
 * Trains the MLP in a worker and saves through the app's own path: snapshot, read-back, storage worker, OPFS, IndexedDB.
 * Then saves the same model the way tfjs does, in this very worker.
 */
import { expose, transfer } from "comlink";
import { openDevice, type Device } from "../../src/engine/device";
import { environmentOf } from "../../src/engine/environment";
import { Session } from "../../src/engine/session";
import { TfjsTrainable } from "../../src/engine/tfjs";
import type { OptimizerConfig, RunRecord } from "../../src/format/run";
import type { CheckpointInfo, Lease, RunStorageApi, State } from "../../src/worker/protocol";
import { Remote } from "../../src/worker/remote";
import { installErrorTransfer } from "../../src/worker/wire-errors";
import { mlp, SIZES } from "../models/mlp";

export interface Stretch {
  readonly stepsPerSecond: number;
  /** For each save, every stretch that it held this thread, milliseconds. */
  readonly held: readonly (readonly number[])[];
  readonly skipped: number;
  /** Stored bytes over raw bytes of the last checkpoint; null where none was made. */
  readonly storedRatio: number | null;
}

export interface StallApi {
  connect(storage: MessagePort): Promise<void>;
  prepare(): Promise<{ readonly adapter: string; readonly stateBytes: number }>;
  /** `saveEvery` 0: no saves. Steps per second from rest to rest, saves included. */
  train(steps: number, saveEvery: number): Promise<Stretch>;
  /** Milliseconds of each `model.save` with its optimizer. */
  tfjsSaves(count: number): Promise<readonly number[]>;
}

installErrorTransfer();

const SEED = 7;
const BATCH = 8;
const OPTIMIZER: OptimizerConfig = {
  kind: "adamw",
  learningRate: 1e-3,
  momentum: 0,
  beta1: 0.9,
  beta2: 0.999,
  decay: 0,
  epsilon: 1e-8,
  weightDecay: 0.01,
  clipNorm: 0,
  schedule: { kind: "constant", warmup: 0, horizon: 1, floor: 0, every: 1, factor: 1 },
};

interface Rig {
  readonly device: Device;
  readonly trainable: TfjsTrainable;
  readonly record: RunRecord;
  readonly lease: Lease;
}

let storage: RunStorageApi | null = null;
let rig: Rig | null = null;
let position = { step: 0, samples: 0 };

const api: StallApi = {
  connect(port) {
    storage = new Remote<RunStorageApi>(port).api;
    return Promise.resolve();
  },
  async prepare() {
    const store = connected();
    const device = await openDevice();
    const trainable = new TfjsTrainable({
      device,
      model: mlp(),
      optimizer: OPTIMIZER,
      seed: SEED,
      batchSize: BATCH,
    });
    const environment = environmentOf(device, {});
    const bytes = new TextEncoder().encode("made up by the bench");
    const record: RunRecord = {
      id: `r${"stallbench".padEnd(16, "a")}`,
      name: "stall",
      task: "mlp",
      created: Date.now(),
      seed: SEED,
      parent: null,
      firstStep: 0,
      steps: 10_000_000,
      config: { batchSize: BATCH },
      optimizer: OPTIMIZER,
      policy: { save: { kind: "never" }, draw: false },
      data: {
        hash: await store.putData(bytes),
        bytes: bytes.length,
        name: "",
        origin: "generated",
        preprocessing: {},
      },
      environment,
    };
    const state = await trainable.snapshot().read([]);
    const stateBytes = state.tensors.reduce((sum, { values }) => sum + values.byteLength, 0);
    const times = { stall: 0, held: 0, readBack: 0 };
    const first = { state, rows: null, reason: "start", metrics: {}, environment, times } as const;
    const { lease } = await store.createRun(record, transfer(first, buffersOf(state)));
    rig = { device, trainable, record, lease };
    await api.train(3, 0);
    const { vendor, architecture, description } = device.adapter;
    return {
      adapter: [device.name, vendor, architecture, description].filter((word) => word).join(" "),
      stateBytes,
    };
  },
  async train(steps, saveEvery) {
    const { trainable, record, lease, device } = ready();
    const store = connected();
    const held: (readonly number[])[] = [];
    let skipped = 0;
    let storedRatio: number | null = null;
    let finish: () => void = () => undefined;
    let fail: (error: Error) => void = () => undefined;
    const ended = new Promise<void>((resolve, reject) => {
      finish = resolve;
      fail = reject;
    });
    const session: Session<CheckpointInfo> = new Session<CheckpointInfo>({
      record: {
        ...record,
        firstStep: position.step,
        steps: position.step + steps,
        policy: {
          save: saveEvery === 0 ? { kind: "never" } : { kind: "steps", every: saveEvery },
          draw: false,
        },
      },
      trainable,
      storage: {
        appendJournal: (rows) => store.appendJournal(lease, rows),
        appendEvent: (step, event) => Promise.resolve({ ...event, step, seq: 0, time: 0 }),
        save: async (state, rows, reason, metrics, times) => {
          const request = { state, rows, reason, metrics, times, environment: environmentOf(device, {}) };
          const { checkpoint, buffers } = await store.save(lease, transfer(request, buffersOf(state)));
          trainable.recycle(buffers);
          return checkpoint;
        },
      },
      events: [],
      status: "paused",
      position,
      journalEnd: position.step,
      lastSavedStep: position.step,
      now: () => performance.now(),
      evaluate: () => Promise.resolve({}),
      saveCost: () => 0,
      signal: (signal) => {
        if (signal.kind === "saved") {
          held.push(signal.held);
          storedRatio = signal.checkpoint.storedBytes / signal.checkpoint.rawBytes;
        }
        if (signal.kind === "save-skipped") skipped += 1;
        if (signal.kind === "trouble" || signal.kind === "save-failed") fail(new Error(signal.message));
        if (signal.kind === "status" && signal.status === "finished") finish();
      },
    });
    const start = performance.now();
    await session.go({ kind: "started" });
    await ended;
    await trainable.settled();
    const seconds = (performance.now() - start) / 1000;
    position = { step: session.step, samples: session.samples };
    return { stepsPerSecond: steps / seconds, held, skipped, storedRatio };
  },
  async tfjsSaves(count) {
    const tf = await import("@tensorflow/tfjs");
    const model = tf.sequential();
    for (let layer = 0; layer + 1 < SIZES.length; layer += 1) {
      model.add(
        tf.layers.dense({
          units: SIZES[layer + 1] ?? 0,
          ...(layer === 0 ? { inputShape: [SIZES[0]] } : {}),
          ...(layer + 2 < SIZES.length ? { activation: "tanh" as const } : {}),
        }),
      );
    }
    model.compile({ optimizer: tf.train.adam(1e-3), loss: "meanSquaredError" });
    const x = tf.ones([BATCH, SIZES[0]]);
    const y = tf.zeros([BATCH, SIZES[SIZES.length - 1] ?? 0]);
    const times: number[] = [];
    for (let save = 0; save < count; save += 1) {
      // Training between saves, as here: each save finds its tensors on the GPU.
      await model.trainOnBatch(x, y);
      const start = performance.now();
      await model.save("indexeddb://stall-bench", { includeOptimizer: true });
      times.push(performance.now() - start);
    }
    tf.dispose([x, y]);
    return times;
  },
};

expose(api);

function connected(): RunStorageApi {
  if (storage === null) throw new Error("connect comes first");
  return storage;
}

function ready(): Rig {
  if (rig === null) throw new Error("prepare comes first");
  return rig;
}

function buffersOf(state: State): ArrayBuffer[] {
  return [...new Set(state.tensors.map(({ values }) => values.buffer))];
}
