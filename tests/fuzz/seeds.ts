/** What mutants are made of: small runs that lived a little, as the exporter and the store leave them. */
import type { RunEventBody, RunStatus } from "../../src/format/run";
import type { SaveRequest } from "../../src/format/stored";
import { CheckpointManager } from "../../src/checkpoint/manager";
import { exportRuns, filesOf } from "../support/bundles";
import { largeBundles } from "../support/large-run";
import { sampleRecord, sampleRequest, sampleRows, sampleState } from "../support/run-samples";
import type { SimulatedDisk } from "../support/simulated-disk";
import { begun, partsOn, RUN } from "../support/store-parts";
import { modelOf, type BundleModel } from "./bundle-model";
import { sha256, toHex, type Bytes } from "../../src/format/bytes";

export const FORK = "r2";
const OTHER_DATA = new TextEncoder().encode("that is the question");
const FLOATS = 20;

const EVENTS: readonly (readonly [step: number, event: RunEventBody, status?: RunStatus])[] = [
  [0, { kind: "started" }, "running"],
  [1, { kind: "paused", why: "loss", spike: { step: 1, loss: 9, usual: 1 } }, "paused"],
  [1, { kind: "resumed", from: 0, replayed: 1, why: "asked" }, "running"],
  [2, { kind: "changed", changes: { learningRate: 0.5, clipNorm: 2 } }],
  [2, { kind: "evaluated", metrics: { val_loss: 0.5, "=accuracy": 0.25 } }],
  [2, { kind: "forked", child: FORK }],
];

const LATE: typeof EVENTS = [
  [4, { kind: "extended", steps: 1200, horizon: 1100 }],
  [4, { kind: "evaluated", metrics: { val_loss: 0.25, "a,b": -0.5 } }],
  [4, { kind: "trouble", code: "device-lost", message: "The GPU went away." }],
  [5, { kind: "stopped", best: { metric: "val_loss", step: 4, value: 0.25 } }, "stopped"],
];

function request(step: number, reason: SaveRequest["reason"] = "policy"): SaveRequest {
  return { ...sampleRequest(step, null, reason), state: sampleState(step, FLOATS) };
}

/** A run with all that a run can have, and a fork of it that trains on other data. */
export async function livedStore() {
  const store = await begun();
  const { manager, lease } = store;
  const tell = async (events: typeof EVENTS) => {
    for (const [step, event, status] of events) await manager.appendEvent(lease, step, event, status);
  };
  await tell(EVENTS);
  await manager.save(lease, { ...request(2), rows: sampleRows(1, 2) });
  const odd = {
    from: 3,
    loss: Float32Array.of(NaN, -Infinity),
    rate: Float32Array.of(1e-30, 0.1),
    ms: Float32Array.of(3, 4e9),
  };
  await manager.save(lease, { ...request(4, "improved"), rows: odd });
  await tell(LATE);
  await manager.appendJournal(lease, sampleRows(5, 6));
  await manager.mark(RUN, 2, { pinned: true, tags: ["best", "é"], note: "kept" });
  await manager.mark(RUN, 4, { note: "=1+1" });
  await manager.describe(RUN, { tags: ["baseline"], note: "a run" });
  await manager.setPolicy(RUN, {
    save: { kind: "auto", returnSeconds: 5, overhead: 0.03 },
    draw: false,
    keep: [
      { kind: "latest", count: 9 },
      { kind: "best", metric: "val_loss", mode: "min", count: 9 },
    ],
    budget: 1e9,
    evaluate: 2,
    stop: { metric: "val_loss", mode: "min", patience: 3 },
    spike: 8,
  });
  await manager.release(lease);
  const sample = await sampleRecord();
  await manager.putData(OTHER_DATA);
  const fork = await sampleRecord({
    id: FORK,
    name: "fork",
    parent: { run: RUN, step: 2 },
    firstStep: 2,
    policy: { save: { kind: "never" }, draw: true, keep: [] },
    data: {
      ...sample.data,
      hash: toHex(await sha256(OTHER_DATA)),
      bytes: OTHER_DATA.length,
      origin: "generated",
    },
  });
  const forked = await manager.createRun(fork, request(2, "fork"));
  await manager.save(forked.lease, { ...request(3, "end"), rows: sampleRows(3, 3) });
  await manager.appendEvent(forked.lease, 3, { kind: "finished" }, "finished");
  await manager.release(forked.lease);
  await manager.close();
  return store;
}

/** One run at its first state. */
async function bareStore() {
  const store = await begun();
  await store.manager.close();
  return store;
}

export interface Seeds {
  /** The lived run and its fork, the fork alone, a run that only began; the first compact, the second without data. */
  readonly bundles: readonly BundleModel[];
  /** The disk that the first comes from. */
  readonly disk: SimulatedDisk;
  /** A large run in both forms; made when it is first asked for. */
  readonly large: () => Promise<readonly LargeSeed[]>;
}

export interface LargeSeed {
  readonly bytes: Bytes;
  readonly model: BundleModel;
}

export async function makeSeeds(): Promise<Seeds> {
  const lived = await livedStore();
  const atStart = await bareStore();
  const both = await exportRuns(lived.manager, lived.parts, [RUN, FORK]);
  const alone = await exportRuns(lived.manager, lived.parts, [FORK]);
  const least = await exportRuns(atStart.manager, atStart.parts, [RUN]);
  const compact = await exportRuns(lived.manager, lived.parts, [RUN, FORK], { isCompact: true });
  const bare = await exportRuns(lived.manager, lived.parts, [FORK], { hasData: false });
  await lived.manager.close();
  const bundles: BundleModel[] = [];
  for (const file of [both, alone, least, compact, bare]) bundles.push(modelOf(await filesOf(file)));
  let large: Promise<readonly LargeSeed[]> | null = null;
  return { bundles, disk: lived.disk, large: () => (large ??= makeLarge()) };
}

async function makeLarge(): Promise<readonly LargeSeed[]> {
  const seeds: LargeSeed[] = [];
  for (const { bytes } of await largeBundles())
    seeds.push({ bytes, model: modelOf(await filesOf(new Blob([bytes]))) });
  return seeds;
}

/** A store of its own with the same packs and, unless it was lost, the same catalogue. */
export async function copyOf(disk: SimulatedDisk, isLost: boolean) {
  const copy = isLost ? await disk.withCatalogOf(0) : await disk.after("process death");
  const parts = partsOn(copy);
  return { disk: copy, parts, manager: new CheckpointManager(parts) };
}
