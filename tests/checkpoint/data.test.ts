import { expect, suite, test } from "vitest";
import { CheckpointManager } from "../../src/checkpoint/manager";
import { HoldfastError } from "../../src/errors";
import { codeOf } from "../support/run-samples";
import { SimulatedDisk } from "../support/simulated-disk";
import { partsOn } from "../support/store-parts";

const TEXT = new TextEncoder().encode("It was the best of times, it was the worst of times. ".repeat(200));

async function stored() {
  const disk = new SimulatedDisk();
  const manager = new CheckpointManager(partsOn(disk));
  const hash = await manager.putData(TEXT);
  const copies = async () => (await disk.catalog.read((tx) => tx.get("data", hash)))?.copies ?? [];
  const flip = (pack: string | undefined) => (disk.files.get(pack ?? "")!.bytes[4096 + 120]! ^= 1);
  return { disk, manager, hash, copies, flip };
}

suite("data", () => {
  test("is kept twice, in different packs, and no more often", async () => {
    const { manager, hash, copies, disk } = await stored();
    const packs = (await copies()).map((frames) => frames.map(({ pack }) => pack));
    expect(packs.length).toBe(2);
    expect(new Set(packs.flat()).size).toBe(2);
    const files = disk.files.size;
    expect(await manager.putData(TEXT)).toBe(hash);
    expect((await copies()).length).toBe(2);
    expect(disk.files.size).toBe(files);
  });

  test("outlives the damage of either copy, and is whole again when it is given again", async () => {
    for (const which of [0, 1]) {
      const { manager, hash, copies, flip } = await stored();
      const before = await copies();
      flip(before[which]?.[0]?.pack);
      expect(await manager.getData(hash)).toEqual(TEXT);
      await manager.putData(TEXT);
      const after = await copies();
      expect(after.length).toBe(2);
      expect(after[0]).toEqual(before[1 - which]);
      expect(after[1]).not.toEqual(before[which]);
      flip(after[0]?.[0]?.pack);
      expect(await manager.getData(hash)).toEqual(TEXT);
    }
  });

  test("with both copies damaged is corrupt, and can be given again", async () => {
    const { manager, hash, copies, flip } = await stored();
    for (const frames of await copies()) flip(frames[0]?.pack);
    expect(await codeOf(manager.getData(hash))).toBe("corrupt");
    await manager.putData(TEXT);
    expect(await manager.getData(hash)).toEqual(TEXT);
    expect((await copies()).length).toBe(2);
  });

  test("is kept once where there is no room for a second copy, and not at all where there is none for the first", async () => {
    for (const room of [1, 0]) {
      const disk = new SimulatedDisk();
      const create = disk.create.bind(disk);
      let made = 0;
      disk.create = () => {
        if (made++ >= room) return Promise.reject(new HoldfastError("quota", "the disk is full"));
        return create();
      };
      const manager = new CheckpointManager(partsOn(disk));
      if (room === 0) {
        expect(await codeOf(manager.putData(TEXT))).toBe("quota");
        continue;
      }
      const hash = await manager.putData(TEXT);
      expect(await manager.getData(hash)).toEqual(TEXT);
      expect((await disk.catalog.read((tx) => tx.get("data", hash)))?.copies.length).toBe(1);
      disk.create = create;
      await manager.putData(TEXT);
      expect((await disk.catalog.read((tx) => tx.get("data", hash)))?.copies.length).toBe(2);
    }
  });

  test("outlives a copy that cannot be read at all", async () => {
    const { disk, manager, hash, copies } = await stored();
    const sick = (await copies())[0]?.[0]?.pack;
    const read = disk.read.bind(disk);
    disk.read = (name, offset, length) =>
      name === sick
        ? Promise.reject(new HoldfastError("refused", "a bad sector"))
        : read(name, offset, length);
    expect(await manager.getData(hash)).toEqual(TEXT);
    await manager.putData(TEXT);
    expect((await copies()).flat().some(({ pack }) => pack === sick)).toBe(false);
    expect(await manager.getData(hash)).toEqual(TEXT);
  });

  test("that is let go of while it is given again is written anew, and takes no pack from a run", async () => {
    const { disk, manager, hash, copies } = await stored();
    const before = (await copies()).flat().map(({ pack }) => pack);
    const write = disk.catalog.write.bind(disk.catalog);
    let stolen = false;
    // Between the reading back and the commit: the data is dropped, and its packs are a run's by now.
    disk.catalog.write = async (durability, work) => {
      if (!stolen) {
        stolen = true;
        await write("strict", async (tx) => {
          await tx.remove("data", hash);
          for (const name of before) await tx.put("packs", { name, run: "r1", size: 5000, created: 1 });
        });
        for (const name of before) disk.files.get(name)!.bytes = new Uint8Array(5000).fill(1);
      }
      return write(durability, work);
    };
    expect(await manager.putData(TEXT)).toBe(hash);
    expect(await manager.getData(hash)).toEqual(TEXT);
    for (const name of before)
      expect((await disk.catalog.read((tx) => tx.get("packs", name)))?.run).toBe("r1");
  });
});
