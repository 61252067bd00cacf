import { expect, suite, test } from "vitest";
import { readSafetensors } from "../../src/format/safetensors";
import { digestOf } from "../../src/format/digest";
import { bytesOf, sha256 } from "../../src/format/bytes";
import { BundleSource } from "../../src/exchange/bundle-source";
import { importBundle } from "../../src/exchange/import";
import { HoldfastError } from "../../src/errors";
import { localHeader, zipEnd } from "../../src/format/zip";
import { CheckpointManager } from "../../src/checkpoint/manager";
import { SimulatedDisk } from "../support/simulated-disk";
import { exportRun, importRun, exportRuns, exportState } from "../support/bundles";
import { codeOf, DATA, sampleRecord, sampleRequest, sampleRows, sampleState } from "../support/run-samples";
import { begun, partsOn, RUN, trained } from "../support/store-parts";

/** A run with losses after its newest checkpoint, and more steps asked for. */
async function prolonged() {
  const store = await trained();
  const { manager, lease } = store;
  await manager.appendJournal(lease, sampleRows(5, 7));
  await manager.appendEvent(lease, 7, { kind: "extended", steps: 1200 });
  return store;
}

/** The same, and a fork of it at step 2. */
async function forked() {
  const store = await prolonged();
  const fork = await sampleRecord({ id: "r2", name: "fork", parent: { run: RUN, step: 2 }, firstStep: 2 });
  await store.manager.createRun(fork, sampleRequest(2, null, "fork"));
  return store;
}

function elsewhere() {
  return partsAlone(new SimulatedDisk());
}

function partsAlone(disk: SimulatedDisk) {
  const parts = partsOn(disk);
  return { disk, parts, manager: new CheckpointManager(parts) };
}

async function bytesOfFile(file: Blob) {
  return new Uint8Array(await file.arrayBuffer());
}

suite("a run as a bundle", () => {
  test("an archive of something else is told so, and is not called damaged", async () => {
    const entry = { name: "photo.png", bytes: 0, crc: 0 };
    const ours = new Blob([localHeader(entry), zipEnd([entry])]);
    const compressed = new Uint8Array(await ours.arrayBuffer());
    // The method in the central directory: deflated.
    compressed[localHeader(entry).length + 10] = 8;
    for (const archive of [ours, new Blob([compressed])])
      await expect(BundleSource.open(archive)).rejects.toThrow(/no Holdfast bundle/i);
  });

  test("it comes in elsewhere as the run it was", async () => {
    const { manager, parts } = await prolonged();
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
    const { manager, parts } = await prolonged();
    const other = elsewhere();
    await importRun(other.manager, other.parts, await exportRun(manager, parts, RUN));
    const lease = await other.manager.acquire(RUN);
    expect((await other.manager.appendEvent(lease, 7, { kind: "started" }, "running")).seq).toBe(3);
    await other.manager.save(lease, sampleRequest(9, sampleRows(8, 9)));
    expect((await other.manager.restore(RUN)).checkpoint.step).toBe(9);
  });

  test("where another run has its id it becomes a copy, with the same numbers", async () => {
    const { manager, parts } = await prolonged();
    const other = await begun();
    const file = await exportRun(manager, parts, RUN);
    const [copy] = await importBundle(other.manager, other.parts, file);
    const run = copy!.run;
    expect(copy).toMatchObject({ how: "copy" });
    expect(copy).not.toHaveProperty("trashed");
    expect(run).toMatch(/^r[a-z0-9]{16}$/);
    expect(run).not.toBe(RUN);
    expect((await other.manager.detail(run)).name).toBe("sample (copy)");
    expect((await other.manager.restore(run)).checkpoint.digest).toBe(
      (await manager.restore(RUN)).checkpoint.digest,
    );
    expect(await other.manager.checkpoints(RUN)).toHaveLength(1);
  });

  test("it is noted from which file it came, and as a copy of which run", async () => {
    const { manager, parts } = await prolonged();
    const file = new File([await exportRun(manager, parts, RUN)], "mine.holdfast");
    const why = async (there: ReturnType<typeof elsewhere>) => {
      const [{ run } = { run: "" }] = await importBundle(there.manager, there.parts, file);
      const { entries } = await there.manager.trail.read(run);
      return entries.flatMap((entry) => (entry.what === "imported" ? [entry.why] : []));
    };
    expect(await why(elsewhere())).toEqual(["from “mine.holdfast”"]);
    expect(await why(await begun())).toEqual([`from “mine.holdfast” as a copy of ${RUN}`]);
  });

  test("that is here already is left as it is, also after it went on; one in the trash is not here", async () => {
    const { manager, parts, lease } = await prolonged();
    const file = await exportRun(manager, parts, RUN);
    await manager.save(lease, sampleRequest(9, sampleRows(8, 9)));
    expect(await importBundle(manager, parts, file)).toEqual([{ run: RUN, how: "present", hasData: true }]);
    expect(await manager.runs()).toHaveLength(1);
    await manager.release(lease);
    await manager.remove(RUN);
    expect(await importBundle(manager, parts, file)).toMatchObject([{ how: "copy", trashed: RUN }]);
  });

  test("exports again to the same bytes", async () => {
    const { manager, parts, lease } = await prolonged();
    const metrics = { val_loss: 0.5, accuracy: 0.25 };
    await manager.appendEvent(lease, 7, { kind: "evaluated", metrics });
    await manager.rename(RUN, "renamed since");
    await manager.mark(RUN, 2, { pinned: true, tags: ["a"], note: "b" });
    await manager.describe(RUN, { tags: ["c"], note: "d" });
    const file = await exportRun(manager, parts, RUN);
    const other = elsewhere();
    await importRun(other.manager, other.parts, file);
    const again = await exportRun(other.manager, other.parts, RUN);
    expect(await bytesOfFile(again)).toEqual(await bytesOfFile(file));
    expect(await importBundle(manager, parts, file)).toEqual([{ run: RUN, how: "present", hasData: true }]);
  });

  test("that began with a file says so there too, and needs a reader that knows it", async () => {
    const from = { name: "weights.safetensors", bytes: 7, hash: "ab".repeat(32) };
    const store = elsewhere();
    await store.manager.putData(DATA);
    await store.manager.createRun(await sampleRecord({ from }), sampleRequest(0, null, "start"));
    const bundle = await exportRun(store.manager, store.parts, RUN);
    const text = new TextDecoder("latin1").decode(await bytesOfFile(bundle));
    expect(text).toContain('"requires":["started-from-file"]');
    const other = elsewhere();
    await importRun(other.manager, other.parts, bundle);
    expect((await other.manager.detail(RUN)).record.from).toEqual(from);
    expect(await bytesOfFile(await exportRun(other.manager, other.parts, RUN))).toEqual(
      await bytesOfFile(bundle),
    );
  });

  test("comes in with its forks, whose parent it stays under another id too", async () => {
    const { manager, parts } = await forked();
    const file = await exportRuns(manager, parts, [RUN, "r2"]);
    const fresh = elsewhere();
    expect(await importBundle(fresh.manager, fresh.parts, file)).toEqual([
      { run: RUN, how: "new", hasData: true },
      { run: "r2", how: "new", hasData: true },
    ]);
    const taken = await begun();
    const [parent, child] = await importBundle(taken.manager, taken.parts, file);
    expect([parent?.how, child]).toEqual(["copy", { run: "r2", how: "new", hasData: true }]);
    expect((await taken.manager.detail("r2")).parent).toEqual({ run: parent?.run, step: 2 });
    expect((await taken.manager.read("r2", 2)).state.scalars.step).toBe(2);
  });

  test("a step that a fork begins with stays marked, whichever comes in first", async () => {
    const { manager, parts } = await forked();
    const other = elsewhere();
    await importBundle(other.manager, other.parts, await exportRuns(manager, parts, ["r2", RUN]));
    const rows = await other.parts.catalog.read((tx) => tx.of("checkpoints", RUN));
    expect(rows.map(({ step, forked }) => [step, forked])).toEqual([
      [0, false],
      [2, true],
      [4, false],
    ]);
  });

  test("with a journal of a hundred thousand steps comes in, losses and all", async () => {
    const { manager, parts, lease } = await prolonged();
    await manager.appendJournal(lease, sampleRows(8, 100_000));
    const file = await exportRun(manager, parts, RUN);
    const other = elsewhere();
    await importRun(other.manager, other.parts, file);
    const { loss } = await other.manager.journal(RUN);
    expect(await sha256(bytesOf(loss))).toEqual(await sha256(bytesOf((await manager.journal(RUN)).loss)));
    // More than is read at once, several times.
    expect(file.size).toBeGreaterThan(2e6);
  });

  test("of which one run cannot be written leaves none, and no data", async () => {
    const { manager, parts } = await forked();
    const file = await exportRuns(manager, parts, [RUN, "r2"]);
    const other = elsewhere();
    const write = other.parts.catalog.write.bind(other.parts.catalog);
    let commits = 0;
    other.parts.catalog.write = (durability, work) =>
      write(durability, async (tx) => {
        const result = await work(tx);
        if ((await tx.get("runs", "r2")) !== undefined && ++commits === 1)
          throw new HoldfastError("quota", "no room");
        return result;
      });
    expect(await codeOf(importBundle(other.manager, other.parts, file))).toBe("quota");
    expect(await other.manager.runs()).toEqual([]);
    expect(await other.parts.catalog.read((tx) => tx.all("data"))).toEqual([]);
    expect(await other.parts.catalog.read((tx) => tx.all("packs"))).toEqual([]);
    expect(await importBundle(other.manager, other.parts, file)).toMatchObject([
      { how: "new", hasData: true },
      { how: "new", hasData: true },
    ]);
  });

  test("that is taken away while it is read is named", async () => {
    const gone = new Blob([new Uint8Array(100)]);
    gone.slice = () => {
      throw new DOMException("gone", "NotReadableError");
    };
    const other = elsewhere();
    expect(await codeOf(importBundle(other.manager, other.parts, gone))).toBe("missing");
  });

  test("with an event of a step that it has no losses of is what it was before, here and from its packs", async () => {
    const { manager, parts, lease } = await prolonged();
    await manager.appendEvent(lease, 9, { kind: "finished" }, "finished");
    const other = elsewhere();
    await importRun(other.manager, other.parts, await exportRun(manager, parts, RUN));
    expect((await other.manager.detail(RUN)).status).toBe("paused");
    const { parts: alone, manager: found } = partsAlone(await other.disk.withCatalogOf(0));
    await found.recovered();
    expect((await found.detail(RUN)).status).toBe("paused");
    expect(await bytesOfFile(await exportRun(found, alone, RUN))).toEqual(
      await bytesOfFile(await exportRun(other.manager, other.parts, RUN)),
    );
  });

  test("as a copy with the longest of names comes back from its packs", async () => {
    const name = `${"x".repeat(504)}${"\u{1f600}".repeat(4)}`;
    const other = elsewhere();
    let copy = "";
    for (const kind of ["started", "finished"] as const) {
      const { manager, parts, lease } = await begun(undefined, undefined, undefined, { name });
      await manager.appendEvent(lease, 0, { kind });
      copy = await importRun(other.manager, other.parts, await exportRun(manager, parts, RUN));
    }
    const { manager: found } = partsAlone(await other.disk.withCatalogOf(0));
    expect((await found.recovered()).lost).toEqual([]);
    expect((await found.detail(copy)).name).toBe(`${"x".repeat(504)} (copy)`);
  });

  test("a damaged file leaves no trace", async () => {
    const { manager, parts } = await prolonged();
    const whole = await bytesOfFile(await exportRun(manager, parts, RUN));
    // All of it, in strides that meet every bit of a byte and every kind of file in it.
    for (let at = 0; at < whole.length; at += 97) {
      const other = elsewhere();
      const bytes = whole.slice();
      bytes[at]! ^= 1 << (at % 8);
      expect(await codeOf(importRun(other.manager, other.parts, new Blob([bytes])))).toBe("corrupt");
      expect(await other.manager.runs()).toEqual([]);
      expect(await other.parts.packs.list()).toEqual([]);
    }
    for (let length = 0; length < whole.length; length += 501) {
      const other = elsewhere();
      const cut = new Blob([whole.slice(0, length)]);
      expect(await codeOf(importRun(other.manager, other.parts, cut))).toBe("corrupt");
      expect(await other.parts.packs.list()).toEqual([]);
    }
  });

  test("the whole checkpoints of a damaged run can still be taken out", async () => {
    const { manager, parts, disk } = await prolonged();
    const row = await disk.catalog.read((tx) => tx.at("checkpoints", RUN, 4));
    disk.files.get(row!.commit.pack)!.bytes[row!.commit.offset + 120]! ^= 1;
    const file = await exportRun(manager, parts, RUN);
    const [run] = (await BundleSource.open(file)).runs;
    expect(run?.checkpoints.map(({ step }) => step)).toEqual([0, 2]);
  });
});

suite("a checkpoint as safetensors", () => {
  test("its tensors can be read back, and what else a resume needs", async () => {
    const { manager, parts } = await prolonged();
    const blob = await exportState(manager, parts, RUN, 4);
    const { tensors, metadata } = readSafetensors(new Uint8Array(await blob.arrayBuffer()));
    const state = sampleState(4);
    expect(new Set(tensors.map(({ name }) => name))).toEqual(new Set(state.tensors.map(({ name }) => name)));
    for (const tensor of state.tensors) {
      const found = tensors.find(({ name }) => name === tensor.name);
      expect(bytesOf(found!.values)).toEqual(bytesOf(tensor.values));
    }
    expect(JSON.parse(metadata["holdfast"] ?? "")).toMatchObject({
      step: 4,
      record: { id: RUN },
      counters: { t: 4 },
      configs: [
        { from: 0, optimizer: { learningRate: 0.01 } },
        { from: 2, optimizer: { learningRate: 0.5 } },
      ],
    });
    expect(await codeOf(exportState(manager, parts, RUN, 3))).toBe("missing");
  });
});
