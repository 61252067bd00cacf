import fc from "fast-check";
import { expect, suite, test } from "vitest";
import { CheckpointManager } from "../../src/checkpoint/manager";
import { readAsItIs } from "../../src/checkpoint/read";
import { digestOf } from "../../src/format/digest";
import type { KeepRule, Policy, RunRecord } from "../../src/format/run";
import { chainsOf, liveBytes } from "../../src/store/chains";
import { saved as savedOf } from "../support/chain-rig";
import { codeOf, sampleRequest, sampleRows, sampleState } from "../support/run-samples";
import { partsOn, RUN } from "../support/store-parts";
import { SimulatedDisk } from "../support/simulated-disk";

/** Each state is another one altogether, so that no difference is small and each checkpoint takes as much as any. */
const stateOf = (step: number) => sampleState(step, 5000);

const saved = (steps: number, record: Partial<RunRecord>) => savedOf(steps, record, stateOf);

function policy(keep: readonly KeepRule[], budget?: number): Policy {
  return { save: { kind: "never" }, draw: false, keep, ...(budget === undefined ? {} : { budget }) };
}

const ALL = { policy: policy([{ kind: "every", steps: 1 }]) };
/** Of a pack. */
const HEADER = 4096;
/** Two to each chain of eight, beside the first and the newest. */
const SPARSE = policy([{ kind: "every", steps: 4 }]);

async function rowsOf(disk: SimulatedDisk) {
  return disk.catalog.read((tx) => tx.of("checkpoints", RUN));
}

/** Bytes of all packs but those of the log and the data, whether anything names them or not. */
async function stateBytes(disk: SimulatedDisk): Promise<number> {
  const log = (await disk.catalog.read((tx) => tx.get("runs", RUN)))?.log ?? null;
  const data = (await disk.catalog.read((tx) => tx.all("data"))).flatMap(({ copies }) => copies.flat());
  const others = new Set([log, ...data.map(({ pack }) => pack)]);
  return [...disk.files].reduce((sum, [name, { bytes }]) => sum + (others.has(name) ? 0 : bytes.length), 0);
}

/** All that is listed comes back, bit for bit. */
async function expectWhole(manager: CheckpointManager): Promise<readonly number[]> {
  const list = await manager.checkpoints(RUN);
  for (const { step, digest } of list.slice(1)) {
    const { state } = await manager.read(RUN, step);
    expect(await digestOf(state)).toBe(digest);
    expect(state.tensors).toEqual(expect.arrayContaining([...stateOf(step).tensors]));
  }
  return list.map(({ step }) => step);
}

suite("a sweep", () => {
  test("moves what lives out of packs that are mostly dead, and gives those back", async () => {
    const { manager, disk } = await saved(33, ALL);
    const before = await stateBytes(disk);
    await manager.setPolicy(RUN, policy([{ kind: "every", steps: 8 }]));
    const pruned = await stateBytes(disk);
    await manager.idle();
    const after = await stateBytes(disk);
    // One to each chain: until it is moved it keeps all of its pack.
    expect(pruned).toBeGreaterThan(0.9 * before);
    expect(after).toBeLessThan(0.6 * before);
    expect(await expectWhole(manager)).toEqual([0, 8, 16, 24, 32, 33]);
    const rows = await rowsOf(disk);
    const newest = rows.at(-1)!;
    for (const { rows: own, packs } of chainsOf(rows)) {
      if (own.includes(newest)) continue;
      const size = [...packs].reduce((sum, name) => sum + disk.files.get(name)!.bytes.length - HEADER, 0);
      expect(2 * liveBytes(own)).toBeGreaterThanOrEqual(size);
    }
  });

  test("keeps all that is said of a checkpoint, and has read it back", async () => {
    const { manager, rowOf, manifestOf } = await saved(17, ALL);
    const [info, manifest] = [(await rowOf(8))!.info, await manifestOf(8)];
    await manager.mark(RUN, 8, { pinned: true });
    await manager.setPolicy(RUN, policy([{ kind: "latest", count: 1 }]));
    await manager.idle();
    const row = (await rowOf(8))!;
    const moved = await manifestOf(8);
    expect(moved.chunks).not.toEqual(manifest.chunks);
    expect({ ...moved, chunks: [], chain: 0 }).toEqual({ ...manifest, chunks: [], chain: 0 });
    const { storedBytes, times } = row.info;
    expect(row.info).toEqual({ ...info, check: "verified", storedBytes, times });
  });

  test("goes on by itself after saves that let go of some", async () => {
    const { manager, disk } = await saved(60, { policy: SPARSE });
    await manager.idle();
    const rows = await rowsOf(disk);
    const inOldChains = rows.filter(({ step }) => step <= 48);
    expect(inOldChains.length).toBeGreaterThan(10);
    expect(await stateBytes(disk)).toBeLessThan(2 * liveBytes(rows) + 8 * liveBytes(rows.slice(-1)));
    await expectWhole(manager);
  });

  test("leaves the newest chain alone, so that what comes next can lean on it", async () => {
    const { manager, save, manifestOf, rowOf } = await saved(7, ALL);
    const before = (await rowOf(7))!;
    await manager.setPolicy(RUN, policy([{ kind: "latest", count: 1 }]));
    await manager.idle();
    expect((await rowOf(7))!.commit).toEqual(before.commit);
    await save(8);
    expect((await manifestOf(8)).chain).toBe(7);
    await expectWhole(manager);
  });

  test("is no damage to who reads meanwhile", async () => {
    const { manager, disk, rowOf } = await saved(33, ALL);
    const row = (await rowOf(8))!;
    await manager.setPolicy(RUN, policy([{ kind: "every", steps: 8 }]));
    await manager.idle();
    expect(disk.files.get(row.packs[0]!)!.bytes.length).toBe(0);
    const now = ({ step }: { readonly step: number }) => rowOf(step);
    const read = await readAsItIs(disk, row, now);
    expect(read?.state.scalars.step).toBe(8);
    expect(await readAsItIs(disk, { ...row, step: 9 }, () => Promise.resolve(undefined))).toBeNull();
    // What did not move, and cannot be read, is damaged.
    expect(await codeOf(readAsItIs(disk, row, () => Promise.resolve(row)))).not.toBe("no error");
  });

  test("leaves damage where it is, and what else lives there", async () => {
    const { manager, disk, rowOf, manifestOf, flip } = await saved(33, ALL);
    const row = (await rowOf(12))!;
    const chunk = (await manifestOf(12)).chunks[0]!;
    flip(chunk);
    await manager.setPolicy(RUN, policy([{ kind: "every", steps: 12 }]));
    await manager.idle();
    expect((await rowOf(12))!.commit).toEqual(row.commit);
    expect(disk.files.get(row.commit.pack)!.bytes.length).toBeGreaterThan(0);
    expect(await codeOf(manager.read(RUN, 12))).toBe("corrupt");
    // Another chain is swept all the same.
    expect((await manager.read(RUN, 24)).manifest.chain).toBe(0);
    const { damaged } = await manager.verify(true);
    expect(damaged.join()).toMatch(/step 12/);
  });

  test("is left to the tab that writes the run", async () => {
    const { manager, disk, lease, save } = await saved(33, ALL);
    await manager.release(lease);
    const before = await stateBytes(disk);
    await manager.setPolicy(RUN, policy([{ kind: "every", steps: 8 }]));
    await manager.idle();
    expect(await stateBytes(disk)).toBeGreaterThan(0.9 * before);
    const taken = await manager.acquire(RUN);
    await manager.setPolicy(RUN, policy([{ kind: "latest", count: 1 }]));
    const rows = sampleRows(34, 34);
    await manager.save(taken, { ...sampleRequest(34, rows), state: stateOf(34) });
    await manager.idle();
    expect(await stateBytes(disk)).toBeLessThan(0.3 * before);
    await expectWhole(manager);
    expect(await codeOf(save(35))).toBe("fenced");
  });

  test("gives back a pack that this very tab was filling", async () => {
    const { manager, disk, save } = await saved(6, ALL);
    await manager.setPolicy(RUN, policy([], 30_000));
    await manager.idle();
    // The first, the newest, and a header for each.
    expect(await stateBytes(disk)).toBeLessThan(60_000);
    await save(7);
    await manager.idle();
    expect(await stateBytes(disk)).toBeLessThan(60_000);
    expect(await expectWhole(manager)).toEqual([0, 7]);
  });

  test("survives the loss of the catalogue", async () => {
    const { manager, disk } = await saved(33, ALL);
    await manager.setPolicy(RUN, policy([{ kind: "every", steps: 8 }]));
    await manager.idle();
    await manager.close();
    const bare = new SimulatedDisk();
    for (const [name, { bytes }] of disk.files)
      bare.files.set(name, { bytes: bytes.slice(), durable: bytes.slice(), open: false });
    const again = new CheckpointManager(partsOn(bare));
    expect((await again.recovered()).lost).toEqual([]);
    const steps = await expectWhole(again);
    expect(steps).toEqual(expect.arrayContaining([0, 8, 16, 24, 32, 33]));
  });

  test("whatever the rules and the budget: what is kept comes back bit for bit, within the budget", async () => {
    const rule: fc.Arbitrary<KeepRule> = fc.oneof(
      fc.record({ kind: fc.constant("latest" as const), count: fc.integer({ min: 1, max: 6 }) }),
      fc.record({ kind: fc.constant("every" as const), steps: fc.integer({ min: 1, max: 9 }) }),
      fc.record({ kind: fc.constant("spaced" as const), density: fc.integer({ min: 1, max: 8 }) }),
    );
    const one = (await rowsOf((await saved(1, ALL)).disk))[1]!.info.storedBytes;
    await fc.assert(
      fc.asyncProperty(
        fc.array(rule, { maxLength: 3 }),
        fc.integer({ min: 6, max: 30 }),
        fc.integer({ min: 1, max: 24 }),
        async (keep, keyframes, steps) => {
          const budget = keyframes * one;
          const { manager, disk } = await saved(steps, { policy: policy(keep, budget) });
          await manager.idle();
          await expectWhole(manager);
          expect(await stateBytes(disk)).toBeLessThanOrEqual(budget);
        },
      ),
      { numRuns: 20 },
    );
  }, 60_000);
});
