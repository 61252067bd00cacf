/** A store over a simulated disk, as one tab has it. */
import { surplusAt } from "../../src/checkpoint/keep";
import { CheckpointManager, type StoreParts } from "../../src/checkpoint/manager";
import type { RunRecord } from "../../src/format/run";
import { MemoryLocks, type Locks } from "../../src/store/locks";
import { sampleRecord, sampleRequest, sampleRows, DATA } from "./run-samples";
import { SimulatedDisk } from "./simulated-disk";

export const RUN = "r0000000000000001";

export function partsOn(disk: SimulatedDisk, locks: Locks = new MemoryLocks()): StoreParts {
  let now = 1_700_000_000_000;
  return {
    packs: disk,
    catalog: disk.catalog,
    locks,
    clock: { now: () => now++, elapsed: () => now++ },
    keep: surplusAt(() => now),
  };
}

/** A manager with one run at S_0. */
export async function begun(
  disk = new SimulatedDisk(),
  locks: Locks = new MemoryLocks(),
  parts = partsOn(disk, locks),
  record: Partial<RunRecord> = {},
) {
  const manager = new CheckpointManager(parts);
  await manager.putData(DATA);
  const { lease } = await manager.createRun(await sampleRecord(record), sampleRequest(0, null, "start"));
  return { manager, lease, disk, locks, parts };
}

/** The same after four steps, with a checkpoint at every second one and another rate from the third on. */
export async function trained() {
  const store = await begun();
  const { manager, lease } = store;
  await manager.appendEvent(lease, 0, { kind: "started" }, "running");
  await manager.save(lease, sampleRequest(2, sampleRows(1, 2)));
  await manager.appendEvent(lease, 2, { kind: "changed", changes: { learningRate: 0.5 } });
  await manager.save(lease, sampleRequest(4, sampleRows(3, 4)));
  return store;
}
