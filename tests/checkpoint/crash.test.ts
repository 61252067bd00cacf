/**
 * Fail at every operation: `budget` operations of the store work, then the tab is dead, until one run needs no more.
 * After each death the store opens, the newest restorable state is one that was acknowledged or one that was being
 * saved, it is bit for bit that state, and a new save works.
 */
import { expect, suite, test } from "vitest";
import { CheckpointManager, type StoreParts } from "../../src/checkpoint/manager";
import { digestOf } from "../../src/format/digest";
import { hasCode } from "../../src/errors";
import { codeOf, DATA, sampleRecord, sampleRequest, sampleRows, sampleState } from "../support/run-samples";
import { brokenCatalog, brokenPacks } from "../support/sabotage";
import { DeadError, SimulatedDisk, type Crash } from "../support/simulated-disk";
import { begun, partsOn, RUN } from "../support/store-parts";

const SAVES = [2, 5, 9];

interface Progress {
  /** Newest step that was acknowledged, and newest that was asked; -1 for none. */
  acknowledged: number;
  asked: number;
}

/** One tab's life: a run, its journal, three saves. Sabotage replaces parts of the store by broken ones. */
async function live(parts: StoreParts, progress: Progress): Promise<void> {
  const manager = new CheckpointManager(parts);
  await manager.putData(DATA);
  progress.asked = 0;
  const { lease } = await manager.createRun(await sampleRecord(), sampleRequest(0, null, "start"));
  progress.acknowledged = 0;
  await manager.appendEvent(lease, 0, { kind: "started" }, "running");
  let before = 0;
  for (const step of SAVES) {
    await manager.appendJournal(lease, sampleRows(before + 1, step - 1));
    progress.asked = step;
    await manager.save(lease, sampleRequest(step, sampleRows(step, step)));
    progress.acknowledged = step;
    before = step;
  }
  await manager.close();
}

/** What is wrong with what a crash left; null where nothing is. */
async function faultAfter(disk: SimulatedDisk, { acknowledged, asked }: Progress): Promise<string | null> {
  const manager = new CheckpointManager(partsOn(disk));
  await manager.idle();
  let step = -1;
  try {
    const { checkpoint, state, skipped } = await manager.restore(RUN);
    step = checkpoint.step;
    if (skipped.length > 0) return `step ${skipped[0]?.step} was committed and is damaged`;
    if ((await digestOf(state)) !== (await digestOf(sampleState(step))))
      return `step ${step} came back as another state`;
  } catch (error) {
    if (!hasCode(error, "missing")) throw error;
    if ((await manager.runs()).length > 0) return "a run is listed that cannot be restored";
  }
  if (step < acknowledged || step > asked)
    return `step ${step} came back; ${acknowledged} was saved and ${asked} asked`;
  if (step === -1) return null;
  const journal = await manager.journal(RUN);
  if (journal.loss.length < step) return "the checkpoint is ahead of its journal";
  const lease = await manager.acquire(RUN);
  await manager.save(lease, sampleRequest(20, sampleRows(journal.loss.length + 1, 20)));
  if ((await manager.restore(RUN)).checkpoint.step !== 20) return "a new save is not the newest";
  return null;
}

interface Campaign {
  readonly deaths: number;
  readonly faults: readonly string[];
}

async function campaign(crash: Crash, sabotage: (parts: StoreParts) => StoreParts): Promise<Campaign> {
  const faults: string[] = [];
  for (let budget = 0; ; budget++) {
    const disk = new SimulatedDisk(budget);
    const progress: Progress = { acknowledged: -1, asked: -1 };
    try {
      await live(sabotage(partsOn(disk)), progress);
    } catch (error) {
      if (!(error instanceof DeadError)) throw error;
    }
    const fault = await faultAfter(await disk.after(crash), progress);
    if (fault !== null) faults.push(`after ${budget} operations: ${fault}`);
    if (!disk.dead) return { deaths: budget, faults };
  }
}

function sound(parts: StoreParts): StoreParts {
  return parts;
}

function withoutFlush(parts: StoreParts): StoreParts {
  return brokenPacks(parts, {
    create: async () => {
      const pack = await parts.packs.create();
      return {
        name: pack.name,
        get size() {
          return pack.size;
        },
        append: (bytes) => pack.append(bytes),
        cut: (size) => pack.cut(size),
        flush: () => Promise.resolve(),
        close: () => pack.close(),
      };
    },
  });
}

function withoutJournalInCommit(parts: StoreParts): StoreParts {
  return brokenCatalog(parts, () => ({
    put: (tx) => (table, row) => (table === "journal" ? Promise.resolve() : tx.put(table, row)),
  }));
}

suite("death at every operation", () => {
  test.each<[Crash]>([["process death"], ["power loss"]])(
    "%s loses nothing that was acknowledged",
    async (crash) => {
      const { deaths, faults } = await campaign(crash, sound);
      expect(faults).toEqual([]);
      expect(deaths).toBeGreaterThan(60);
    },
  );

  test("control: a commit without a flush is caught", async () => {
    expect((await campaign("power loss", withoutFlush)).faults.join()).toMatch(
      /listed that cannot be restored/,
    );
  });

  test("control: a commit without its journal rows is caught", async () => {
    expect((await campaign("process death", withoutJournalInCommit)).faults.join()).toMatch(
      /ahead of its journal/,
    );
  });
});

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
