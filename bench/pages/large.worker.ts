/** A state of millions of parameters in a storage worker: what a save and a restore of it take. */
import { expose } from "comlink";
import { CheckpointManager } from "../../src/checkpoint/manager";
import type { Lease, SaveRequest } from "../../src/format/stored";
import type { NamedTensor } from "../../src/format/tensors";
import { surplusAt } from "../../src/checkpoint/keep";
import { openCatalog } from "../../src/store/catalog";
import { WebLocks } from "../../src/store/locks";
import { openOpfs } from "../../src/store/opfs";
import { installErrorTransfer } from "../../src/worker/wire-errors";
import type { Phase } from "./large";
import { madeUpRecord } from "./made-up-record";
import { KINDS, madeUpTensors, stepOn } from "./made-up-state";

export interface LargeApi {
  begin(phase: Phase, parameters: number): Promise<void>;
  run(): Promise<number>;
  end(): Promise<void>;
}

installErrorTransfer();

const RUN = "rlarge";
const PIECE_BYTES = 1024 * 1024;
const RAW_FILE = "raw";

const record = madeUpRecord({ id: RUN, name: "large" });

let manager: CheckpointManager | null = null;
let lease: Lease | null = null;
let tensors: NamedTensor[] = [];
let step = 0;
let work: () => Promise<void> = () => Promise.resolve();

const api: LargeApi = {
  async begin(phase, parameters) {
    const bytes = 4 * parameters * KINDS.length;
    switch (phase) {
      case "save":
        await open();
        await begun();
        tensors = madeUpTensors(parameters);
        work = () => save();
        return;
      case "saveDelta":
        stepOn(tensors);
        work = () => save();
        return;
      case "restore":
        await open();
        work = async () => {
          const { state } = await (manager as CheckpointManager).restore(RUN, step === 0 ? undefined : step);
          tensors = [...state.tensors];
        };
        return;
      case "rawWrite":
        work = () => rawWrite(bytes);
        return;
      case "rawRead":
        work = () => rawRead(bytes);
    }
  },
  async run() {
    const start = performance.now();
    await work();
    return (performance.now() - start) / 1000;
  },
  async end() {
    await manager?.close();
  },
};

expose(api);

async function open(): Promise<void> {
  const packs = await openOpfs(navigator.storage);
  const catalog = await openCatalog();
  const clock = { now: () => Date.now(), elapsed: () => performance.now() };
  manager = new CheckpointManager({
    packs,
    catalog,
    locks: new WebLocks(navigator.locks),
    clock,
    keep: surplusAt(() => Date.now()),
  });
  await manager.recovered();
  await manager.idle();
}

/** A run whose first state is one of nothing: what follows is a keyframe, and its difference. */
async function begun(): Promise<void> {
  const store = manager as CheckpointManager;
  const hash = await store.putData(new Uint8Array(1));
  const first = { ...record, data: { ...record.data, hash } };
  lease = (await store.createRun(first, request([]))).lease;
}

async function save(): Promise<void> {
  step++;
  const rows = { from: step, loss: new Float32Array(1), rate: new Float32Array(1), ms: new Float32Array(1) };
  await (manager as CheckpointManager).save(lease as Lease, { ...request(tensors), rows });
}

function request(of: readonly NamedTensor[]): SaveRequest {
  return {
    state: { tensors: of, scalars: { step, samples: 0, counters: { t: step } } },
    rows: null,
    reason: "asked",
    metrics: {},
    environment: record.environment,
    times: { stall: 0, held: 0, readBack: 0 },
  };
}

async function rawWrite(bytes: number): Promise<void> {
  const handle = await rawHandle();
  const piece = new Uint8Array(PIECE_BYTES).map((_, at) => Math.imul(at, 0x9e3779b1) >>> 24);
  for (let at = 0; at < bytes; at += PIECE_BYTES) handle.write(piece, { at });
  handle.flush();
  handle.close();
}

async function rawRead(bytes: number): Promise<void> {
  const handle = await rawHandle();
  const piece = new Uint8Array(PIECE_BYTES);
  for (let at = 0; at < bytes; at += PIECE_BYTES) handle.read(piece, { at });
  handle.close();
}

async function rawHandle(): Promise<FileSystemSyncAccessHandle> {
  const root = await navigator.storage.getDirectory();
  return (await root.getFileHandle(RAW_FILE, { create: true })).createSyncAccessHandle();
}
