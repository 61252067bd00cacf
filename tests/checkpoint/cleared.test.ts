/** Site data is cleared while a tab has packs open. (Every other crash: tests/simulation.) */
import { expect, suite, test } from "vitest";
import { brokenPacks } from "../support/sabotage";
import { codeOf, sampleRequest, sampleRows } from "../support/run-samples";
import { SimulatedDisk } from "../support/simulated-disk";
import { begun, partsOn, RUN } from "../support/store-parts";

suite("site data cleared under an open pack", () => {
  test("nothing is called saved", async () => {
    const { manager, lease, disk } = await begun();
    await manager.save(lease, sampleRequest(1, sampleRows(1, 1)));
    // The handle goes on working on a file without a name, as it does in Chromium.
    disk.files.clear();
    expect(await codeOf(manager.save(lease, sampleRequest(2, sampleRows(2, 2))))).toBe("orphaned");
  });

  test("control: without the look-up by name it is called saved, and is not", async () => {
    const disk = new SimulatedDisk();
    const sizes = new Map<string, () => number>();
    const whole = partsOn(disk);
    const parts = brokenPacks(whole, {
      create: async () => {
        const pack = await whole.packs.create();
        sizes.set(pack.name, () => pack.size);
        return pack;
      },
      sizeOf: (name) => Promise.resolve(sizes.get(name)?.() ?? null),
    });
    const { manager, lease } = await begun(disk, undefined, parts);
    await manager.save(lease, sampleRequest(1, sampleRows(1, 1)));
    disk.files.clear();
    expect((await manager.save(lease, sampleRequest(2, sampleRows(2, 2)))).step).toBe(2);
    expect(await codeOf(manager.restore(RUN))).toBe("missing");
  });
});
