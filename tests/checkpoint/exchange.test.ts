import { expect, suite, test } from "vitest";
import { readRunFile } from "../../src/format/run-file";
import { readSafetensors } from "../../src/format/safetensors";
import { parseManifest } from "../../src/format/manifest";
import { digestOf } from "../../src/format/digest";
import { bytesOf } from "../../src/format/bytes";
import { exportCheckpoint, exportRun, importRun } from "../../src/checkpoint/exchange";
import { CheckpointManager } from "../../src/checkpoint/manager";
import { SimulatedDisk } from "../support/simulated-disk";
import { codeOf, DATA, sampleRequest, sampleRows, sampleState } from "../support/run-samples";
import { begun, partsOn, RUN } from "../support/store-parts";

async function trained() {
  const store = await begun();
  const { manager, lease } = store;
  await manager.appendEvent(lease, 0, { kind: "started" }, "running");
  await manager.save(lease, sampleRequest(2, sampleRows(1, 2)));
  await manager.appendEvent(lease, 2, { kind: "changed", changes: { learningRate: 0.5 } });
  await manager.save(lease, sampleRequest(4, sampleRows(3, 4)));
  await manager.appendJournal(lease, sampleRows(5, 7));
  await manager.appendEvent(lease, 7, { kind: "extended", steps: 1200 });
  return store;
}

function elsewhere() {
  const parts = partsOn(new SimulatedDisk());
  return { parts, manager: new CheckpointManager(parts) };
}

suite("a run as one file", () => {
  test("it comes in elsewhere as the run it was", async () => {
    const { manager, parts } = await trained();
    const other = elsewhere();
    expect(await importRun(other.manager, other.parts, await exportRun(manager, parts, RUN))).toBe(RUN);
    const [before, after] = [await manager.detail(RUN), await other.manager.detail(RUN)];
    expect(after.record).toEqual(before.record);
    expect(after.events).toEqual(before.events);
    expect(after).toMatchObject({
      step: 7,
      steps: 1200,
      loss: before.loss,
      sparkline: before.sparkline,
      status: "paused",
    });
    expect(
      after.checkpointList.map(({ step, digest, time, metrics }) => ({ step, digest, time, metrics })),
    ).toEqual(
      before.checkpointList.map(({ step, digest, time, metrics }) => ({ step, digest, time, metrics })),
    );
    for (const step of [0, 2, 4]) {
      expect(await digestOf((await other.manager.read(RUN, step)).state)).toBe(
        await digestOf(sampleState(step)),
      );
    }
    expect(bytesOf((await other.manager.journal(RUN)).loss)).toEqual(bytesOf(sampleRows(1, 7).loss));
    expect(await other.manager.getData(before.record.data.hash)).toEqual(DATA);
  });

  test("it goes on there", async () => {
    const { manager, parts } = await trained();
    const other = elsewhere();
    await importRun(other.manager, other.parts, await exportRun(manager, parts, RUN));
    const lease = await other.manager.acquire(RUN);
    expect((await other.manager.appendEvent(lease, 7, { kind: "started" }, "running")).seq).toBe(3);
    await other.manager.save(lease, sampleRequest(9, sampleRows(8, 9)));
    expect((await other.manager.restore(RUN)).checkpoint.step).toBe(9);
  });

  test("where there is a run of its id it becomes a copy, with the same numbers", async () => {
    const { manager, parts } = await trained();
    const copy = await importRun(manager, parts, await exportRun(manager, parts, RUN));
    expect(copy).toMatch(/^r[a-z0-9]{16}$/);
    expect((await manager.detail(copy)).name).toBe("sample (copy)");
    expect((await manager.restore(copy)).checkpoint.digest).toBe(
      (await manager.restore(RUN)).checkpoint.digest,
    );
    await exportRun(manager, parts, copy);
  });

  test("a damaged file leaves no trace", async () => {
    const { manager, parts } = await trained();
    const whole = new Uint8Array(await (await exportRun(manager, parts, RUN)).arrayBuffer());
    for (const at of [600, whole.length >> 1, whole.length - 100]) {
      const other = elsewhere();
      const bytes = whole.slice();
      bytes[at]! ^= 1;
      expect(await codeOf(importRun(other.manager, other.parts, new Blob([bytes])))).toBe("corrupt");
      expect(await other.manager.runs()).toEqual([]);
      expect(await other.parts.packs.list()).toEqual([]);
    }
    const other = elsewhere();
    expect(await codeOf(importRun(other.manager, other.parts, new Blob([whole.slice(0, -9)])))).toBe(
      "corrupt",
    );
    expect(await other.manager.runs()).toEqual([]);
  });

  test("the whole checkpoints of a damaged run can still be taken out", async () => {
    const { manager, parts, disk } = await trained();
    const row = await disk.catalog.read((tx) => tx.at("checkpoints", RUN, 4));
    disk.files.get(row!.commit.pack)!.bytes[row!.commit.offset + 120]! ^= 1;
    const file = await exportRun(manager, parts, RUN);
    const { checkpoints } = await readRunFile(new Uint8Array(await file.arrayBuffer()));
    expect(checkpoints.map(({ manifest }) => manifest.step)).toEqual([0, 2]);
  });
});

suite("a checkpoint as safetensors", () => {
  test("its tensors and its manifest can be read back", async () => {
    const { manager } = await trained();
    const blob = await exportCheckpoint(manager, RUN, 4);
    const { tensors, metadata } = readSafetensors(new Uint8Array(await blob.arrayBuffer()));
    const state = sampleState(4);
    expect(new Set(tensors.map(({ name }) => name))).toEqual(new Set(state.tensors.map(({ name }) => name)));
    for (const tensor of state.tensors) {
      const found = tensors.find(({ name }) => name === tensor.name);
      expect(bytesOf(found!.values)).toEqual(bytesOf(tensor.values));
    }
    const manifest = parseManifest(new TextEncoder().encode(metadata["holdfast"]));
    expect(manifest).toMatchObject({ step: 4, record: { id: RUN }, counters: { t: 4 } });
    expect(manifest.configs.map(({ from, optimizer }) => [from, optimizer.learningRate])).toEqual([
      [0, 0.01],
      [2, 0.5],
    ]);
    expect(await codeOf(exportCheckpoint(manager, RUN, 3))).toBe("missing");
  });
});
