/** The catalogue is lost, or an older one comes back: what the packs say is enough. */
import { expect, suite, test } from "vitest";
import { CheckpointManager } from "../../src/checkpoint/manager";
import { exportRun, importRun } from "../support/bundles";
import { HoldfastError } from "../../src/errors";
import { concat, sha256, type Bytes } from "../../src/format/bytes";
import { digestOf } from "../../src/format/digest";
import { encodeFrame, type FrameType } from "../../src/format/frame";
import { encodeJournal } from "../../src/format/journal";
import { PACK_HEADER_BYTES } from "../../src/format/pack-header";
import { scanFrames } from "../../src/format/scan";
import type { RunDetail } from "../../src/format/stored";
import { MemoryLocks, type Locks } from "../../src/store/locks";
import { lockName } from "../../src/store/owner";
import { codeOf, DATA, sampleRecord, sampleRequest, sampleRows, sampleState } from "../support/run-samples";
import { SimulatedDisk } from "../support/simulated-disk";
import { begun, partsOn, RUN } from "../support/store-parts";

const FORK = "r0000000000000002";

/** A store as a person leaves it: events, twelve checkpoints in two chains, a fork, a new name. */
async function lived() {
  const store = await begun();
  const { manager, lease } = store;
  await manager.appendEvent(lease, 0, { kind: "started" }, "running");
  for (let step = 1; step <= 12; step++) {
    if (step === 5)
      await manager.appendEvent(lease, 4, { kind: "changed", changes: { learningRate: 0.005 } });
    await manager.save(lease, sampleRequest(step, sampleRows(step, step)));
  }
  const fork = await sampleRecord({ id: FORK, name: "fork", parent: { run: RUN, step: 3 }, firstStep: 3 });
  const { lease: forked } = await manager.createRun(fork, sampleRequest(3, null, "fork"));
  await manager.appendEvent(lease, 12, { kind: "forked", child: FORK });
  await manager.save(forked, sampleRequest(4, sampleRows(4, 4)));
  await manager.appendEvent(lease, 12, { kind: "extended", steps: 2000 });
  await manager.appendEvent(lease, 12, { kind: "paused", why: "" }, "paused");
  await manager.rename(RUN, "first try");
  await manager.rename(RUN, "second try");
  await manager.close();
  return store;
}

async function opened(disk: SimulatedDisk, locks: Locks = new MemoryLocks()) {
  const parts = partsOn(disk, locks);
  const manager = new CheckpointManager(parts);
  const recovery = await manager.recovered();
  await manager.idle();
  return { manager, recovery, parts, disk };
}

/** What people see of a run, but for what a save cost, and when it was read back. */
function seen({ checkpointList, ...detail }: RunDetail) {
  return {
    ...detail,
    checkpointList: checkpointList.map(({ times: _times, check: _check, ...info }) => info),
  };
}

/** Every frame of that type has another content, with all checksums right. */
async function withFrames(
  disk: SimulatedDisk,
  type: FrameType,
  content: string | Bytes,
  run?: string,
): Promise<SimulatedDisk> {
  const raw = typeof content === "string" ? new TextEncoder().encode(content) : content;
  const hash = await sha256(raw);
  for (const file of disk.files.values()) {
    const parts = [file.bytes.subarray(0, PACK_HEADER_BYTES)];
    for (const { offset, length, header } of scanFrames(file.bytes, PACK_HEADER_BYTES).frames) {
      const isMeant = header.type === type && (run === undefined || header.run === run);
      const other = { ...header, codec: 0, rawLength: raw.length, hash };
      parts.push(isMeant ? encodeFrame(other, raw) : file.bytes.subarray(offset, offset + length));
    }
    file.bytes = concat(parts);
  }
  return disk;
}

suite("a frame that nothing can be made of", () => {
  test("keeps no other run from coming back", async () => {
    const { disk } = await lived();
    const back = await opened(await withFrames(await disk.withCatalogOf(0), "run", "{}", FORK));
    expect(back.recovery.lost).toHaveLength(1);
    await back.manager.ready(RUN);
    expect(await back.manager.checkpoints(RUN)).toHaveLength(13);
  });

  test("is told of, and costs data alone", async () => {
    const { disk } = await lived();
    const back = await opened(await withFrames(await disk.withCatalogOf(0), "dataset", "{}"));
    expect(back.recovery.lost).toHaveLength(2);
    expect(back.recovery.runs.map(({ run }) => run)).toEqual([RUN, FORK]);
    await back.manager.ready(null);
  });

  test("promises no length that there is no memory for", async () => {
    const { disk, manager } = await lived();
    const { hash } = (await manager.detail(RUN)).record.data;
    const dataset = JSON.stringify({ bytes: 2 ** 50, frames: [], hash });
    const back = await opened(await withFrames(await disk.withCatalogOf(0), "dataset", dataset));
    expect(await codeOf(back.manager.getData(hash))).toBe("corrupt");
  });

  test("has no journal fill a gap that no run has", async () => {
    const { disk } = await lived();
    const rows = encodeJournal({ ...sampleRows(1, 1), from: 2 ** 40 });
    const far = await withFrames(await disk.withCatalogOf(0), "journal", rows, FORK);
    const back = await opened(far);
    expect(await codeOf(back.manager.ready(FORK))).toBe("corrupt");
    await back.manager.ready(RUN);
  });
});

suite("a catalogue that is gone", () => {
  test("comes back from the packs: runs, names, events, settings, journal, forks, every checkpoint", async () => {
    const { manager, disk } = await lived();
    const back = await opened(await disk.withCatalogOf(0));
    expect(back.recovery.lost).toEqual([]);
    expect(back.recovery.runs).toEqual([
      { run: RUN, name: "second try", listed: false, checkpoints: 13 },
      { run: FORK, name: "fork", listed: false, checkpoints: 2 },
    ]);
    for (const run of [RUN, FORK]) {
      expect(seen(await back.manager.detail(run))).toEqual(seen(await manager.detail(run)));
      expect(await back.manager.journal(run)).toEqual(await manager.journal(run));
    }
    for (let step = 0; step <= 12; step++)
      expect(await digestOf((await back.manager.read(RUN, step)).state)).toBe(
        await digestOf(sampleState(step)),
      );
    expect(await back.manager.getData((await sampleRecord()).data.hash)).toEqual(DATA);
  });

  test("and the run goes on: later saves, with the parent of the fork kept", async () => {
    const { disk } = await lived();
    const { manager } = await opened(await disk.withCatalogOf(0));
    const lease = await manager.acquire(RUN);
    for (let step = 13; step <= 60; step++)
      await manager.save(lease, sampleRequest(step, sampleRows(step, step)));
    const steps = (await manager.checkpoints(RUN)).map(({ step }) => step);
    expect(steps.slice(0, 3)).toEqual([0, 3, 41]);
    expect(await digestOf((await manager.read(RUN, 3)).state)).toBe(await digestOf(sampleState(3)));
    await manager.close();
    const again = await opened(await disk.withCatalogOf(0));
    expect((await again.manager.detail(RUN)).checkpoints).toBeGreaterThan(0);
  });

  test("twice lost is no worse than once", async () => {
    const { manager, disk } = await lived();
    const once = await opened(await disk.withCatalogOf(0));
    await once.manager.close();
    const twice = await opened(await once.disk.withCatalogOf(0));
    expect(seen(await twice.manager.detail(RUN))).toEqual(seen(await manager.detail(RUN)));
  });

  test("a run in the trash stays there", async () => {
    const { manager, disk } = await lived();
    await manager.remove(RUN);
    const back = await opened(await disk.withCatalogOf(0));
    expect((await back.manager.runs()).map(({ id }) => id)).toEqual([FORK]);
    await back.manager.undoRemove(RUN);
    expect((await back.manager.detail(RUN)).name).toBe("second try");
  });

  test("an imported run comes back as well", async () => {
    const { manager, parts } = await lived();
    const disk = new SimulatedDisk();
    const there = partsOn(disk);
    const other = new CheckpointManager(there);
    const run = await importRun(other, there, await exportRun(manager, parts, RUN));
    const back = await opened(await disk.withCatalogOf(0));
    expect(seen(await back.manager.detail(run))).toEqual(seen(await other.detail(run)));
    expect(await back.manager.journal(run)).toEqual(await manager.journal(run));
  });

  test("a writer from before is shut out", async () => {
    const { manager, lease, disk } = await begun();
    await manager.save(lease, sampleRequest(1, sampleRows(1, 1)));
    await manager.close();
    const back = await opened(await disk.withCatalogOf(0));
    expect(await codeOf(back.manager.save(lease, sampleRequest(2, sampleRows(2, 2))))).toBe("fenced");
  });

  test("with no room for it runs can be read and not written, nothing is thrown away, and who writes looks again", async () => {
    const { disk } = await lived();
    const older = await disk.withCatalogOf(disk.journal.length >> 1);
    const before = [...older.files.values()].map(({ bytes }) => bytes.length);
    const write = older.catalog.write.bind(older.catalog);
    older.catalog.write = () => Promise.reject(new HoldfastError("quota", "no room"));
    const full = new CheckpointManager(partsOn(older));
    expect((await full.recovered()).lost).toContain(`The run ${RUN}: no room`);
    await full.idle();
    expect([...older.files.values()].map(({ bytes }) => bytes.length)).toEqual(before);
    expect((await full.restore(RUN)).checkpoint.step).toBeGreaterThan(0);
    expect(await codeOf(full.acquire(RUN))).toBe("quota");
    older.catalog.write = write;
    expect(await full.acquire(RUN)).toMatchObject({ run: RUN });
    expect((await full.restore(RUN)).checkpoint.step).toBe(12);
    await full.close();
  });
});

suite("an older catalogue", () => {
  test("is brought up to date from the packs, whichever it is", async () => {
    const { manager, disk } = await lived();
    const detail = seen(await manager.detail(RUN));
    const journal = await manager.journal(RUN);
    for (let kept = 0; kept < disk.journal.length; kept++) {
      const back = await opened(await disk.withCatalogOf(kept));
      expect(back.recovery.lost, `of ${kept} transactions`).toEqual([]);
      expect(seen(await back.manager.detail(RUN)), `of ${kept} transactions`).toEqual(detail);
      expect(await back.manager.journal(RUN)).toEqual(journal);
    }
  });

  test("from before its packs were used again loses nothing, though they have the very same sizes", async () => {
    const { manager, lease, disk } = await begun();
    const starts: number[] = [];
    for (let step = 1; step <= 60; step++) {
      starts.push(disk.journal.length);
      await manager.save(lease, sampleRequest(step, sampleRows(step, step)));
      await manager.idle();
    }
    const newest = await digestOf(sampleState(60));
    await manager.close();
    const current = await disk.catalog.read((tx) => tx.all("packs"));
    const now = new Map((await disk.list()).map(({ name, size }) => [name, size]));
    let again = 0;
    for (const kept of starts) {
      const older = await disk.withCatalogOf(kept);
      await older.catalog.write("strict", async (tx) => {
        for (const row of await tx.all("packs")) {
          const isAgain = current.some(({ name, created }) => name === row.name && created !== row.created);
          if (!isAgain) continue;
          again++;
          await tx.put("packs", { ...row, size: now.get(row.name) ?? 0 });
        }
      });
      const back = await opened(older);
      const { checkpoint, skipped } = await back.manager.restore(RUN);
      expect([checkpoint.step, checkpoint.digest], `of ${kept} transactions`).toEqual([60, newest]);
      expect(skipped).toEqual([]);
      expect((await back.manager.journal(RUN)).loss).toHaveLength(60);
    }
    expect(again).toBeGreaterThan(0);
  });

  test("a run that was deleted for good does not come back", async () => {
    const { manager, disk } = await lived();
    for (const run of [RUN, FORK]) await manager.remove(run);
    // The crash: its rows are gone, its packs are not empty yet.
    disk.recycle = () => Promise.resolve(false);
    await manager.emptyTrash();
    const back = await opened(await disk.after("process death"));
    expect(await back.manager.runs()).toEqual([]);
    expect(await codeOf(back.manager.detail(RUN))).toBe("missing");
    expect(back.recovery.runs).toEqual([]);
  });

  test("what a fenced writer wrote and never committed does not come back", async () => {
    const { manager, lease, disk, locks } = await begun();
    await manager.save(lease, sampleRequest(1, sampleRows(1, 1)));
    await manager.idle();
    // It dies between its flush and its commit: a state of settings that the new writer has changed.
    const { write } = disk.catalog;
    disk.catalog.write = () => Promise.reject(new Error("the tab is frozen"));
    const stale = { ...sampleRequest(2, sampleRows(2, 2)), state: sampleState(2, 299) };
    await expect(manager.save(lease, stale)).rejects.toThrow("frozen");
    disk.catalog.write = write;
    const next = new CheckpointManager(partsOn(disk, locks));
    const newer = await next.acquire(RUN, { takeOver: true });
    await next.appendEvent(newer, 1, { kind: "changed", changes: { learningRate: 0.001 } });
    await next.close();
    for (const kept of [0, disk.journal.length]) {
      const back = await opened(await disk.withCatalogOf(kept));
      expect((await back.manager.checkpoints(RUN)).map(({ step }) => step)).toEqual([0, 1]);
      expect((await back.manager.detail(RUN)).events).toHaveLength(1);
    }
  });

  test("a run that another tab has is left to it, and so are its packs", async () => {
    const { disk } = await lived();
    const older = await disk.withCatalogOf(0);
    const locks = new MemoryLocks();
    const held = await locks.take(lockName(RUN));
    const before = [...older.files.values()].map(({ bytes }) => bytes.length);
    const beside = await opened(older, locks);
    expect(beside.recovery.runs.map(({ run }) => run)).toEqual([FORK]);
    expect([...older.files.values()].map(({ bytes }) => bytes.length)).toEqual(before);
    held?.release();
    const after = await opened(older, locks);
    expect(after.recovery.runs).toEqual([{ run: RUN, name: "second try", listed: false, checkpoints: 13 }]);
  });
});

suite("several tabs", () => {
  test("that open together on a lost catalogue bring everything back, once", async () => {
    const { manager, disk } = await lived();
    const older = await disk.withCatalogOf(0);
    const locks = new MemoryLocks();
    const tabs = await Promise.all([opened(older, locks), opened(older, locks), opened(older, locks)]);
    expect(tabs.flatMap(({ recovery }) => recovery.lost)).toEqual([]);
    expect(tabs.flatMap(({ recovery }) => recovery.runs)).toHaveLength(2);
    for (const { manager: tab } of tabs) {
      expect(seen(await tab.detail(RUN))).toEqual(seen(await manager.detail(RUN)));
      for (let step = 0; step <= 12; step++)
        expect((await tab.read(RUN, step)).state.scalars.step).toBe(step);
    }
  });

  test("an import of a run that is about to come back finds it there", async () => {
    const { manager, disk, parts } = await lived();
    const file = await exportRun(manager, parts, RUN);
    const back = partsOn(await disk.withCatalogOf(0));
    const other = new CheckpointManager(back);
    expect(await importRun(other, back, file)).toBe(RUN);
    expect(await other.runs()).toHaveLength(2);
    expect((await other.detail(RUN)).checkpoints).toBe(13);
  });

  test("a rename beside a save cuts nothing off the log", async () => {
    const { disk, locks } = await lived();
    const first = await opened(disk, locks);
    const second = await opened(disk, locks);
    const lease = await first.manager.acquire(RUN);
    const open = disk.open.bind(disk);
    disk.open = async (name) => {
      // Between the look at the rows and the handle: the other tab commits, and lets go.
      disk.open = open;
      await first.manager.save(lease, sampleRequest(13, sampleRows(13, 13)));
      await first.manager.release(lease);
      return open(name);
    };
    await second.manager.rename(RUN, "third try");
    const back = await opened(await disk.withCatalogOf(0));
    expect((await back.manager.journal(RUN)).loss).toEqual(sampleRows(1, 13).loss);
    expect((await back.manager.detail(RUN)).name).toBe("third try");
  });
});

suite("packs that are gone", () => {
  test("the newest whole checkpoint is used, and what is lost is named", async () => {
    const { manager, disk } = await lived();
    const { packs } = (await disk.catalog.read((tx) => tx.at("checkpoints", RUN, 12)))!;
    for (const name of packs) disk.files.delete(name);
    const back = await opened(await disk.after("process death"));
    expect(back.recovery.lost).toHaveLength(4);
    expect(back.recovery.lost[0]).toMatch(/^"second try", step 9: no pack/);
    const { checkpoint, skipped } = await back.manager.restore(RUN);
    expect(checkpoint.step).toBe(8);
    expect(skipped).toHaveLength(4);
    expect((await manager.checkpoints(RUN)).filter(({ check }) => check === "damaged")).toHaveLength(0);
    const checks = (await back.manager.checkpoints(RUN)).map(({ check }) => check);
    expect(checks.filter((check) => check === "damaged")).toHaveLength(4);
  });

  test("without its log a run comes back from its checkpoints, and lost rows are no numbers", async () => {
    const { disk } = await lived();
    const { log } = (await disk.catalog.read((tx) => tx.get("runs", RUN)))!;
    disk.files.delete(log!);
    const { manager } = await opened(await disk.withCatalogOf(0));
    const detail = await manager.detail(RUN);
    expect(detail.checkpoints).toBe(13);
    expect(detail.record.optimizer).toEqual((await sampleRecord()).optimizer);
    expect((await manager.journal(RUN)).loss).toEqual(new Float32Array(12).fill(NaN));
    const lease = await manager.acquire(RUN);
    expect((await manager.save(lease, sampleRequest(13, sampleRows(13, 13)))).step).toBe(13);
  });

  test("a copy of the data that is gone is named, and written again with the next run", async () => {
    const { disk } = await lived();
    const { hash } = (await sampleRecord()).data;
    const row = async () => (await disk.catalog.read((tx) => tx.get("data", hash)))!;
    disk.files.delete((await row()).copies[0]![0]!.pack);
    const { manager, recovery } = await opened(disk);
    expect(recovery.lost).toEqual([`A copy of the data ${hash.slice(0, 12)}… is gone; 1 left.`]);
    expect(await manager.getData(hash)).toEqual(DATA);
    expect((await opened(disk)).recovery.lost).toEqual([]);
    await manager.putData(DATA);
    expect((await row()).copies).toHaveLength(2);
  });

  test.each(["a save", "an event", "a rename"])(
    "a log that is gone is begun anew by %s, with the whole journal, all events and the record",
    async (first) => {
      const { disk } = await lived();
      const { log } = (await disk.catalog.read((tx) => tx.get("runs", RUN)))!;
      disk.files.delete(log!);
      const { manager, recovery } = await opened(disk);
      expect(recovery.lost).toHaveLength(1);
      const lease = await manager.acquire(RUN);
      const before = await manager.detail(RUN);
      const name = first === "a rename" ? "fourth try" : before.name;
      if (first === "a rename") await manager.rename(RUN, name);
      await manager.mark(RUN, 4, { pinned: true });
      await manager.describe(RUN, { tags: ["demo"], note: "a note" });
      if (first === "an event") await manager.appendEvent(lease, 12, { kind: "stopped" }, "stopped");
      await manager.save(lease, sampleRequest(13, sampleRows(13, 13)));
      const { events } = await manager.detail(RUN);
      await manager.close();
      const back = await opened(await disk.withCatalogOf(0));
      expect(await back.manager.journal(RUN)).toEqual(sampleRows(1, 13));
      const after = await back.manager.detail(RUN);
      expect(after.events).toEqual(events);
      expect(after.record).toEqual({ ...before.record, name });
      expect(after).toMatchObject({ tags: ["demo"], note: "a note", marks: [{ step: 4, pinned: true }] });
      expect(after.status).toBe(first === "an event" ? "stopped" : before.status);
    },
  );
});

suite("a gap in the journal", () => {
  test("ends what an older catalogue is brought up to: nothing could be computed again over it", async () => {
    const { manager, lease, disk } = await begun();
    await manager.save(lease, sampleRequest(3, sampleRows(1, 3)));
    const mark = disk.journal.length;
    await manager.save(lease, sampleRequest(4, sampleRows(4, 4)));
    const end = async () => {
      const { log } = (await disk.catalog.read((tx) => tx.get("runs", RUN)))!;
      return { log: log!, size: (await disk.sizeOf(log!))! };
    };
    const before = await end();
    await manager.save(lease, sampleRequest(5, sampleRows(5, 5)));
    await manager.save(lease, sampleRequest(6, sampleRows(6, 6)));
    await manager.close();
    const bytes = disk.files.get(before.log)!.bytes;
    // The row of step 5.
    bytes[before.size + 100] = bytes[before.size + 100]! ^ 1;
    const back = await opened(await disk.withCatalogOf(mark));
    const detail = await back.manager.detail(RUN);
    expect(detail.step).toBe(4);
    expect(detail.checkpointList.map(({ step }) => step)).toEqual([0, 3, 4]);
    expect((await back.manager.journal(RUN)).loss).toEqual(sampleRows(1, 4).loss);
  });
});

suite("the log", () => {
  test("goes on in one pack, however often the run is opened", async () => {
    const { disk } = await lived();
    const logs = async () => {
      const { log } = (await disk.catalog.read((tx) => tx.get("runs", RUN)))!;
      return log;
    };
    const first = await logs();
    for (let step = 13; step < 18; step++) {
      const { manager } = await opened(disk);
      const lease = await manager.acquire(RUN);
      await manager.save(lease, sampleRequest(step, sampleRows(step, step)));
      await manager.close();
    }
    expect(await logs()).toBe(first);
    const back = await opened(await disk.withCatalogOf(0));
    expect((await back.manager.journal(RUN)).loss).toEqual(sampleRows(1, 17).loss);
  });

  test("takes more steps than one frame holds", async () => {
    const { manager, lease, disk } = await begun();
    const last = 2 ** 18 + 5;
    await manager.save(lease, sampleRequest(last, sampleRows(1, last)));
    await manager.close();
    const back = await opened(await disk.withCatalogOf(0));
    expect(back.recovery.lost).toEqual([]);
    expect(await back.manager.journal(RUN)).toEqual(sampleRows(1, last));
  });

  test("has the rows between checkpoints that came without one", async () => {
    const { manager, lease, disk } = await begun();
    await manager.appendJournal(lease, sampleRows(1, 3));
    await manager.appendJournal(lease, sampleRows(4, 5));
    await manager.save(lease, sampleRequest(6, sampleRows(6, 6)));
    await manager.appendJournal(lease, sampleRows(7, 8));
    await manager.close();
    const back = await opened(await disk.withCatalogOf(0));
    expect(await back.manager.journal(RUN)).toEqual(sampleRows(1, 6));
  });
});
