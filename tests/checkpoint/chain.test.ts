import { expect, suite, test } from "vitest";
import { HoldfastError } from "../../src/errors";
import { digestOf } from "../../src/format/digest";
import type { Manifest } from "../../src/format/manifest";
import { commitCheckpoint } from "../../src/store/commit";
import { codeOf, sampleRequest, sampleRows } from "../support/run-samples";
import { saved, trained } from "../support/chain-rig";
import { begun, RUN } from "../support/store-parts";

function packsOf({ chunks }: Manifest): ReadonlySet<string> {
  return new Set(chunks.flatMap(({ pack, base }) => (base === null ? [pack] : [pack, base.pack])));
}

suite("after a save", () => {
  test("the checkpoint is read back, and then it is verified", async () => {
    const { manager, lease } = await begun();
    const told = await manager.save(lease, { ...sampleRequest(1, sampleRows(1, 1)), state: trained(1) });
    expect(told.check).toBe("saved");
    await manager.idle();
    const checks = (await manager.checkpoints(RUN)).map(({ check }) => check);
    expect(checks).toEqual(["verified", "verified"]);
  });

  test("one that the disk did not keep is found at once, and nothing leans on it", async () => {
    const store = await begun();
    const { manager, lease, disk } = store;
    const save = (step: number) =>
      manager.save(lease, { ...sampleRequest(step, sampleRows(step, step)), state: trained(step) });
    await save(1);
    await save(2);
    await manager.idle();
    const sizeOf = disk.sizeOf.bind(disk);
    // Between the flush and the commit, as a device would that says it has written and has not.
    disk.sizeOf = (name) => {
      const bytes = disk.files.get(name)?.bytes;
      if (bytes !== undefined) bytes[bytes.length - 20]! ^= 1;
      return sizeOf(name);
    };
    await save(3);
    disk.sizeOf = sizeOf;
    await manager.idle();
    const checks = (await manager.checkpoints(RUN)).map(({ step, check }) => [step, check]);
    expect(checks).toEqual([
      [0, "verified"],
      [1, "verified"],
      [2, "verified"],
      [3, "damaged"],
    ]);
    await save(4);
    await manager.idle();
    expect((await manager.read(RUN, 4)).manifest.chain).toBe(0);
    expect((await manager.restore(RUN)).checkpoint).toMatchObject({ step: 4, check: "verified" });
  });
});

suite("a chain of checkpoints", () => {
  test("begins with a keyframe in a pack of its own every eighth time, and each is whole", async () => {
    const { manager, manifestOf, rowOf } = await saved(18);
    const chains: number[] = [];
    const keyframePacks: string[] = [];
    for (let step = 1; step <= 18; step++) {
      const manifest = await manifestOf(step);
      chains.push(manifest.chain);
      const { checkpoint, state } = await manager.restore(RUN, step);
      expect(checkpoint.step).toBe(step);
      expect(await digestOf(state)).toBe(await digestOf(trained(step)));
      if (manifest.chain > 0) continue;
      expect(manifest.chunks.every(({ base }) => base === null)).toBe(true);
      expect([...packsOf(manifest)]).toEqual((await rowOf(step))?.packs);
      keyframePacks.push(...packsOf(manifest));
    }
    expect(chains).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7, 0, 1]);
    expect(new Set(keyframePacks).size).toBe(3);
  });

  test("leans on the keyframe: small differences, and no second copy of what did not change", async () => {
    const { manifestOf, rowOf } = await saved(5);
    const keyframe = await manifestOf(1);
    const fifth = await manifestOf(5);
    const [weights, frozen] = fifth.chunks;
    expect(weights?.base).toEqual(sourceOf(keyframe.chunks[0]!));
    expect(frozen).toEqual(keyframe.chunks[1]);
    const [first, later] = [await rowOf(1), await rowOf(5)];
    expect(later!.info.storedBytes).toBeLessThan(0.5 * first!.info.storedBytes);
    expect(later!.packs).toEqual(first!.packs);
  });

  test("a damaged keyframe costs those that lean on it, and no other; what follows is whole again", async () => {
    const { manager, manifestOf, flip, save } = await saved(10);
    flip((await manifestOf(9)).chunks[0]!);
    const { checkpoint, skipped, state } = await manager.restore(RUN);
    expect(checkpoint.step).toBe(8);
    expect(skipped.map(({ step, code }) => [step, code])).toEqual([
      [10, "corrupt"],
      [9, "corrupt"],
    ]);
    expect(await digestOf(state)).toBe(await digestOf(trained(8)));

    await save(11);
    const eleventh = await manifestOf(11);
    expect(eleventh.chunks[0]?.base).toBeNull();
    expect(await digestOf((await manager.restore(RUN)).state)).toBe(await digestOf(trained(11)));
    await save(12);
    expect((await manifestOf(12)).chunks[0]?.base).toEqual(sourceOf(eleventh.chunks[0]!));
    expect((await manager.restore(RUN)).checkpoint.step).toBe(12);
  });

  test("a keyframe that cannot be read does not keep a state from being saved, whole", async () => {
    const { manager, disk, manifestOf, rowOf, save } = await saved(3);
    const sick = (await rowOf(1))!.packs[0]!;
    const read = disk.read.bind(disk);
    disk.read = (name, offset, length) =>
      name === sick
        ? Promise.reject(new HoldfastError("refused", "a bad sector"))
        : read(name, offset, length);
    const info = await save(4);
    disk.read = read;
    expect((await manifestOf(4)).chunks.every(({ base }) => base === null)).toBe(true);
    expect((await manager.restore(RUN)).checkpoint).toMatchObject({ step: 4, digest: info.digest });
  });

  test("a restore goes on to an older checkpoint where a newer one cannot be read", async () => {
    const { manager, disk, rowOf } = await saved(9);
    const sick = (await rowOf(9))!.packs[0]!;
    const read = disk.read.bind(disk);
    disk.read = (name, offset, length) =>
      name === sick
        ? Promise.reject(new HoldfastError("refused", "a bad sector"))
        : read(name, offset, length);
    const { checkpoint, skipped } = await manager.restore(RUN);
    expect(checkpoint.step).toBe(8);
    expect(skipped).toMatchObject([{ step: 9, code: "refused" }]);
  });

  test("a damaged difference costs one checkpoint", async () => {
    const { manager, manifestOf, flip } = await saved(6);
    flip((await manifestOf(4)).chunks[0]!);
    expect(await codeOf(manager.read(RUN, 4))).toBe("corrupt");
    for (const step of [1, 2, 3, 5, 6])
      expect(await digestOf((await manager.read(RUN, step)).state)).toBe(await digestOf(trained(step)));
  });

  test("keeps the keyframe's frames when the keyframe itself is no longer kept", async () => {
    // The newest 20 are kept, so those of the first chain go one by one, its keyframe first.
    const { manager, rowOf, disk } = await saved(22);
    expect(await rowOf(1)).toBeUndefined();
    expect(await rowOf(2)).toBeUndefined();
    const third = await rowOf(3);
    expect(await digestOf((await manager.read(RUN, 3)).state)).toBe(await digestOf(trained(3)));
    expect(disk.files.get(third!.packs[0]!)!.bytes.length).toBeGreaterThan(0);
  });

  test("and lets go of them with the last that leans on them", async () => {
    const { rowOf, save, manager, disk } = await saved(20);
    const { packs } = (await rowOf(1))!;
    for (let step = 21; step <= 28; step++) await save(step);
    await manager.idle();
    expect(await rowOf(8)).toBeUndefined();
    expect(await rowOf(9)).toBeDefined();
    expect(disk.files.get(packs[0]!)!.bytes.length).toBe(0);
  });

  test("a commit that leans on a pack that is not kept any more is refused", async () => {
    const { disk, lease, rowOf } = await saved(3);
    const row = (await rowOf(3))!;
    const commit = (leansOn: readonly string[]) =>
      disk.catalog.write("strict", (tx) =>
        commitCheckpoint(
          tx,
          lease,
          { row, rows: null, nextFrame: 99, leansOn, packs: [], log: null, logged: 3 },
          () => [],
        ),
      );
    expect(await codeOf(commit(row.packs))).toBe("no error");
    expect(await codeOf(commit(["p-gone"]))).toBe("orphaned");
  });

  test("a state of another shape leans on nothing", async () => {
    const { manager, lease, manifestOf } = await saved(2);
    const state = trained(3);
    const grown = {
      ...state,
      tensors: [...state.tensors, ...sampleRequest(3, null).state.tensors.slice(1, 2)],
    };
    await manager.save(lease, { ...sampleRequest(3, sampleRows(3, 3)), state: grown });
    const manifest = await manifestOf(3);
    expect(manifest.chain).toBe(0);
    expect(manifest.chunks.every(({ base }) => base === null)).toBe(true);
  });
});

function sourceOf({ base, ...own }: Manifest["chunks"][number]) {
  return base ?? own;
}
