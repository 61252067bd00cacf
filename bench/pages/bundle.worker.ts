/** A run of a gigabyte in a storage worker, out of it and into it again. */
import { expose } from "comlink";
import { exportBundle } from "../../src/exchange/export";
import { importBundle } from "../../src/exchange/import";
import { surplusAt } from "../../src/checkpoint/keep";
import { CheckpointManager, type StoreParts } from "../../src/checkpoint/manager";
import type { SaveReason } from "../../src/format/run";
import type { SaveRequest } from "../../src/format/stored";
import type { NamedTensor } from "../../src/format/tensors";
import { openCatalog } from "../../src/store/catalog";
import { WebLocks } from "../../src/store/locks";
import { openOpfs } from "../../src/store/opfs";
import { FileOutput } from "../../src/worker/file-output";
import { installErrorTransfer } from "../../src/worker/wire-errors";
import { madeUpRecord } from "./made-up-record";
import { madeUpTensors, stepOn } from "./made-up-state";

export interface BundleBench {
  /** A run with so many checkpoints of so many parameters. Returns their digests. */
  fill(checkpoints: number, parameters: number): Promise<readonly string[]>;
  exported(compact: boolean): Promise<{ readonly bytes: number; readonly seconds: number }>;
  /** Deletes the run, and takes it in again from what was exported last. */
  imported(): Promise<{ readonly digests: readonly string[]; readonly seconds: number }>;
  /** Waits until nothing is done in the background. */
  end(): Promise<void>;
}

installErrorTransfer();

const RUN = "rbundle";
const FILE = "bench.holdfast";

const opening = open();

const api: BundleBench = {
  async fill(checkpoints, parameters) {
    const { manager } = await opening;
    const hash = await manager.putData(new Uint8Array(1));
    const record = madeUpRecord({ id: RUN, name: "bundle" });
    const tensors = madeUpTensors(parameters);
    const first = { ...record, data: { ...record.data, hash } };
    const { lease } = await manager.createRun(first, request(tensors, 0, "start"));
    for (let step = 1; step < checkpoints; step++) {
      stepOn(tensors);
      const one = new Float32Array(1);
      const rows = { from: step, loss: one, rate: one, ms: one };
      await manager.save(lease, { ...request(tensors, step, "policy"), rows });
    }
    await manager.release(lease);
    return digests(manager);
  },
  async exported(compact) {
    const { manager, parts } = await opening;
    const start = performance.now();
    const { file } = await exportBundle(manager, parts, {
      runs: [{ run: RUN, steps: null }],
      isCompact: compact,
      hasData: true,
      open: async () => FileOutput.open(await fileHandle()),
    });
    return { bytes: file.size, seconds: (performance.now() - start) / 1000 };
  },
  async imported() {
    const { manager, parts } = await opening;
    await manager.remove(RUN);
    await manager.emptyTrash();
    const file = await (await fileHandle()).getFile();
    const start = performance.now();
    await importBundle(manager, parts, file);
    return { digests: await digests(manager), seconds: (performance.now() - start) / 1000 };
  },
  async end() {
    const { manager } = await opening;
    await manager.idle();
  },
};

expose(api);

async function open(): Promise<{ readonly manager: CheckpointManager; readonly parts: StoreParts }> {
  const parts: StoreParts = {
    packs: await openOpfs(navigator.storage),
    catalog: await openCatalog(),
    locks: new WebLocks(navigator.locks),
    clock: { now: () => Date.now(), elapsed: () => performance.now() },
    keep: surplusAt(() => Date.now()),
  };
  const manager = new CheckpointManager(parts);
  await manager.recovered();
  return { manager, parts };
}

async function digests(manager: CheckpointManager): Promise<readonly string[]> {
  return (await manager.checkpoints(RUN)).map(({ digest }) => digest);
}

async function fileHandle(): Promise<FileSystemFileHandle> {
  return (await navigator.storage.getDirectory()).getFileHandle(FILE, { create: true });
}

function request(tensors: readonly NamedTensor[], step: number, reason: SaveReason): SaveRequest {
  return {
    state: { tensors, scalars: { step, samples: 0, counters: { t: step } } },
    rows: null,
    reason,
    metrics: {},
    environment: madeUpRecord({ id: RUN, name: "bundle" }).environment,
    times: { stall: 0, held: 0, readBack: 0 },
  };
}
