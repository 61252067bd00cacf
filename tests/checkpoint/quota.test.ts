import { expect, suite, test } from "vitest";
import { CheckpointManager, type StoreParts } from "../../src/checkpoint/manager";
import { HoldfastError } from "../../src/errors";
import { digestOf } from "../../src/format/digest";
import { brokenPacks } from "../support/sabotage";
import { codeOf, sampleRequest, sampleRows, sampleState } from "../support/run-samples";
import { SimulatedDisk } from "../support/simulated-disk";
import { begun, partsOn, RUN } from "../support/store-parts";

interface Room {
  /** May so many bytes be appended to a pack of that size? Asked for every append. */
  allows: (size: number, bytes: number) => boolean;
}

function withRoom(parts: StoreParts, room: Room): StoreParts {
  return brokenPacks(parts, {
    create: async () => {
      const pack = await parts.packs.create();
      return {
        name: pack.name,
        get size() {
          return pack.size;
        },
        append: (bytes) =>
          room.allows(pack.size, bytes.length)
            ? pack.append(bytes)
            : Promise.reject(new HoldfastError("quota", "no room")),
        cut: (size) => pack.cut(size),
        flush: () => pack.flush(),
        close: () => pack.close(),
      };
    },
  });
}

async function limited() {
  const disk = new SimulatedDisk();
  const room: Room = { allows: () => true };
  const store = await begun(disk, undefined, withRoom(partsOn(disk), room));
  await store.manager.save(store.lease, sampleRequest(1, sampleRows(1, 1)));
  await store.manager.idle();
  return { ...store, room };
}

function sizes(disk: SimulatedDisk): number[] {
  return [...disk.files.values()].map(({ bytes }) => bytes.length).filter((size) => size > 0);
}

suite("a full disk", () => {
  test("what a grown pack is refused goes into a small new one", async () => {
    const { manager, lease, room, disk } = await limited();
    const before = sizes(disk).length;
    const full = Math.max(...sizes(disk));
    room.allows = (size) => size < full;
    await manager.save(lease, sampleRequest(2, sampleRows(2, 2)));
    expect(sizes(disk).length).toBeGreaterThan(before);
    expect(await digestOf((await manager.restore(RUN)).state)).toBe(await digestOf(sampleState(2)));
    expect((await manager.read(RUN, 1)).state.scalars.step).toBe(1);
  });

  test("a save that finds no room fails as quota and leaves everything as it was", async () => {
    const { manager, lease, room, disk } = await limited();
    const before = sizes(disk);
    room.allows = () => false;
    expect(await codeOf(manager.save(lease, sampleRequest(2, sampleRows(2, 2))))).toBe("quota");
    expect(sizes(disk)).toEqual(before);
    expect((await manager.restore(RUN)).checkpoint.step).toBe(1);
    expect((await manager.journal(RUN)).loss).toHaveLength(1);
    room.allows = () => true;
    expect((await manager.save(lease, sampleRequest(2, sampleRows(2, 2)))).step).toBe(2);
  });

  test.each([["once"], ["for good"]])(
    "refused %s at every append, nothing is lost and no byte stays behind",
    async (how) => {
      let finished = false;
      for (let budget = 0; !finished; budget++) {
        const { manager, lease, room, disk } = await limited();
        const before = sizes(disk).reduce((sum, size) => sum + size, 0);
        let appends = 0;
        room.allows = () => {
          appends++;
          return how === "once" ? appends !== budget + 1 : appends <= budget;
        };
        const code = await codeOf(manager.save(lease, sampleRequest(2, sampleRows(2, 2))));
        const { checkpoint, state, skipped } = await manager.restore(RUN);
        expect(["no error", "quota"]).toContain(code);
        expect(skipped).toEqual([]);
        expect(checkpoint.step).toBe(code === "quota" ? 1 : 2);
        expect(await digestOf(state)).toBe(await digestOf(sampleState(checkpoint.step)));
        if (code === "quota") expect(sizes(disk).reduce((sum, size) => sum + size, 0)).toBe(before);
        finished = appends <= budget;
      }
    },
  );

  test("a commit that is refused is quota, and what was written for it is cut off again", async () => {
    const { manager, lease, disk } = await begun();
    await manager.idle();
    const before = sizes(disk);
    const { write } = disk.catalog;
    disk.catalog.write = () => Promise.reject(new HoldfastError("quota", "no room for the rows"));
    expect(await codeOf(manager.save(lease, sampleRequest(1, sampleRows(1, 1))))).toBe("quota");
    disk.catalog.write = write;
    expect(sizes(disk)).toEqual(before);
    expect((await manager.restore(RUN)).checkpoint.step).toBe(0);
  });

  test("a commit whose end nobody knows leaves its bytes, and the next opening finds the checkpoint", async () => {
    const { manager, lease, disk, locks } = await begun();
    await manager.idle();
    const { write } = disk.catalog;
    disk.catalog.write = () => Promise.reject(new HoldfastError("refused", "the database is gone"));
    expect(await codeOf(manager.save(lease, sampleRequest(1, sampleRows(1, 1))))).toBe("refused");
    disk.catalog.write = write;
    await manager.close();
    const next = new CheckpointManager(partsOn(disk, locks));
    expect((await next.recovered()).runs).toEqual([
      { run: RUN, name: "sample", listed: true, checkpoints: 1 },
    ]);
    expect((await next.restore(RUN)).checkpoint.step).toBe(1);
    expect((await next.journal(RUN)).loss).toEqual(sampleRows(1, 1).loss);
  });
});

suite("giving space back", () => {
  /**
   * A tab opens and finds a pack that nothing needs. Before it gets to it, another tab empties that pack, a third one
   * fills it with a checkpoint, commits it and lets go.
   */
  async function openingBesideOthers(sabotage: (parts: StoreParts) => StoreParts): Promise<number> {
    const { manager, lease, disk, locks } = await begun();
    await manager.idle();
    const stray = await disk.create();
    await stray.append(new Uint8Array(8192).fill(1));
    await stray.close();
    const recycle = disk.recycle.bind(disk);
    disk.recycle = async (name, isFree) => {
      disk.recycle = recycle;
      expect(name).toBe(stray.name);
      await recycle(name, () => Promise.resolve(true));
      await manager.save(lease, sampleRequest(1, sampleRows(1, 1)));
      await manager.release(lease);
      expect(disk.files.get(name)!.bytes.length).toBeGreaterThan(0);
      return recycle(name, isFree);
    };
    const other = new CheckpointManager(sabotage(partsOn(disk, locks)));
    await other.idle();
    return (await other.restore(RUN)).checkpoint.step;
  }

  test("a pack that others have used again meanwhile is not emptied", async () => {
    expect(await openingBesideOthers((parts) => parts)).toBe(1);
  });

  test("control: without asking again once the pack is held, it is", async () => {
    const hasty = (parts: StoreParts) =>
      brokenPacks(parts, { recycle: (name) => parts.packs.recycle(name, () => Promise.resolve(true)) });
    expect(await openingBesideOthers(hasty)).toBe(0);
  });

  test("an opening leaves alone what another tab is about to commit", async () => {
    const { manager, lease, disk, locks } = await begun();
    const sizeOf = disk.sizeOf.bind(disk);
    disk.sizeOf = async (name) => {
      disk.sizeOf = sizeOf;
      await new CheckpointManager(partsOn(disk, locks)).idle();
      return sizeOf(name);
    };
    await manager.save(lease, sampleRequest(1, sampleRows(1, 1)));
    const { checkpoint, skipped } = await manager.restore(RUN);
    expect(checkpoint.step).toBe(1);
    expect(skipped).toEqual([]);
  });
});
