/** Openings that could not see or bring back everything: whoever writes next must not shut out what was not found. */
import { expect, suite, test } from "vitest";
import { exportRun, importRun } from "../support/bundles";
import { CheckpointManager } from "../../src/checkpoint/manager";
import { HoldfastError } from "../../src/errors";
import { digestOf } from "../../src/format/digest";
import { MemoryLocks, type Locks } from "../../src/store/locks";
import { codeOf, DATA, sampleRecord, sampleRequest, sampleRows, sampleState } from "../support/run-samples";
import type { SimulatedDisk } from "../support/simulated-disk";
import { begun, partsOn, RUN } from "../support/store-parts";

const LAST = 40;

/** `later`: milliseconds after everything else. */
async function opened(disk: SimulatedDisk, locks: Locks = new MemoryLocks(), later = 0) {
  const { clock, ...others } = partsOn(disk, locks);
  const parts = { ...others, clock: { ...clock, now: () => clock.now() + later } };
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
    const request = sampleRequest(step, sampleRows(step, step));
    // No two packs of one size: where a header cannot be read, the size is all that tells one life of a pack from another.
    const browser = `${Math.sin(step)}${Math.cos(step)}`.repeat(2).slice(0, step);
    await manager.save(lease, { ...request, environment: { ...request.environment, browser } });
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
    // Which one is the newest that can be read hangs on what was swept; what is read is what it says.
    const { checkpoint, state: restored } = await manager.restore(RUN);
    expect(await digestOf(restored)).toBe(await digestOf(sampleState(checkpoint.step)));
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
    expect(await importRun(first.manager, first.parts, file)).toBe(RUN);
    expect(await first.manager.runs()).toHaveLength(1);
    expect((await first.manager.restore(RUN)).checkpoint.step).toBe(LAST);
  });

  test.each([0, 20])(
    "a pack that cannot be read for a while is kept and found later (catalogue of step %d)",
    async (kept) => {
      const { older, disk: whole, state } = await lived();
      const disk = kept === 0 ? await whole.withCatalogOf(0) : await older();
      const end = refuse(disk, state);
      const first = await opened(disk);
      await first.manager.close();
      end();
      const next = await opened(disk);
      expect((await next.manager.restore(RUN)).checkpoint.step).toBe(LAST);
      expect(await stepsIn(next.manager)).toContain(LAST - 1);
    },
  );

  test("where a pack cannot be read at all the run goes on without it, says so, and keeps it", async () => {
    const { older, state } = await lived();
    const disk = await older();
    const size = disk.files.get(state)?.bytes.length;
    refuse(disk, state);
    const { manager } = await opened(disk);
    const lease = await manager.acquire(RUN);
    expect(manager.recovery?.lost.join()).toMatch(new RegExp(`Pack ${state} cannot be read`));
    const { step } = await manager.detail(RUN);
    await manager.save(lease, sampleRequest(step + 1, sampleRows(step + 1, step + 1)));
    await manager.close();
    await opened(disk);
    expect(disk.files.get(state)?.bytes.length).toBe(size);
  });

  test("a tab that lost the run and keeps its pack open keeps nobody from it", async () => {
    const { manager, lease, disk, locks } = await begun();
    for (let step = 1; step <= 3; step++)
      await manager.save(lease, sampleRequest(step, sampleRows(step, step)));
    const second = await opened(disk, locks);
    const taken = await second.manager.acquire(RUN, { takeOver: true });
    for (let step = 4; step <= LAST; step++)
      await second.manager.save(taken, sampleRequest(step, sampleRows(step, step)));
    await second.manager.close();
    const third = await opened(disk, locks);
    expect(await third.manager.acquire(RUN)).toMatchObject({ run: RUN });
  });

  test("a run of one's own excuses no pack of another one", async () => {
    const { older, state } = await lived();
    const disk = await older();
    const end = await hold(disk, state);
    const { manager } = await opened(disk);
    await manager.createRun(await sampleRecord({ id: "r0000000000000009" }), sampleRequest(0, null, "start"));
    expect(await codeOf(manager.acquire(RUN))).toBe("busy");
    await end();
    await manager.acquire(RUN);
    expect((await manager.restore(RUN)).checkpoint.step).toBe(LAST);
  });

  test("what was blank when it was opened stays so: pieces are kept, and damage is named", async () => {
    const { disk: whole, state, log } = await lived();
    const disk = await whole.withCatalogOf(0);
    for (const name of [state, log]) damage(disk, name);
    const end = refuseAll(disk);
    const { manager } = await opened(disk);
    end();
    await manager.putData(DATA);
    await manager.rename("r0000000000000009", "nothing").catch(() => undefined);
    expect(manager.recovery?.lost.join()).toMatch(new RegExp(`Pack ${state}: bytes .* are damaged`));
  });

  test("a run that another tab has, and that is not listed here, is looked for again", async () => {
    const { disk: whole } = await lived();
    const disk = await whole.withCatalogOf(0);
    const locks = new MemoryLocks();
    const held = await locks.take(`holdfast/run/${RUN}`);
    const { manager, recovery } = await opened(disk, locks);
    expect(recovery.lost.join()).toMatch(/open in a tab/);
    expect(await manager.runs()).toEqual([]);
    held?.release();
    await manager.acquire(RUN);
    expect((await manager.restore(RUN)).checkpoint.step).toBe(LAST);
  });

  test("a tab that never comes to an end with its own opening keeps nobody for ever", async () => {
    const { disk } = await lived();
    const locks = new MemoryLocks();
    const frozen = await locks.take("holdfast/recovery");
    const impatient: Locks = Object.assign(locks, {
      wait: (name: string) => MemoryLocks.prototype.wait.call(locks, name, 20),
    });
    const { manager, recovery } = await opened(disk, impatient);
    expect(recovery.lost).toHaveLength(1);
    expect((await manager.restore(RUN)).checkpoint.step).toBe(LAST);
    expect(await codeOf(manager.acquire(RUN))).toBe("busy");
    frozen?.release();
    expect(await manager.acquire(RUN)).toMatchObject({ run: RUN });
  });

  test("the trash is not emptied: the run may have been taken out of it since", async () => {
    const { manager, lease, disk } = await begun();
    await manager.release(lease);
    await manager.remove(RUN);
    const mark = disk.journal.length;
    await manager.undoRemove(RUN);
    const again = await manager.acquire(RUN);
    for (let step = 1; step <= 10; step++)
      await manager.save(again, sampleRequest(step, sampleRows(step, step)));
    await manager.close();
    const newest = await disk.catalog.read((tx) => tx.at("checkpoints", RUN, 10));
    const older = await disk.withCatalogOf(mark);
    const end = await hold(older, newest?.commit.pack ?? "");
    await (await opened(older, new MemoryLocks(), HOURS)).manager.close();
    await end();
    const next = await opened(older, new MemoryLocks(), HOURS);
    expect((await next.manager.restore(RUN)).checkpoint.step).toBe(10);
  });

  test("a run that cannot be brought up to date for lack of room can be deleted", async () => {
    const { older } = await lived();
    const disk = await older();
    const write = disk.catalog.write.bind(disk.catalog);
    disk.catalog.write = (durability, work) =>
      write(durability, (tx) => {
        let puts = 0;
        const put: typeof tx.put = (table, row) => {
          if (++puts > 10) throw new HoldfastError("quota", "no room");
          return tx.put(table, row);
        };
        return work(new Proxy(tx, { get: (target, name) => (name === "put" ? put : bound(target, name)) }));
      });
    const { manager } = await opened(disk);
    expect(await codeOf(manager.acquire(RUN))).toBe("quota");
    await manager.remove(RUN);
    expect(await manager.runs()).toEqual([]);
  });
});

suite("a run that was deleted and imported again", () => {
  /** `kept`: which catalogue comes back. */
  async function imported(kept: (marks: { readonly alive: number; readonly gone: number }) => number) {
    const { manager, disk, parts, log } = await lived();
    const file = await exportRun(manager, parts, RUN);
    const alive = disk.journal.length;
    await manager.remove(RUN);
    // Somebody reads its log just then, and so it is not emptied.
    const end = await hold(disk, log);
    await manager.emptyTrash();
    await end();
    const gone = disk.journal.length;
    expect(await importRun(manager, parts, file)).toBe(RUN);
    const count = (await manager.checkpoints(RUN)).length;
    await manager.close();
    return { count, disk: await disk.withCatalogOf(kept({ alive, gone })) };
  }

  test.each([
    ["of its life before", ({ alive }: { readonly alive: number }) => alive],
    ["of when it was gone", ({ gone }: { readonly gone: number }) => gone],
    ["that is empty", () => 0],
  ])("comes back beside a catalogue %s, and what was done to it before does not", async (_what, kept) => {
    const { count, disk } = await imported(kept);
    const back = await opened(disk, new MemoryLocks(), HOURS);
    expect((await back.manager.restore(RUN)).checkpoint.step).toBe(LAST);
    expect(await stepsIn(back.manager)).toHaveLength(count);
    expect((await back.manager.journal(RUN)).loss).toHaveLength(LAST);
  });
});

const HOURS = 3_600_000;

async function stepsIn(manager: CheckpointManager): Promise<readonly number[]> {
  return (await manager.checkpoints(RUN)).map(({ step }) => step);
}

/** A pack that cannot be read, until the returned call. */
function refuse(disk: SimulatedDisk, name: string): () => void {
  const { read } = disk;
  disk.read = (pack, ...rest) =>
    pack === name
      ? Promise.reject(new HoldfastError("refused", "a bad sector"))
      : read.call(disk, pack, ...rest);
  return () => {
    disk.read = read;
  };
}

/** None can be read, until the returned call. */
function refuseAll(disk: SimulatedDisk): () => void {
  const { list } = disk;
  disk.list = () => Promise.reject(new HoldfastError("refused", "a bad sector"));
  return () => {
    disk.list = list;
  };
}

/** Flips a byte in the middle of a frame. */
function damage(disk: SimulatedDisk, name: string): void {
  const bytes = disk.files.get(name)?.bytes;
  if (bytes !== undefined) bytes[500] = (bytes[500] ?? 0) ^ 1;
}

function bound(target: object, name: string | symbol): unknown {
  const value: unknown = Reflect.get(target, name);
  return typeof value === "function" ? (value.bind(target) as unknown) : value;
}
