import { expect, suite, test } from "vitest";
import { openStore, StorageService } from "../../src/worker/storage";
import { codeOf, DATA, sampleRecord, sampleRequest, sampleRows } from "../support/run-samples";

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
    const comparison = await service.compare({ run: record.id, step: 0 }, { run: record.id, step: 2 });
    expect(comparison.a).toMatchObject({ step: 0, runName: "sample", task: "spirals" });
    expect(comparison.a.settings).toMatchObject({
      batchSize: 8,
      learningRate: 0.01,
      schedule: "cosine",
      seed: 7,
    });
    expect(comparison.tensors.find(({ name }) => name === "param/weights")?.relative).toBeGreaterThan(0);
    expect((await service.status()).perRun[record.id]).toBeGreaterThan(0);
    const copy = await service.importRun(await service.exportRun(record.id));
    expect((await service.state(copy, 2)).scalars.step).toBe(2);
    expect((await service.exportCheckpoint(copy, 2)).size).toBeGreaterThan(1200);
    expect(await codeOf(service.state(copy, 1))).toBe("missing");
  });
});
