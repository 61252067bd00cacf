/** Openings that could not see or bring back everything: whoever writes next must not shut out what was not found. */
import { expect, suite, test } from "vitest";
import { exportRun, importRun } from "../../src/checkpoint/exchange";
import { CheckpointManager } from "../../src/checkpoint/manager";
import { HoldfastError } from "../../src/errors";
import { digestOf } from "../../src/format/digest";
import { MemoryLocks, type Locks } from "../../src/store/locks";
import { codeOf, sampleRequest, sampleRows, sampleState } from "../support/run-samples";
import type { SimulatedDisk } from "../support/simulated-disk";
import { begun, partsOn, RUN } from "../support/store-parts";

const LAST = 40;

async function opened(disk: SimulatedDisk, locks: Locks = new MemoryLocks()) {
  const parts = partsOn(disk, locks);
  const manager = new CheckpointManager(parts);
  const recovery = await manager.recovered();
  await manager.idle();
  return { manager, recovery, parts };
}

/** A run of forty saves; `older` brings its catalogue back from before the twentieth. */
async function lived() {
  const store = await begun();
  const { manager, lease, disk } = store;
  let mark = 0;
  for (let step = 1; step <= LAST; step++) {
    if (step === 20) mark = disk.journal.length;
    await manager.save(lease, sampleRequest(step, sampleRows(step, step)));
    await manager.idle();
  }
  await manager.close();
  const newest = await disk.catalog.read((tx) => tx.at("checkpoints", RUN, LAST));
  const run = await disk.catalog.read((tx) => tx.get("runs", RUN));
  return {
    ...store,
    older: () => disk.withCatalogOf(mark),
    state: newest?.commit.pack ?? "",
    log: run?.log ?? "",
  };
}

type Undo = () => Promise<void>;

/** What goes wrong while a store opens, and how it ends. */
const DISTURBANCES: Readonly<
  Record<
    string,
    (disk: SimulatedDisk, names: { readonly state: string; readonly log: string }) => Promise<Undo>
  >
> = {
  "the log is held": async (disk, { log }) => hold(disk, log),
  "the newest states are held": async (disk, { state }) => hold(disk, state),
  "a header cannot be read": async (disk) => {
    const { read } = disk;
    disk.read = () => Promise.reject(new HoldfastError("refused", "a bad sector"));
    return () => {
      disk.read = read;
      return Promise.resolve();
    };
  },
  "the catalogue takes nothing": async (disk) => {
    const { write } = disk.catalog;
    disk.catalog.write = () => Promise.reject(new HoldfastError("quota", "no room"));
    return () => {
      disk.catalog.write = write;
      return Promise.resolve();
    };
  },
};

async function hold(disk: SimulatedDisk, name: string): Promise<Undo> {
  const held = await disk.open(name);
  return async () => {
    await held?.close();
  };
}

suite("an opening that could not bring back everything", () => {
  test.each(Object.keys(DISTURBANCES))("loses nothing to the next save: %s", async (name) => {
    const { older, state, log } = await lived();
    const disk = await older();
    const end = await DISTURBANCES[name]?.(disk, { state, log });
    const { manager } = await opened(disk);
    await end?.();
    const lease = await manager.acquire(RUN);
    expect((await manager.detail(RUN)).step).toBe(LAST);
    await manager.save(lease, sampleRequest(LAST + 1, sampleRows(LAST + 1, LAST + 1)));
    await manager.close();
    const next = await opened(disk);
    expect(next.recovery.lost).toEqual([]);
    const steps = (await next.manager.checkpoints(RUN)).map(({ step }) => step);
    expect(steps.slice(-3)).toEqual([LAST - 1, LAST, LAST + 1]);
    for (const step of steps)
      expect(await digestOf((await next.manager.read(RUN, step)).state)).toBe(
        await digestOf(sampleState(step)),
      );
  });

  test("a run may not be written while a closing tab holds what may be its own", async () => {
    const { older, state } = await lived();
    const disk = await older();
    const end = await hold(disk, state);
    const { manager } = await opened(disk);
    expect(await codeOf(manager.acquire(RUN))).toBe("busy");
    expect(await codeOf(manager.rename(RUN, "other"))).toBe("busy");
    expect((await manager.restore(RUN)).checkpoint.step).toBeGreaterThan(0);
    await end();
    expect(await manager.acquire(RUN)).toMatchObject({ run: RUN });
  });

  test("a run that another tab is at work on keeps nobody from another run", async () => {
    const { disk } = await lived();
    const locks = new MemoryLocks();
    await locks.take("holdfast/run/r0000000000000009");
    // A save that is under way: its pack has no row yet.
    await (await disk.create()).append(new Uint8Array(5000));
    const { manager } = await opened(disk, locks);
    expect(await manager.acquire(RUN)).toMatchObject({ run: RUN });
  });

  test("a backup that is imported meanwhile takes no place of the run that was not found", async () => {
    const { manager, disk, parts, state } = await lived();
    const file = await exportRun(manager, parts, RUN);
    const gone = await disk.withCatalogOf(0);
    const end = await hold(gone, state);
    const first = await opened(gone);
    expect(await codeOf(importRun(first.manager, first.parts, file))).toBe("busy");
    await end();
    expect(await importRun(first.manager, first.parts, file)).not.toBe(RUN);
    expect((await first.manager.restore(RUN)).checkpoint.step).toBe(LAST);
  });

  test("a run that was deleted and imported again comes back beside a catalogue of its life before", async () => {
    const { manager, disk, parts } = await lived();
    const file = await exportRun(manager, parts, RUN);
    const mark = disk.journal.length;
    await manager.remove(RUN);
    await manager.emptyTrash();
    expect(await importRun(manager, parts, file)).toBe(RUN);
    await manager.close();
    const count = (await manager.checkpoints(RUN)).length;
    for (const kept of [mark, 0]) {
      const back = await opened(await disk.withCatalogOf(kept));
      expect((await back.manager.restore(RUN)).checkpoint.step, `of ${kept} transactions`).toBe(LAST);
      expect((await back.manager.checkpoints(RUN)).length).toBe(count);
      expect((await back.manager.journal(RUN)).loss).toHaveLength(LAST);
    }
  });
});
