import { expect, suite, test } from "vitest";
import { exportRun, importRun } from "../support/bundles";
import { CheckpointManager } from "../../src/checkpoint/manager";
import type { Policy } from "../../src/format/run";
import { digestOf } from "../../src/format/digest";
import { SimulatedDisk } from "../support/simulated-disk";
import { begun, partsOn, RUN } from "../support/store-parts";
import { codeOf, DATA, sampleRecord, sampleRequest, sampleRows, sampleState } from "../support/run-samples";

/** Of a run without rules. */
const NEWEST = 20;

suite("checkpoints", () => {
  test("a state comes back bit for bit", async () => {
    const { manager, lease } = await begun();
    const info = await manager.save(lease, sampleRequest(3, sampleRows(1, 3)));
    expect(info.digest).toBe(await digestOf(sampleState(3)));
    const { state, checkpoint, skipped, environment } = await manager.restore(RUN);
    expect(await digestOf(state)).toBe(info.digest);
    expect(state.tensors).toHaveLength(sampleState(3).tensors.length);
    expect(checkpoint).toMatchObject({
      step: 3,
      loss: 3.5,
      reason: "policy",
      rawBytes: 300 * 4 + 12 + 4 + 2,
    });
    expect(checkpoint.storedBytes).toBeGreaterThan(0);
    expect(environment.backend).toBe("cpu");
    expect(skipped).toEqual([]);
  });

  test("another process finds what was saved", async () => {
    const { manager, lease, disk } = await begun();
    await manager.save(lease, sampleRequest(3, sampleRows(1, 3)));
    const next = new CheckpointManager(partsOn(await disk.after("power loss")));
    expect(await digestOf((await next.restore(RUN)).state)).toBe(await digestOf(sampleState(3)));
    expect((await next.journal(RUN)).loss).toHaveLength(3);
    expect(await next.getData((await sampleRecord()).data.hash)).toEqual(DATA);
  });

  test("restore finds the newest at or below a step", async () => {
    const { manager, lease } = await begun();
    await manager.save(lease, sampleRequest(2, sampleRows(1, 2)));
    await manager.save(lease, sampleRequest(6, sampleRows(3, 6)));
    expect((await manager.restore(RUN, 5)).checkpoint.step).toBe(2);
    expect((await manager.restore(RUN, 1)).checkpoint.step).toBe(0);
    expect((await manager.restore(RUN)).checkpoint.step).toBe(6);
    expect((await manager.read(RUN, 2)).state.scalars.step).toBe(2);
    expect(await codeOf(manager.read(RUN, 3))).toBe("missing");
    expect(await codeOf(manager.restore("r9"))).toBe("missing");
  });

  test("a tensor of several chunks comes back whole", async () => {
    const { manager, lease } = await begun();
    const state = sampleState(1, 2_200_000);
    await manager.save(lease, { ...sampleRequest(1, sampleRows(1, 1)), state });
    expect(await digestOf((await manager.restore(RUN)).state)).toBe(await digestOf(state));
  });

  test("no checkpoint is ahead of its journal", async () => {
    const { manager, lease } = await begun();
    expect(await codeOf(manager.save(lease, sampleRequest(3)))).toBe("invalid");
    expect(await codeOf(manager.save(lease, sampleRequest(3, sampleRows(1, 2))))).toBe("invalid");
    expect(await codeOf(manager.save(lease, sampleRequest(3, sampleRows(2, 3))))).toBe("invalid");
    expect((await manager.restore(RUN)).checkpoint.step).toBe(0);
    expect((await manager.journal(RUN)).loss).toHaveLength(0);
    await manager.appendJournal(lease, sampleRows(1, 3));
    expect((await manager.save(lease, sampleRequest(3))).step).toBe(3);
  });

  test("saves that are asked at once are all kept, in order", async () => {
    const { manager, lease } = await begun();
    const saves = [1, 2, 3, 4].map((step) => manager.save(lease, sampleRequest(step, sampleRows(1, step))));
    expect((await Promise.all(saves)).map(({ step }) => step)).toEqual([1, 2, 3, 4]);
    for (const step of [1, 2, 3, 4]) {
      expect(await digestOf((await manager.read(RUN, step)).state)).toBe(await digestOf(sampleState(step)));
    }
  });

  test("a run keeps its first checkpoint, its newest and the parents of forks, and gives the rest back", async () => {
    const { manager, lease, disk } = await begun();
    await manager.save(lease, sampleRequest(1, sampleRows(1, 1)));
    const fork = await sampleRecord({ id: "r2", parent: { run: RUN, step: 1 }, firstStep: 1 });
    await manager.createRun(fork, sampleRequest(1, null, "fork"));
    const total = NEWEST * 3;
    for (let step = 2; step <= total; step++)
      await manager.save(lease, sampleRequest(step, sampleRows(step, step)));
    await manager.idle();
    const steps = (await manager.checkpoints(RUN)).map(({ step }) => step);
    expect(steps).toEqual([0, 1, ...Array.from({ length: NEWEST }, (_, at) => total - NEWEST + 1 + at)]);
    for (const step of steps) expect((await manager.read(RUN, step)).state.scalars.step).toBe(step);
    const inUse = [...disk.files.values()].filter(({ bytes }) => bytes.length > 0);
    // 22 checkpoints at 8 to a pack, the first by itself; the data, twice; the fork; a log for each run.
    expect(inUse.length).toBeLessThanOrEqual(10);
    const listed = (await manager.runs()).find(({ id }) => id === RUN);
    expect(listed?.checkpoints).toBe(steps.length);
  });

  test("the same step saved again replaces itself", async () => {
    const { manager, lease } = await begun();
    await manager.save(lease, sampleRequest(1, sampleRows(1, 1)));
    await manager.save(lease, sampleRequest(1, sampleRows(1, 1), "pause"));
    const [, second, ...rest] = await manager.checkpoints(RUN);
    expect(second?.reason).toBe("pause");
    expect(rest).toEqual([]);
  });

  test("what a save is given wrong is named", async () => {
    const { manager, lease } = await begun();
    const request = sampleRequest(1, sampleRows(1, 1));
    expect(await codeOf(manager.save(lease, { ...request, metrics: { loss: NaN } }))).toBe("invalid");
    const [weights, ...others] = request.state.tensors;
    const short = { ...weights!, shape: [299] };
    expect(
      await codeOf(
        manager.save(lease, { ...request, state: { ...request.state, tensors: [short, ...others] } }),
      ),
    ).toBe("invalid");
    expect((await manager.checkpoints(RUN)).map(({ step }) => step)).toEqual([0]);
    expect((await manager.save(lease, request)).step).toBe(1);
  });
});

suite("runs", () => {
  test("a run needs its data, and its own first state", async () => {
    const manager = new CheckpointManager(partsOn(new SimulatedDisk()));
    const record = await sampleRecord();
    expect(await codeOf(manager.createRun(record, sampleRequest(0)))).toBe("missing");
    await manager.putData(DATA);
    expect(await codeOf(manager.createRun(record, sampleRequest(1)))).toBe("invalid");
    const { checkpoint } = await manager.createRun(record, sampleRequest(0));
    expect(checkpoint.step).toBe(0);
    expect(await codeOf(manager.createRun(record, sampleRequest(0)))).toBe("invalid");
  });

  test("events are numbered, and set status and steps", async () => {
    const { manager, lease } = await begun();
    expect((await manager.appendEvent(lease, 0, { kind: "started" }, "running")).seq).toBe(0);
    expect((await manager.appendEvent(lease, 0, { kind: "extended", steps: 1500 })).seq).toBe(1);
    const detail = await manager.detail(RUN);
    expect(detail).toMatchObject({ status: "running", steps: 1500, step: 0 });
    expect(detail.events.map(({ kind }) => kind)).toEqual(["started", "extended"]);
  });

  test("a list line has step, loss, sparkline and size", async () => {
    const { manager, lease } = await begun();
    await manager.appendJournal(lease, sampleRows(1, 500));
    const [run] = await manager.runs();
    expect(run).toMatchObject({
      id: RUN,
      step: 500,
      steps: 1000,
      checkpoints: 1,
      status: "paused",
      name: "sample",
    });
    expect(run?.loss).toBe(new Float32Array(Uint32Array.of(0x3f000000 + 500).buffer)[0]);
    expect(run?.sparkline.length).toBeLessThanOrEqual(60);
    expect(run?.sparkline.length).toBeGreaterThan(30);
    expect(run?.bytes).toBeGreaterThan(0);
  });

  test("renaming is checked, and changes the name only", async () => {
    const { manager } = await begun();
    await manager.rename(RUN, "  better ");
    expect((await manager.detail(RUN)).record.name).toBe("better");
    expect(await codeOf(manager.rename(RUN, " "))).toBe("invalid");
    expect(await codeOf(manager.rename("r9", "x"))).toBe("missing");
  });

  test("removed is hidden, undone is back, emptied is gone and its space too", async () => {
    const { manager, lease, disk } = await begun();
    expect(await codeOf(manager.remove(RUN))).toBe("busy");
    await manager.release(lease);
    await manager.remove(RUN);
    expect(await manager.runs()).toEqual([]);
    expect(await codeOf(manager.restore(RUN))).toBe("missing");
    expect(await codeOf(manager.acquire(RUN))).toBe("missing");
    await manager.undoRemove(RUN);
    expect((await manager.restore(RUN)).checkpoint.step).toBe(0);
    await manager.remove(RUN);
    await manager.emptyTrash();
    expect(await codeOf(manager.undoRemove(RUN))).toBe("missing");
    const packs = [...disk.files.values()].filter(({ bytes }) => bytes.length > 0);
    // The data's grace is not over: a run on it may be about to begin.
    expect(packs).toHaveLength(2);
  });
});

suite("a parent of forks", () => {
  /** A run of twelve saves, one forked from it at step 6, and one from that at step 8; the first two are deleted. */
  async function orphaned() {
    const { manager, lease, disk, locks } = await begun();
    for (let step = 1; step <= 12; step++)
      await manager.save(lease, sampleRequest(step, sampleRows(step, step)));
    const fork = async (id: string, run: string, step: number) => {
      const record = await sampleRecord({ id, parent: { run, step }, firstStep: step });
      return (await manager.createRun(record, sampleRequest(step, null, "fork"))).lease;
    };
    const child = await fork("r2", RUN, 6);
    await manager.save(child, sampleRequest(8, sampleRows(7, 8)));
    const grandchild = await fork("r3", "r2", 8);
    for (const one of [lease, child, grandchild]) await manager.release(one);
    await manager.remove(RUN);
    await manager.remove("r2");
    return { manager, disk, locks };
  }

  test("keeps what they need when it is deleted for good, and goes with the last of them", async () => {
    const { manager, disk } = await orphaned();
    await manager.emptyTrash();
    expect((await manager.runs()).map(({ id }) => id)).toEqual(["r3"]);
    expect(await manager.detail(RUN)).toMatchObject({ removed: true, step: 12 });
    expect((await manager.checkpoints(RUN)).map(({ step }) => step)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect((await manager.restore(RUN, 5)).checkpoint.step).toBe(5);
    expect((await manager.journal(RUN)).loss).toEqual(sampleRows(1, 12).loss);
    expect((await manager.read("r2", 8)).state.scalars.step).toBe(8);
    expect(await codeOf(manager.acquire(RUN))).toBe("missing");
    await manager.undoRemove("r2");
    expect((await manager.runs()).map(({ id }) => id).sort()).toEqual(["r2", "r3"]);
    for (const id of ["r2", "r3"]) await manager.remove(id);
    await manager.emptyTrash();
    expect(await codeOf(manager.detail(RUN))).toBe("missing");
    const packs = await disk.catalog.read((tx) => tx.all("packs"));
    expect(packs.filter(({ run }) => run !== null)).toEqual([]);
  });

  test("cannot be read any more once none of them lives, though the trash is not empty yet", async () => {
    const { manager } = await orphaned();
    expect((await manager.detail("r2")).removed).toBe(true);
    await manager.remove("r3");
    for (const id of [RUN, "r2", "r3"]) expect(await codeOf(manager.detail(id))).toBe("missing");
  });
});

suite("what a person puts on steps", () => {
  const PINNED = { pinned: true, tags: ["good"], note: "before the rate was changed" };
  const MARK = { step: 3, ...PINNED };

  test("keeps them, and goes with the run through the loss of its catalogue", async () => {
    const { manager, lease, disk } = await begun();
    await manager.save(lease, sampleRequest(3, sampleRows(1, 3)));
    await manager.mark(RUN, 3, PINNED);
    await manager.describe(RUN, { tags: ["demo"], note: "for the talk" });
    await manager.setPolicy(RUN, {
      save: { kind: "never" },
      draw: false,
      keep: [{ kind: "latest", count: 2 }],
    });
    for (let step = 4; step <= 30; step++)
      await manager.save(lease, sampleRequest(step, sampleRows(step, step)));
    expect((await manager.checkpoints(RUN)).map(({ step }) => step)).toEqual([0, 3, 29, 30]);
    await manager.close();
    const back = new CheckpointManager(partsOn(await disk.withCatalogOf(0)));
    await back.recovered();
    const detail = await back.detail(RUN);
    expect(detail).toMatchObject({ marks: [MARK], tags: ["demo"], note: "for the talk" });
    expect(detail.record.policy.keep).toEqual([{ kind: "latest", count: 2 }]);
    expect(detail.checkpointList.map(({ step }) => step)).toContain(3);
    await back.mark(RUN, 3, { pinned: false, tags: [], note: "" });
    expect((await back.detail(RUN)).marks).toEqual([]);
  });

  test("a pin on a step that no rule keeps comes back as well, and so does what a later policy kept", async () => {
    const { manager, lease, disk } = await begun();
    const sparse: Policy = { save: { kind: "never" }, draw: false, keep: [{ kind: "every", steps: 16 }] };
    await manager.setPolicy(RUN, sparse);
    await manager.mark(RUN, 7, PINNED);
    for (let step = 1; step <= 40; step++) {
      if (step === 20) await manager.setPolicy(RUN, { ...sparse, keep: [{ kind: "every", steps: 4 }] });
      await manager.save(lease, sampleRequest(step, sampleRows(step, step)));
    }
    const kept = (await manager.checkpoints(RUN)).map(({ step }) => step);
    expect(kept).toContain(7);
    await manager.close();
    const back = new CheckpointManager(partsOn(await disk.withCatalogOf(0)));
    expect((await back.recovered()).lost).toEqual([]);
    // A pack comes back as a whole, so others of it come back beside them, until the next save.
    expect((await back.checkpoints(RUN)).map(({ step }) => step)).toEqual(expect.arrayContaining(kept));
    expect((await back.read(RUN, 7)).state.scalars.step).toBe(7);
  });

  test("goes with the run into a file, and comes out of it with all that it keeps", async () => {
    const { manager, lease, parts } = await begun();
    await manager.mark(RUN, 3, PINNED);
    await manager.describe(RUN, { tags: ["demo"], note: "for the talk" });
    for (let step = 1; step <= 30; step++)
      await manager.save(lease, sampleRequest(step, sampleRows(step, step)));
    const file = await exportRun(manager, parts, RUN);
    const disk = new SimulatedDisk();
    const other = new CheckpointManager(partsOn(disk));
    const run = await importRun(other, partsOn(disk), file);
    const steps = (await manager.checkpoints(RUN)).map(({ step }) => step);
    expect(steps).toContain(3);
    expect((await other.checkpoints(run)).map(({ step }) => step)).toEqual(steps);
    const about = { marks: [MARK], tags: ["demo"], note: "for the talk" };
    expect(await other.detail(run)).toMatchObject(about);
    await other.close();
    const back = new CheckpointManager(partsOn(await disk.withCatalogOf(0)));
    await back.recovered();
    expect(await back.detail(run)).toMatchObject(about);
  });

  test("what was looked at lately is kept by the rule for that", async () => {
    const { manager, lease } = await begun();
    const keep = [{ kind: "used", seconds: 3600 }] as const;
    await manager.setPolicy(RUN, { save: { kind: "never" }, draw: false, keep });
    for (let step = 1; step <= 5; step++) {
      await manager.save(lease, sampleRequest(step, sampleRows(step, step)));
      if (step === 3) await manager.read(RUN, 3);
      await manager.idle();
    }
    expect((await manager.checkpoints(RUN)).map(({ step }) => step)).toEqual([0, 3, 5]);
  });

  test("is changed a part at a time, by whoever is first, and nothing of it is lost", async () => {
    const { manager, disk, locks } = await begun();
    const other = new CheckpointManager(partsOn(disk, locks));
    await Promise.all([
      manager.mark(RUN, 3, { pinned: true }),
      other.mark(RUN, 3, { tags: ["good"] }),
      manager.mark(RUN, 3, { note: PINNED.note }),
    ]);
    expect((await manager.detail(RUN)).marks).toEqual([MARK]);
  });

  test("is checked before it is written", async () => {
    const { manager } = await begun();
    expect(await codeOf(manager.mark(RUN, -1, PINNED))).toBe("invalid");
    expect(await codeOf(manager.mark(RUN, 3, { tags: ["x".repeat(41)] }))).toBe("invalid");
    expect(await codeOf(manager.describe(RUN, { note: "x".repeat(4001) }))).toBe("invalid");
    expect(await codeOf(manager.setPolicy(RUN, { save: { kind: "never" } } as never))).toBe("invalid");
    expect(await codeOf(manager.mark("r9", 3, PINNED))).toBe("missing");
  });

  test("a policy can be tried before it is set", async () => {
    const { manager, lease } = await begun();
    for (let step = 1; step <= 8; step++)
      await manager.save(lease, sampleRequest(step, sampleRows(step, step)));
    const policy: Policy = { save: { kind: "never" }, draw: false, keep: [{ kind: "every", steps: 4 }] };
    const before = await manager.detail(RUN);
    const preview = await manager.preview(RUN, policy);
    expect(preview.kept).toEqual([
      { step: 0, why: ["the first state", "one to every 4 steps"] },
      { step: 4, why: ["one to every 4 steps"] },
      { step: 8, why: ["the newest whole one", "one to every 4 steps"] },
    ]);
    expect(preview.gone).toEqual([1, 2, 3, 5, 6, 7]);
    expect([preview.longestNow, preview.longestThen]).toEqual([1, 4]);
    expect(await manager.detail(RUN)).toEqual(before);
    await manager.setPolicy(RUN, policy);
    expect((await manager.checkpoints(RUN)).map(({ step }) => step)).toEqual([0, 4, 8]);
    expect((await manager.detail(RUN)).checkpoints).toBe(3);
    for (const step of [0, 4, 8]) expect((await manager.read(RUN, step)).state.scalars.step).toBe(step);
  });

  test("what a preview says is freed is freed", async () => {
    const { manager, lease, disk } = await begun();
    for (let step = 1; step <= 40; step++)
      await manager.save(lease, sampleRequest(step, sampleRows(step, step)));
    const stored = () => [...disk.files.values()].reduce((sum, { bytes }) => sum + bytes.length, 0);
    const policy: Policy = { save: { kind: "never" }, draw: false, keep: [{ kind: "latest", count: 2 }] };
    const { freed, left } = await manager.preview(RUN, policy);
    expect(freed).toBeGreaterThan(0);
    await manager.release(lease);
    const before = stored();
    await manager.setPolicy(RUN, policy);
    // The edit itself has a frame in the log.
    expect(before - stored()).toBeGreaterThan(freed - 1000);
    const rest = await manager.preview(RUN, policy);
    expect([rest.freed, rest.left, rest.gone]).toEqual([0, left, []]);
  });

  test("another tab that has the run lets go of it with its next save", async () => {
    const { manager, lease, disk, locks } = await begun();
    for (let step = 1; step <= 8; step++)
      await manager.save(lease, sampleRequest(step, sampleRows(step, step)));
    const other = new CheckpointManager(partsOn(disk, locks));
    const keep = [{ kind: "latest", count: 1 }] as const;
    await other.setPolicy(RUN, { save: { kind: "never" }, draw: false, keep });
    expect(await other.checkpoints(RUN)).toHaveLength(9);
    await manager.save(lease, sampleRequest(9, sampleRows(9, 9)));
    expect((await other.checkpoints(RUN)).map(({ step }) => step)).toEqual([0, 9]);
  });
});

suite("closing", () => {
  test("lets go of runs, also of one that was only taken", async () => {
    const { manager, lease, disk, locks } = await begun();
    await manager.release(lease);
    await manager.acquire(RUN);
    await manager.close();
    const next = new CheckpointManager(partsOn(disk, locks));
    expect(await next.acquire(RUN)).toMatchObject({ run: RUN });
  });
});

suite("data", () => {
  test("the same bytes are stored once", async () => {
    const { manager, disk } = await begun();
    const before = disk.files.size;
    await manager.putData(DATA);
    expect(disk.files.size).toBe(before);
    expect(await codeOf(manager.getData("00".repeat(32)))).toBe("missing");
  });

  test("data that is damaged is refused, and mended by adding it again", async () => {
    const disk = new SimulatedDisk();
    const manager = new CheckpointManager(partsOn(disk));
    const hash = await manager.putData(DATA);
    for (const file of disk.files.values()) file.bytes[4096 + 110]! ^= 1;
    expect(await codeOf(manager.getData(hash))).toBe("corrupt");
    expect(await manager.putData(DATA)).toBe(hash);
    expect(await manager.getData(hash)).toEqual(DATA);
  });

  test("empty data is data", async () => {
    const { manager } = await begun();
    expect(await manager.getData(await manager.putData(new Uint8Array(0)))).toEqual(new Uint8Array(0));
  });
});
