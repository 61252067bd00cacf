import { expect, suite, test } from "vitest";
import { CheckpointManager } from "../../src/checkpoint/manager";
import { StorageService } from "../../src/worker/storage";
import { codeOf, sampleRecord, sampleRequest, sampleRows } from "../support/run-samples";
import { SimulatedDisk } from "../support/simulated-disk";
import { begun, partsOn, RUN } from "../support/store-parts";

const HOUR = 3_600_000;
const WEEK = 7 * 24 * HOUR;

/** A run of four steps that was deleted, under a clock that stands still unless told. */
async function deleted() {
  const disk = new SimulatedDisk();
  const clock = { time: 1_700_000_000_000 };
  const parts = { ...partsOn(disk), clock: { now: () => clock.time, elapsed: () => clock.time } };
  const { manager, lease, locks } = await begun(disk, undefined, parts);
  await manager.save(lease, sampleRequest(4, sampleRows(1, 4)));
  await manager.release(lease);
  await manager.remove(RUN);
  const opened = async () => {
    const next = new CheckpointManager(parts);
    await next.recovered();
    await next.idle();
    return next;
  };
  return { manager, clock, parts, locks, opened };
}

suite("the trash", () => {
  test("lists what can be brought back, and until when", async () => {
    const { manager, clock } = await deleted();
    expect(await manager.trash()).toMatchObject([
      { id: RUN, name: "sample", step: 4, removed: clock.time, until: clock.time + WEEK, needed: null },
    ]);
    await manager.undoRemove(RUN);
    expect(await manager.trash()).toEqual([]);
  });

  test("keeps a run for a week of openings, and no longer", async () => {
    const { clock, opened } = await deleted();
    clock.time += WEEK - 1;
    expect(await (await opened()).trash()).toHaveLength(1);
    clock.time += 1;
    const later = await opened();
    expect(await later.trash()).toEqual([]);
    expect(await codeOf(later.undoRemove(RUN))).toBe("missing");
  });

  test("lets go of the one that is named, and of no other", async () => {
    const { manager } = await deleted();
    const other = await sampleRecord({ id: "r2" });
    const { lease } = await manager.createRun(other, sampleRequest(0));
    await manager.release(lease);
    expect(await codeOf(manager.emptyTrash("r2"))).toBe("missing");
    await manager.remove("r2");
    await manager.emptyTrash("r2");
    expect((await manager.trash()).map(({ id }) => id)).toEqual([RUN]);
    expect(await codeOf(manager.emptyTrash("r2"))).toBe("missing");
  });

  test("says what of a run its forks need", async () => {
    const { manager } = await deleted();
    await manager.undoRemove(RUN);
    const fork = await sampleRecord({ id: "r2", parent: { run: RUN, step: 4 }, firstStep: 4 });
    await manager.release((await manager.createRun(fork, sampleRequest(4, null, "fork"))).lease);
    await manager.remove(RUN);
    expect(await manager.trash()).toMatchObject([{ id: RUN, needed: 4 }]);
    await manager.emptyTrash();
    expect(await manager.trash()).toMatchObject([{ id: RUN, needed: 4 }]);
  });

  test.for([
    { minutes: 4, thinned: 1, left: 1 },
    { minutes: 6, thinned: 0, left: 0 },
  ])(
    "goes first where space is short, but for what was deleted in the last five minutes",
    async ({ minutes, thinned, left }) => {
      const { manager, clock, parts } = await deleted();
      await manager.close();
      const estimate = () => Promise.resolve({ usage: 95, quota: 100 });
      const service = new StorageService({ parts, reason: "", spool: null }, { estimate });
      const keep = [
        { kind: "latest", count: 1 },
        { kind: "spaced", density: 64 },
      ] as const;
      const record = await sampleRecord({ id: "r2", policy: { save: { kind: "never" }, draw: false, keep } });
      const { lease } = await service.createRun(record, sampleRequest(0));
      await service.save(lease, sampleRequest(1, sampleRows(1, 1)));
      await service.idle();
      const before = (await service.status()).thinned;
      clock.time += minutes * 60_000;
      await service.save(lease, sampleRequest(2, sampleRows(2, 2)));
      await service.idle();
      expect((await service.status()).thinned - before).toBe(thinned);
      expect(await service.trash()).toHaveLength(left);
    },
  );
});
