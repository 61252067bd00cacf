import { expect, suite, test } from "vitest";
import { openStore, StorageService } from "../../src/worker/storage";
import type { KeepRule } from "../../src/format/run";
import { codeOf, DATA, sampleRecord, sampleRequest, sampleRows, sampleState } from "../support/run-samples";
import { SimulatedDisk } from "../support/simulated-disk";
import { partsOn } from "../support/store-parts";

function refusing(name: string) {
  const storage = {
    getDirectory: () => Promise.reject(new DOMException("private window", name)),
    estimate: () => Promise.reject(new Error("no estimate")),
    persisted: () => Promise.resolve(false),
  } as unknown as StorageManager;
  return storage;
}

async function inMemory() {
  const storage = refusing("SecurityError");
  const opened = await openStore({ storage, locks: {} as LockManager });
  return new StorageService(opened, storage);
}

suite("where nothing can be stored", () => {
  test("the store is in memory, and says why", async () => {
    const status = await (await inMemory()).status();
    expect(status).toMatchObject({ mode: "memory", persisted: false, usage: null, quota: null });
    expect(status.reason).toMatch(/private/i);
  });

  test("no locks, no disk: two tabs could not be told apart", async () => {
    const { reason } = await openStore({ storage: refusing("SecurityError"), locks: undefined });
    expect(reason).toMatch(/two tabs/);
  });

  test("everything works there, for as long as the page lives", async () => {
    const service = await inMemory();
    await service.putData(DATA);
    const record = await sampleRecord();
    const { lease } = await service.createRun(record, sampleRequest(0));
    await service.save(lease, sampleRequest(2, sampleRows(1, 2)));
    const comparison = await service.compare([
      { run: record.id, step: 0 },
      { run: record.id, step: 2 },
    ]);
    const [first] = comparison.sides;
    expect(first).toMatchObject({ step: 0, samples: 0, runName: "sample", task: "spirals" });
    expect(first?.environment).toMatchObject({ backend: record.environment.backend });
    expect(first?.settings).toMatchObject({
      batchSize: 8,
      learningRate: 0.01,
      schedule: "cosine",
      seed: 7,
    });
    const weights = comparison.tensors.find(({ name }) => name === "param/weights");
    expect(weights?.sides[0]?.relative).toBe(0);
    expect(weights?.sides[1]?.relative).toBeGreaterThan(0);
    expect((await service.status()).perRun[record.id]).toBeGreaterThan(0);
    const whole = { runs: [{ run: record.id, steps: null }], isCompact: false, hasData: true, to: null };
    const { file } = await service.exportBundle(whole, {});
    await service.release(lease);
    await service.remove(record.id);
    await service.emptyTrash();
    const [imported] = await service.importBundle(file, {});
    expect(imported).toEqual({ run: record.id, how: "new", hasData: true });
    const copy = record.id;
    expect((await service.state(copy, 2)).scalars.step).toBe(2);
    expect((await service.exportCheckpoint({ run: copy, step: 2 }, null, {})).size).toBeGreaterThan(1200);
    expect(await codeOf(service.state(copy, 1))).toBe("missing");
  });
});

/** A run saved so often into a site with a quota, and the most bytes that lay there after a save. */
async function filled({ quota, looks }: { readonly quota: number; readonly looks: boolean }) {
  const disk = new SimulatedDisk();
  const { clock, ...others } = partsOn(disk);
  let elapsed = 0;
  const parts = { ...others, clock: { ...clock, elapsed: () => (elapsed += 10_000) } };
  const used = () => [...disk.files.values()].reduce((sum, { bytes }) => sum + bytes.length, 0);
  const estimate = () => Promise.resolve(looks ? { usage: used(), quota } : {});
  const service = new StorageService({ parts, reason: "", spool: null }, { estimate });
  await service.putData(DATA);
  const keep: readonly KeepRule[] = [
    { kind: "latest", count: 2 },
    { kind: "spaced", density: 64 },
  ];
  const record = await sampleRecord({ policy: { save: { kind: "never" }, draw: false, keep } });
  const { lease } = await service.createRun(record, sampleRequest(0));
  await service.mark(record.id, 7, { pinned: true });
  let most = 0;
  for (let step = 1; step <= 60; step++) {
    const request = { ...sampleRequest(step, sampleRows(step, step)), state: sampleState(step, 5000) };
    await service.save(lease, request);
    await service.idle();
    most = Math.max(most, used());
  }
  return { service, record, most };
}

suite("a site whose storage fills up", () => {
  const quota = 700_000;

  test("thins out what only density keeps before it is full, and says so", async () => {
    const { service, record, most } = await filled({ quota, looks: true });
    expect(most).toBeLessThan(quota);
    expect((await service.status()).thinned).toBeGreaterThan(10);
    const steps = (await service.checkpoints(record.id)).map(({ step }) => step);
    expect(steps).toEqual(expect.arrayContaining([0, 7, 59, 60]));
    for (const step of steps) expect((await service.state(record.id, step)).scalars.step).toBe(step);
  });

  test("control: unlooked at, it fills up", async () => {
    const { service, most } = await filled({ quota, looks: false });
    expect(most).toBeGreaterThan(quota);
    expect((await service.status()).thinned).toBe(0);
  });
});
