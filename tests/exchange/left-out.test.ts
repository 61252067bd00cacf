/** Several runs are exported, and not all of them can be: the others leave, and who stays behind is named. */
import { expect, suite, test } from "vitest";
import { BlobOutput } from "../../src/exchange/bundle-output";
import { BundleSource } from "../../src/exchange/bundle-source";
import { holdPlaceForData } from "../../src/checkpoint/data";
import { exportBundle } from "../../src/exchange/export";
import { importBundle } from "../../src/exchange/import";
import { CheckpointManager, type StoreParts } from "../../src/checkpoint/manager";
import { HoldfastError } from "../../src/errors";
import { MAX_WHOLE_BYTES } from "../../src/format/bundle";
import { sha256, toHex } from "../../src/format/bytes";
import { leftOutWords } from "../../src/worker/exchange";
import { exportRuns } from "../support/bundles";
import { codeOf, DATA, sampleRecord, sampleRequest, sampleRows } from "../support/run-samples";
import { SimulatedDisk } from "../support/simulated-disk";
import { begun, partsOn, RUN } from "../support/store-parts";

const OTHER = "r0000000000000002";
const OTHER_DATA = new TextEncoder().encode("that is the question");

/** Two runs on data of their own, the second with checkpoints at steps 0 and 2. */
async function two() {
  const store = await begun();
  const { manager } = store;
  const hash = await manager.putData(OTHER_DATA);
  const { data } = await sampleRecord();
  const record = await sampleRecord({
    id: OTHER,
    name: "other",
    data: { ...data, hash, bytes: OTHER_DATA.length },
  });
  const { lease } = await manager.createRun(record, sampleRequest(0, null, "start"));
  await manager.save(lease, sampleRequest(2, sampleRows(1, 2)));
  return store;
}

function request(runs: readonly string[], changes = {}) {
  const opened: number[] = [];
  const open = (bytes: number) => {
    opened.push(bytes);
    return Promise.resolve(new BlobOutput());
  };
  const chosen = runs.map((run) => ({ run, steps: null }));
  return { isCompact: false, hasData: true, runs: chosen, open, opened, ...changes };
}

/** A bit of every copy. */
async function damageData(disk: SimulatedDisk, bytes: Uint8Array<ArrayBuffer>) {
  const hash = toHex(await sha256(bytes));
  const row = await disk.catalog.read((tx) => tx.get("data", hash));
  for (const { pack, offset, length } of row!.copies.flat())
    disk.files.get(pack)!.bytes[offset + length - 1]! ^= 1;
}

async function damageCheckpoints(disk: SimulatedDisk, run: string, steps?: readonly number[]) {
  for (const { step, commit } of await disk.catalog.read((tx) => tx.of("checkpoints", run)))
    if (steps?.includes(step) ?? true) disk.files.get(commit.pack)!.bytes[commit.offset + 120]! ^= 1;
}

async function runsOf(file: Blob): Promise<readonly string[]> {
  return (await BundleSource.open(file)).runs.map(({ record }) => record.id);
}

async function takenIn(file: Blob) {
  const parts = partsOn(new SimulatedDisk());
  const manager = new CheckpointManager(parts);
  return { parts, manager, imported: await importBundle(manager, parts, file) };
}

suite("of several runs", () => {
  test("one whose data are damaged stays behind, and is named", async () => {
    const { manager, parts, disk } = await two();
    await damageData(disk, OTHER_DATA);
    const { file, leftOut } = await exportBundle(manager, parts, request([RUN, OTHER]));
    expect(leftOut).toMatchObject([{ run: OTHER, name: "other", step: null }]);
    expect(leftOut[0]?.why).toMatch(/^The data [0-9a-f]{12}… is damaged/);
    const { imported } = await takenIn(file);
    expect(imported).toEqual([{ run: RUN, how: "new", hasData: true }]);
    // They are not asked for where they stay at home.
    const without = await exportBundle(manager, parts, request([RUN, OTHER], { hasData: false }));
    expect(without.leftOut).toEqual([]);
    expect(await runsOf(without.file)).toEqual([RUN, OTHER]);
  });

  test("one whose data never came stays behind", async () => {
    const { manager, parts } = await two();
    const { manager: there, parts: its } = await takenIn(
      await exportRuns(manager, parts, [OTHER], { hasData: false }),
    );
    await importBundle(there, its, await exportRuns(manager, parts, [RUN]));
    const { file, leftOut } = await exportBundle(there, its, request([OTHER, RUN]));
    expect(leftOut).toMatchObject([{ run: OTHER, step: null }]);
    expect(leftOut[0]?.why).toMatch(/add the file/i);
    expect(await runsOf(file)).toEqual([RUN]);
  });

  test("one without a whole checkpoint stays behind; of the other only what is damaged", async () => {
    const { manager, parts, disk } = await two();
    await damageCheckpoints(disk, RUN);
    await damageCheckpoints(disk, OTHER, [2]);
    const { file, leftOut } = await exportBundle(manager, parts, request([RUN, OTHER]));
    expect(leftOut).toMatchObject([
      { run: RUN, name: "sample", step: null },
      { run: OTHER, name: "other", step: 2 },
    ]);
    const { manager: there } = await takenIn(file);
    expect((await there.checkpoints(OTHER)).map(({ step }) => step)).toEqual([0]);
  });

  test.each([
    [
      "as much data as a bundle takes are asked for, and missing",
      MAX_WHOLE_BYTES,
      "missing",
      /not in the store/,
    ],
    [
      "more data than a reader takes back are refused before",
      MAX_WHOLE_BYTES + 1,
      "invalid",
      /512 MiB.*without/,
    ],
  ])("%s", async (_what, bytes, code, why) => {
    const { manager, parts } = await begun();
    const { data } = await sampleRecord();
    const record = await sampleRecord({
      id: OTHER,
      name: "vast",
      data: { ...data, hash: "ab".repeat(32), bytes },
    });
    await parts.catalog.write("strict", (tx) => holdPlaceForData(tx, record.data, 0));
    await manager.createRun(record, sampleRequest(0, null, "start"));
    const { file, leftOut } = await exportBundle(manager, parts, request([OTHER, RUN]));
    expect(leftOut).toMatchObject([{ run: OTHER, step: null }]);
    expect(leftOut[0]?.why).toMatch(why);
    expect(await runsOf(file)).toEqual([RUN]);
    const alone = request([OTHER]);
    expect(await codeOf(exportBundle(manager, parts, alone))).toBe(code);
    expect(alone.opened).toEqual([]);
    const light = await exportBundle(manager, parts, request([OTHER], { hasData: false }));
    expect((await takenIn(light.file)).imported).toMatchObject([{ run: OTHER, hasData: false }]);
  });

  test("a fork leaves without its parent, and goes on where it comes in", async () => {
    const { manager, parts, disk } = await begun();
    const parent = { run: RUN, step: 0 };
    const fork = await sampleRecord({ id: OTHER, name: "fork", parent });
    await manager.createRun(fork, sampleRequest(0, null, "fork"));
    await damageCheckpoints(disk, RUN);
    const { file, leftOut } = await exportBundle(manager, parts, request([RUN, OTHER]));
    expect(leftOut).toMatchObject([{ run: RUN, step: null }]);
    const { manager: there, imported } = await takenIn(file);
    expect(imported).toEqual([{ run: OTHER, how: "new", hasData: true }]);
    expect((await there.detail(OTHER)).parent).toEqual(parent);
    const lease = await there.acquire(OTHER);
    await there.save(lease, sampleRequest(1, sampleRows(1, 1)));
    expect((await there.restore(OTHER)).checkpoint.step).toBe(1);
  });

  test("none is left: nothing is written, and each is named; so for a single one, with its own code", async () => {
    const { manager, parts, disk } = await two();
    await damageData(disk, DATA);
    await damageCheckpoints(disk, OTHER);
    const both = request([RUN, OTHER]);
    await expect(exportBundle(manager, parts, both)).rejects.toThrow(/"sample": .*"other": /);
    expect(await codeOf(exportBundle(manager, parts, both))).toBe("missing");
    const [first, second] = [request([RUN]), request([OTHER])];
    expect(await codeOf(exportBundle(manager, parts, first))).toBe("corrupt");
    expect(await codeOf(exportBundle(manager, parts, second))).toBe("missing");
    expect([both.opened, first.opened, second.opened]).toEqual([[], [], []]);
  });

  test("control: what cannot be read just now is not lost, and nobody is left out for it", async () => {
    const { parts, disk } = await two();
    const unreadable = async (packs: ReadonlySet<string>) => {
      const closed: StoreParts["packs"] = Object.create(disk) as SimulatedDisk;
      closed.read = (name, ...rest) =>
        packs.has(name)
          ? Promise.reject(new HoldfastError("refused", "The file cannot be read."))
          : disk.read(name, ...rest);
      const there = { ...parts, packs: closed };
      const wanted = request([RUN, OTHER]);
      expect(await codeOf(exportBundle(new CheckpointManager(there), there, wanted))).toMatch(
        /refused|corrupt/,
      );
      expect(wanted.opened).toEqual([]);
    };
    const rows = await disk.catalog.read((tx) => tx.of("checkpoints", OTHER));
    await unreadable(new Set(rows.flatMap(({ packs }) => packs)));
    const data = await disk.catalog.read((tx) => tx.all("data"));
    await unreadable(new Set(data.flatMap(({ copies }) => copies.flat().map(({ pack }) => pack))));
  });
});

suite("what a bundle lacks, in words", () => {
  const file = new Blob([]);
  const checkpoint = { run: "r1", name: "one", step: 4, why: "it is damaged." };

  test.each([
    [[checkpoint], "The bundle is without a checkpoint: step 4 (it is damaged.)"],
    [
      [checkpoint, { ...checkpoint, run: "r2", name: "two", step: 5 }],
      'The bundle is without 2 checkpoints: step 4 of "one" (it is damaged.), step 5 of "two" (it is damaged.)',
    ],
    [
      [{ ...checkpoint, run: "r2", name: "two", step: null, why: "its data is lost." }, checkpoint],
      'The bundle is without a run: "two" (its data is lost.); and without a checkpoint: step 4 of "one" (it is damaged.)',
    ],
  ])("%j", (leftOut, words) => {
    expect(leftOutWords({ file, leftOut })).toBe(words);
  });
});
