import { expect, suite, test } from "vitest";
import { importMirror } from "../../src/exchange/import-mirror";
import { CheckpointManager, type StoreParts } from "../../src/checkpoint/manager";
import { syncRun } from "../../src/exchange/mirror";
import { BundleSource } from "../../src/exchange/bundle-source";
import { folderFiles, readMirrored } from "../../src/exchange/mirror-folder";
import { Work } from "../../src/exchange/work";
import { digestOf } from "../../src/format/digest";
import type { Lease } from "../../src/format/stored";
import { Cut, MemoryFolder } from "../support/memory-folder";
import { codeOf, DATA, sampleRecord, sampleRequest, sampleRows, sampleState } from "../support/run-samples";
import { SimulatedDisk } from "../support/simulated-disk";
import { partsOn, RUN, trained } from "../support/store-parts";

interface Side {
  readonly manager: CheckpointManager;
  readonly parts: StoreParts;
}

const INDEX = `runs/${RUN}/bundle.json`;

/** As a look at the disk leaves a checkpoint that is not what was saved. */
function foundDamaged({ catalog }: StoreParts, step: number): Promise<void> {
  return catalog.write("strict", async (tx) => {
    const row = await tx.at("checkpoints", RUN, step);
    if (row === undefined) throw new Error("no row");
    const info = { ...row.info, check: "damaged" as const };
    await tx.put("checkpoints", { ...row, manifestHash: "0".repeat(64), info });
  });
}

async function goOn({ manager }: Pick<Side, "manager">, lease: Lease, from: number, to: number) {
  for (let step = from; step <= to; step += 2)
    await manager.save(lease, sampleRequest(step, sampleRows(step - 1, step)));
}

function elsewhere(): Side & { readonly disk: SimulatedDisk } {
  const disk = new SimulatedDisk();
  const parts = partsOn(disk);
  return { disk, parts, manager: new CheckpointManager(parts) };
}

function sync(
  { manager, parts }: Side,
  folder: MemoryFolder,
  options: { readonly all?: boolean; readonly archive?: boolean; readonly run?: string } = {},
) {
  const { all = false, archive = false, run = RUN } = options;
  return syncRun(manager, parts, folder, run, { all, archive, work: new Work({}, 0) });
}

/** Every byte of what the folder has of the run is what its index says. */
async function checkWhole(folder: MemoryFolder, run = RUN): Promise<readonly number[]> {
  const index = await readMirrored(folder, run);
  if (index === null) throw new Error("no index");
  await new BundleSource(folderFiles(folder, index), index).check(new Work({}, 0));
  return index.runs[0]?.checkpoints.map(({ step }) => step) ?? [];
}

suite("a run in a mirror", () => {
  test("it comes in elsewhere as the run it was, and goes on there into the same folder", async () => {
    const store = await trained();
    const folder = new MemoryFolder();
    expect(await sync(store, folder)).toMatchObject({
      run: { run: RUN, checkpoints: 3, step: 4, problem: null },
      written: 3,
      mended: 0,
    });
    expect(await checkWhole(folder)).toEqual([0, 2, 4]);
    const other = elsewhere();
    const { imported, damage } = await importMirror(other.manager, other.parts, folder);
    expect(imported).toEqual([{ run: RUN, how: "new", hasData: true }]);
    expect(damage).toEqual([]);
    const [before, after] = [await store.manager.detail(RUN), await other.manager.detail(RUN)];
    expect(after.record).toEqual(before.record);
    expect(after.events).toEqual(before.events);
    expect(await digestOf((await other.manager.restore(RUN)).state)).toBe(await digestOf(sampleState(4)));
    expect(await other.manager.getData(before.record.data.hash)).toEqual(DATA);
    await goOn(other, await other.manager.acquire(RUN), 6, 6);
    expect(await sync(other, folder)).toMatchObject({ run: { step: 6, problem: null }, written: 1 });
    // Now the folder has what the first one does not know.
    const there = folder.copy();
    expect(await codeOf(sync(store, folder))).toBe("invalid");
    expect(folder.files).toEqual(there.files);
  });

  test("only what it lacks is written, and nothing where it lacks nothing", async () => {
    const store = await trained();
    const folder = new MemoryFolder();
    await sync(store, folder);
    folder.changes = 0;
    expect(await sync(store, folder)).toMatchObject({ written: 0 });
    expect(await sync(store, folder, { all: true })).toMatchObject({ written: 0, mended: 0 });
    expect(folder.changes).toBe(0);
    await goOn(store, store.lease, 6, 6);
    expect(await sync(store, folder)).toMatchObject({ written: 1, run: { checkpoints: 4, step: 6 } });
    expect(await checkWhole(folder)).toEqual([0, 2, 4, 6]);
    expect(folder.named(/journal/)).toHaveLength(1);
  });

  test("wherever a sync is cut off, the folder has the run as it was or as it is, and the next one goes on", async () => {
    const store = await trained();
    const first = new MemoryFolder();
    await sync(store, first);
    await goOn(store, store.lease, 6, 8);
    await store.manager.describe(RUN, { note: "a note" });
    let cuts = 0;
    for (let at = 0; ; at += 1) {
      const folder = first.copy();
      folder.left = at;
      const isCut = await sync(store, folder).then(
        () => false,
        (error: unknown) => {
          if (error instanceof Cut) return true;
          throw error;
        },
      );
      const steps = await checkWhole(folder);
      expect([[0, 2, 4].join(), [0, 2, 4, 6, 8].join()]).toContain(steps.join());
      folder.left = Infinity;
      await sync(store, folder);
      expect(await checkWhole(folder)).toEqual([0, 2, 4, 6, 8]);
      // What the cut left behind is gone.
      expect(folder.named(/./)).toHaveLength(5 + 2 + 3);
      if (!isCut) break;
      cuts += 1;
    }
    // Two checkpoints, journal and index, each begun and put in place; then a journal to remove.
    expect(cuts).toBe(9);
  });

  test("what is damaged in the folder is found by reading it, named, and written anew", async () => {
    const store = await trained();
    const folder = new MemoryFolder();
    await sync(store, folder);
    const [file = ""] = folder.named(/\/2\.\w+\.safetensors$/);
    folder.damage(file);
    folder.files.delete(folder.named(/\/4\.\w+\.safetensors$/)[0] ?? "");
    folder.damage(folder.named(/^data\//)[0] ?? "");
    await expect(checkWhole(folder)).rejects.toThrow();
    // What is missing shows at once; a changed byte only to who reads it.
    expect(await sync(store, folder)).toMatchObject({ written: 1, mended: 1 });
    await expect(checkWhole(folder)).rejects.toThrow("fails its hash");
    expect(await sync(store, folder, { all: true })).toMatchObject({ written: 1, mended: 1 });
    expect(await checkWhole(folder)).toEqual([0, 2, 4]);
  });

  test("what is damaged in the store is had from the folder", async () => {
    const store = await trained();
    const { manager, parts, lease } = store;
    const folder = new MemoryFolder();
    await sync(store, folder);
    await foundDamaged(parts, 2);
    await expect(manager.read(RUN, 2)).rejects.toThrow("damaged");
    expect(await sync(store, folder)).toMatchObject({
      broughtBack: 1,
      run: { checkpoints: 3, problem: null },
    });
    const { state } = await manager.read(RUN, 2);
    expect(await digestOf(state)).toBe(await digestOf(sampleState(2)));
    // The trainer that has the run open was not shut out by it.
    await goOn(store, lease, 6, 6);
    const { audit } = await manager.health();
    expect(audit.entries).toContainEqual(
      expect.objectContaining({ what: "brought back", step: 2, why: "from the mirror" }),
    );
  });

  test("damaged on both sides, it is named, and the rest is in step", async () => {
    const store = await trained();
    const folder = new MemoryFolder();
    await sync(store, folder);
    folder.damage(folder.named(/\/2\.\w+\.safetensors$/)[0] ?? "");
    await foundDamaged(store.parts, 2);
    const { run } = await sync(store, folder, { all: true });
    expect(run.problem).toMatch(/^Step 2: .*damaged/);
    expect(await checkWhole(folder)).toEqual([0, 4]);
  });

  test("what the policy let go of goes from the folder; what the store has lost stays", async () => {
    const store = await trained();
    const { manager, lease, parts } = store;
    const folder = new MemoryFolder();
    await sync(store, folder);
    await parts.catalog.write("strict", (tx) => tx.removeAt("checkpoints", RUN, 2));
    await sync(store, folder);
    expect(await checkWhole(folder)).toEqual([0, 2, 4]);
    await manager.setPolicy(RUN, {
      save: { kind: "steps", every: 10 },
      draw: true,
      keep: [{ kind: "latest", count: 1 }],
    });
    await goOn(store, lease, 6, 6);
    await sync(store, folder);
    expect(await checkWhole(folder)).toEqual([0, 6]);
    expect(folder.named(/safetensors$/)).toHaveLength(2);
  });

  test("the archive alone: the first, and what a person holds on to", async () => {
    const store = await trained();
    const folder = new MemoryFolder();
    await store.manager.mark(RUN, 2, { pinned: true });
    await sync(store, folder, { archive: true });
    const steps = await checkWhole(folder);
    expect(steps).toEqual(expect.arrayContaining([0, 2]));
    await sync(store, folder);
    expect(await checkWhole(folder)).toEqual([0, 2, 4]);
  });

  test("a person's own files stay, the README too, and so does a checkpoint that nobody knows", async () => {
    const store = await trained();
    const folder = new MemoryFolder();
    const own = new TextEncoder().encode("my notes");
    folder.files.set("README.txt", own);
    folder.files.set(`runs/${RUN}/notes.txt`, own);
    const unknown = `runs/${RUN}/checkpoints/3.0123456789abcdef.safetensors`;
    folder.files.set(unknown, own);
    await sync(store, folder);
    await sync(store, folder, { all: true });
    expect(folder.files.get("README.txt")).toEqual(own);
    expect(folder.files.has(`runs/${RUN}/notes.txt`)).toBe(true);
    expect(folder.files.has(unknown)).toBe(true);
    const other = elsewhere();
    expect((await importMirror(other.manager, other.parts, folder)).damage).toEqual([]);
  });

  test.for(["damaged", "missing"] as const)(
    "with its index %s, what this store knows is indexed anew; another's work is not touched",
    async (how) => {
      const store = await trained();
      const folder = new MemoryFolder();
      await sync(store, folder);
      const other = elsewhere();
      await importMirror(other.manager, other.parts, folder);
      const spoil = (spoiled: MemoryFolder) => {
        if (how === "damaged") spoiled.damage(INDEX);
        else spoiled.files.delete(INDEX);
        return spoiled;
      };
      const own = spoil(folder.copy());
      expect(await sync(store, own)).toMatchObject({ run: { checkpoints: 3, problem: null } });
      expect(await checkWhole(own)).toEqual([0, 2, 4]);
      await goOn(other, await other.manager.acquire(RUN), 6, 20);
      await sync(other, folder);
      const there = spoil(folder).copy();
      expect(await codeOf(sync(store, folder))).toBe("invalid");
      expect(await codeOf(sync(store, folder))).toBe("invalid");
      expect(folder.files).toEqual(there.files);
      await sync(other, folder);
      expect(await checkWhole(folder)).toEqual([0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20]);
    },
  );

  test("the last copy of a checkpoint stays named while it cannot be found, and is there when it can", async () => {
    const store = await trained();
    const folder = new MemoryFolder();
    await sync(store, folder);
    await store.parts.catalog.write("strict", (tx) => tx.removeAt("checkpoints", RUN, 2));
    const [path = ""] = folder.named(/\/2\.\w+\.safetensors$/);
    const bytes = folder.files.get(path);
    folder.files.delete(path);
    for (let look = 0; look < 2; look += 1)
      expect((await sync(store, folder)).run.problem).toContain("Step 2 is not in the browser any more");
    if (bytes !== undefined) folder.files.set(path, bytes);
    expect((await sync(store, folder)).run.problem).toBeNull();
    expect(await checkWhole(folder)).toEqual([0, 2, 4]);
  });

  test("a mend that is cut off leaves no index that is wrong about it", async () => {
    const store = await trained();
    const first = new MemoryFolder();
    await sync(store, first);
    first.damage(first.named(/\/2\.\w+\.safetensors$/)[0] ?? "");
    for (let at = 0; at < 8; at += 1) {
      const folder = first.copy();
      folder.left = at;
      await sync(store, folder, { all: true }).catch((error: unknown) => {
        if (!(error instanceof Cut)) throw error;
      });
      folder.left = Infinity;
      const isAsBefore = folder.files.get(INDEX)?.length === first.files.get(INDEX)?.length;
      if (!isAsBefore) await checkWhole(folder);
      await sync(store, folder, { all: true });
      expect(await checkWhole(folder)).toEqual([0, 2, 4]);
    }
  });

  test("a file that cannot be read is written anew, and keeps nothing else from coming in", async () => {
    const store = await trained();
    const folder = new MemoryFolder();
    await sync(store, folder);
    const read = folder.read;
    const [path = ""] = folder.named(/\/2\.\w+\.safetensors$/);
    folder.read = async (asked) => {
      const blob = await read(asked);
      if (asked !== path || blob === null) return blob;
      const broken = new DOMException("bad sector", "NotReadableError");
      const slice = () =>
        Object.assign(new Blob(), {
          stream: () => {
            throw broken;
          },
          arrayBuffer: () => Promise.reject(broken),
        });
      return Object.defineProperty(Object.assign(new Blob(), { slice }), "size", { value: blob.size });
    };
    const other = elsewhere();
    const { damage } = await importMirror(other.manager, other.parts, folder);
    expect(damage).toEqual([expect.stringContaining("2.safetensors")]);
    expect((await other.manager.checkpoints(RUN)).map(({ step }) => step)).toEqual([0, 4]);
    expect(await sync(store, folder, { all: true })).toMatchObject({ written: 1, mended: 1 });
  });

  test("an index of a newer version is left alone", async () => {
    const store = await trained();
    const folder = new MemoryFolder();
    await sync(store, folder);
    const json = new TextDecoder().decode(folder.files.get(INDEX));
    folder.files.set(INDEX, new TextEncoder().encode(json.replace('"version":1', '"version":2')));
    const there = folder.copy();
    expect(await codeOf(sync(store, folder))).toBe("unsupported");
    expect(folder.files).toEqual(there.files);
  });
});

suite("coming in from a mirror", () => {
  test("forks come with what they were forked from", async () => {
    const store = await trained();
    const fork = await sampleRecord({ id: "r2", name: "fork", parent: { run: RUN, step: 2 }, firstStep: 2 });
    await store.manager.createRun(fork, sampleRequest(2, null, "fork"));
    const folder = new MemoryFolder();
    await sync(store, folder);
    await sync(store, folder, { run: "r2" });
    const other = elsewhere();
    const { imported } = await importMirror(other.manager, other.parts, folder);
    expect(imported.map(({ run }) => run).sort()).toEqual([RUN, "r2"]);
    expect((await other.manager.detail("r2")).parent).toEqual({ run: RUN, step: 2 });
    const again = await importMirror(other.manager, other.parts, folder);
    expect(again.imported.map(({ how }) => how)).toEqual(["present", "present"]);
  });

  test("a damaged checkpoint stays out and is named; a run without its journal does as a whole", async () => {
    const store = await trained();
    const folder = new MemoryFolder();
    await sync(store, folder);
    folder.damage(folder.named(/\/4\.\w+\.safetensors$/)[0] ?? "");
    const other = elsewhere();
    const { damage } = await importMirror(other.manager, other.parts, folder);
    expect(damage).toEqual([expect.stringContaining("/4.safetensors")]);
    expect((await other.manager.checkpoints(RUN)).map(({ step }) => step)).toEqual([0, 2]);
    folder.files.delete(folder.named(/journal/)[0] ?? "");
    const third = elsewhere();
    expect(await codeOf(importMirror(third.manager, third.parts, folder))).toBe("corrupt");
    expect(await third.manager.runs()).toEqual([]);
  });

  test("what one run's index says of data that others share keeps none of them out", async () => {
    const store = await trained();
    const second = await sampleRecord({ id: "r2", name: "second" });
    await store.manager.createRun(second, sampleRequest(0, null, "start"));
    const folder = new MemoryFolder();
    await sync(store, folder);
    await sync(store, folder, { run: "r2" });
    const path = "runs/r2/bundle.json";
    const json = new TextDecoder().decode(folder.files.get(path));
    const bytes = `"bytes":${DATA.length}`;
    expect(json).toContain(bytes);
    folder.files.set(path, new TextEncoder().encode(json.replaceAll(bytes, `"bytes":${DATA.length + 1}`)));
    const other = elsewhere();
    const { imported, damage } = await importMirror(other.manager, other.parts, folder);
    expect(imported.map(({ run }) => run)).toEqual([RUN]);
    expect(damage.join(" ")).toContain("runs/r2");
  });

  test("a folder without runs says so", async () => {
    const { manager, parts } = elsewhere();
    expect(await codeOf(importMirror(manager, parts, new MemoryFolder()))).toBe("missing");
  });
});
