import { expect, suite, test } from "vitest";
import { CheckpointManager } from "../../src/checkpoint/manager";
import { MemoryLocks } from "../../src/store/locks";
import { lockName } from "../../src/store/owner";
import { codeOf, sampleRequest, sampleRows } from "../support/run-samples";
import { brokenCatalog } from "../support/sabotage";
import { begun, partsOn, RUN } from "../support/store-parts";

/** Two tabs on one disk; the first has begun a run. */
async function twoTabs() {
  const first = await begun();
  const other = new CheckpointManager(partsOn(first.disk, first.locks));
  return { ...first, other };
}

suite("one writer per run", () => {
  test("a run that is open is busy elsewhere, and free once it is let go", async () => {
    const { manager, lease, other } = await twoTabs();
    expect(await codeOf(other.acquire(RUN))).toBe("busy");
    await manager.release(lease);
    expect((await other.acquire(RUN)).epoch).toBe(lease.epoch + 1);
    expect(await codeOf(manager.acquire(RUN))).toBe("busy");
  });

  test("every write of the one who lost the run is fenced, and changes nothing", async () => {
    const { manager, lease, other } = await twoTabs();
    const taken = await other.acquire(RUN, { takeOver: true });
    const before = await other.detail(RUN);
    expect(await codeOf(manager.save(lease, sampleRequest(1, sampleRows(1, 1))))).toBe("fenced");
    expect(await codeOf(manager.appendJournal(lease, sampleRows(1, 1)))).toBe("fenced");
    expect(await codeOf(manager.appendEvent(lease, 0, { kind: "started" }, "running"))).toBe("fenced");
    const after = await other.detail(RUN);
    expect({ ...after, status: "" }).toEqual({ ...before, status: "" });
    expect((await other.save(taken, sampleRequest(1, sampleRows(1, 1)))).step).toBe(1);
  });

  test("a save that is under way when the run is taken over is fenced at its commit", async () => {
    const { manager, lease, other, disk } = await twoTabs();
    const sizeOf = disk.sizeOf.bind(disk);
    // Between the last look at the pack and the transaction: later no writer can be stopped from outside.
    disk.sizeOf = async (name) => {
      disk.sizeOf = sizeOf;
      await other.acquire(RUN, { takeOver: true });
      return sizeOf(name);
    };
    expect(await codeOf(manager.save(lease, sampleRequest(1, sampleRows(1, 1))))).toBe("fenced");
    expect((await other.restore(RUN)).checkpoint.step).toBe(0);
  });

  test("control: without the check of the epoch, the one who lost the run writes on", async () => {
    const { disk, locks, lease, manager } = await begun();
    await manager.release(lease);
    const blind = brokenCatalog(partsOn(disk, locks), (tx) => ({
      get: async (table, key) => {
        const row = await tx.get(table, key);
        return row !== undefined && "epoch" in row ? { ...row, epoch: lease.epoch } : row;
      },
    }));
    const stale = new CheckpointManager(blind);
    await new CheckpointManager(partsOn(disk, locks)).acquire(RUN, { takeOver: true });
    expect((await stale.save(lease, sampleRequest(1, sampleRows(1, 1)))).step).toBe(1);
  });

  test("in one tab a new lease fences the old one without a quarrel about the lock", async () => {
    const { manager, lease } = await begun();
    const next = await manager.acquire(RUN);
    expect(next.epoch).toBe(lease.epoch + 1);
    expect(await codeOf(manager.save(lease, sampleRequest(1, sampleRows(1, 1))))).toBe("fenced");
    await manager.release(lease);
    expect((await manager.save(next, sampleRequest(1, sampleRows(1, 1)))).step).toBe(1);
  });

  test("an opening that fails lets go of the lock", async () => {
    const { manager, lease, other, locks } = await twoTabs();
    await manager.release(lease);
    await manager.remove(RUN);
    expect(await codeOf(other.acquire(RUN))).toBe("missing");
    expect(await codeOf(other.acquire(RUN, { takeOver: true }))).toBe("missing");
    expect(await locks.held()).toEqual(new Set());
  });

  test("a run whose creation failed lets go of the lock", async () => {
    const { manager, locks } = await begun();
    const first = sampleRequest(0);
    const record = (await manager.detail(RUN)).record;
    const elsewhere = { ...record, id: "r2", data: { ...record.data, hash: "0".repeat(64) } };
    expect(await codeOf(manager.createRun(elsewhere, first))).toBe("missing");
    expect(await locks.held()).toEqual(new Set([lockName(RUN)]));
  });
});

suite("status of a run", () => {
  test("training here, elsewhere, or cut off", async () => {
    const { manager, lease, other, locks } = await twoTabs();
    await manager.appendEvent(lease, 0, { kind: "started" }, "running");
    expect((await manager.runs())[0]?.status).toBe("running");
    expect((await other.runs())[0]?.status).toBe("elsewhere");
    (await locks.steal(lockName(RUN))).release();
    expect((await other.runs())[0]?.status).toBe("interrupted");
  });

  test("a run that has ended is shown so, whoever looks at it", async () => {
    const { manager, lease, other } = await twoTabs();
    await manager.appendEvent(lease, 0, { kind: "finished" }, "finished");
    expect((await other.runs())[0]?.status).toBe("finished");
  });
});

suite("locks in memory", () => {
  test("who is robbed of a lock is told, and cannot release the robber's", async () => {
    const locks = new MemoryLocks();
    const held = await locks.take("a");
    expect(await locks.take("a")).toBeNull();
    const stolen = await locks.steal("a");
    expect(held?.lost).toBe(true);
    held?.release();
    expect(stolen.lost).toBe(false);
    expect(await locks.take("a")).toBeNull();
    stolen.release();
    expect(await locks.take("a")).not.toBeNull();
  });
});
