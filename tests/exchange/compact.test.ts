/** The compact form of a bundle, and what else one may choose: checkpoints, data, to stop. */
import { expect, suite, test } from "vitest";
import { BlobOutput } from "../../src/exchange/bundle-output";
import { BundleSource } from "../../src/exchange/bundle-source";
import { CompactFile } from "../../src/exchange/compact-file";
import { exportBundle, exportCheckpoint } from "../../src/exchange/export";
import { importBundle } from "../../src/exchange/import";
import { CheckpointManager, type StoreParts } from "../../src/checkpoint/manager";
import { HoldfastError } from "../../src/errors";
import { sha256, type Bytes } from "../../src/format/bytes";
import { checkpointName } from "../../src/format/bundle";
import { ZipReader } from "../../src/format/zip";
import { checkpointHead } from "../../src/format/checkpoint-file";
import { digestOf } from "../../src/format/digest";
import type { Policy } from "../../src/format/run";
import type { SaveRequest, Watcher } from "../../src/format/stored";
import type { CheckpointRow } from "../../src/store/tables";
import { exportRuns } from "../support/bundles";
import { bytesSource } from "../support/bytes-source";
import { codeOf, DATA, sampleRequest, sampleRows, sampleState } from "../support/run-samples";
import { SimulatedDisk } from "../support/simulated-disk";
import { begun, partsOn, RUN } from "../support/store-parts";

const COMPACT = { isCompact: true };
/** Floats of the largest tensor: its state takes two chunks. */
const SIZE = 300_000;

/** As training changes it: a little, everywhere. */
function atStep(step: number): SaveRequest {
  const state = sampleState(step);
  const weights = Float32Array.from({ length: SIZE }, (_, index) => Math.sin(index) + step * 1e-4);
  const tensors = state.tensors.map((tensor) =>
    tensor.name === "param/weights" ? { ...tensor, shape: [SIZE], values: weights } : tensor,
  );
  return { ...sampleRequest(step, sampleRows(step, step)), state: { ...state, tensors } };
}

/** A run with a checkpoint at each of its first ten steps: more than stand before the second that stands alone. */
async function long() {
  const store = await begun();
  for (let step = 1; step <= 10; step += 1) await store.manager.save(store.lease, atStep(step));
  return store;
}

function elsewhere() {
  const disk = new SimulatedDisk();
  const parts = partsOn(disk);
  return { disk, parts, manager: new CheckpointManager(parts) };
}

async function bytesOfFile(file: Blob): Promise<Bytes> {
  return new Uint8Array(await file.arrayBuffer());
}

suite("a compact bundle", () => {
  test("brings every state, bit for bit, and exports again to the same bytes", async () => {
    const { manager, parts } = await long();
    const file = await exportRuns(manager, parts, [RUN], COMPACT);
    const other = elsewhere();
    expect(await importBundle(other.manager, other.parts, file)).toEqual([
      { run: RUN, how: "new", hasData: true },
    ]);
    for (let step = 1; step <= 10; step += 1)
      expect(await digestOf((await other.manager.read(RUN, step)).state)).toBe(
        await digestOf(atStep(step).state),
      );
    const again = await exportRuns(other.manager, other.parts, [RUN], COMPACT);
    expect(await sha256(await bytesOfFile(again))).toEqual(await sha256(await bytesOfFile(file)));
    // Steps 0 to 7 stand alone, since the first is of another shape; 9 and 10 are differences from 8.
    const bytes = await bytesOfFile(file);
    const zip = await ZipReader.open(bytesSource(bytes));
    const lengths = new Map(zip.entries.map((entry) => [entry.name, entry.bytes]));
    const lengthAt = (step: number) => lengths.get(checkpointName(RUN, step, COMPACT)) ?? Number.NaN;
    expect(lengthAt(9) / lengthAt(8)).toBeLessThan(0.9);
    expect(lengthAt(8) / (4 * SIZE)).toBeLessThan(0.9);
  });

  test("in which anything changed is refused, and leaves no trace", async () => {
    const { manager, lease, parts } = await begun();
    for (const step of [1, 2]) await manager.save(lease, sampleRequest(step, sampleRows(step, step)));
    const whole = await bytesOfFile(await exportRuns(manager, parts, [RUN], COMPACT));
    for (let at = 0; at < whole.length; at += 61) {
      const bytes = whole.slice();
      bytes[at]! ^= 1 << (at % 8);
      const other = elsewhere();
      expect(await codeOf(importBundle(other.manager, other.parts, new Blob([bytes])))).toBe("corrupt");
      expect(other.disk.files.size).toBe(0);
    }
  });
});

test("a compact checkpoint that claims more than 4 GB is refused before anything is planned for it", async () => {
  const { manager } = await begun();
  const { manifest } = await manager.read(RUN, 0);
  const shape = [2 ** 31];
  const head = checkpointHead(manifest, [{ name: "param/vast", dtype: "float32", shape }]);
  let asked = 0;
  const vast = {
    bytes: 2 ** 31,
    part: (at: number, length: number) => {
      asked += length;
      const bytes = new Uint8Array(length);
      bytes.set(head.subarray(at, at + length));
      return Promise.resolve(bytes);
    },
  };
  expect(await codeOf(CompactFile.open(vast, "it"))).toBe("unsupported");
  expect(asked).toBe(head.length);
});

suite("an export", () => {
  test("of chosen checkpoints has no others, and comes in as it is", async () => {
    const { manager, parts } = await long();
    const request = { runs: [{ run: RUN, steps: [4, 9] }], isCompact: false, hasData: true, open: inMemory };
    const { file } = await exportBundle(manager, parts, request);
    const other = elsewhere();
    await importBundle(other.manager, other.parts, file);
    expect((await other.manager.checkpoints(RUN)).map(({ step }) => step)).toEqual([4, 9]);
    expect((await other.manager.detail(RUN)).step).toBe(10);
    const unknown = { ...request, runs: [{ run: RUN, steps: [4, 11] }] };
    expect(await codeOf(exportBundle(manager, parts, unknown))).toBe("missing");
  });

  test("may leave the data at home; who has it needs no other", async () => {
    const { manager, parts } = await long();
    const file = await exportRuns(manager, parts, [RUN], { hasData: false });
    expect((await BundleSource.open(file)).form).toEqual({ isCompact: false, hasData: false });
    const other = elsewhere();
    expect(await importBundle(other.manager, other.parts, file)).toMatchObject([
      { how: "new", hasData: false },
    ]);
    const { hash } = (await other.manager.detail(RUN)).record.data;
    expect(await codeOf(other.manager.getData(hash))).toBe("missing");
    // It comes when the whole bundle does, to the run that is there already.
    const whole = await exportRuns(manager, parts, [RUN]);
    expect(await importBundle(other.manager, other.parts, whole)).toMatchObject([
      { how: "present", hasData: true },
    ]);
    expect(await other.manager.getData(hash)).toEqual(DATA);
    const { manager: at, parts: its } = await begun();
    expect(await importBundle(at, its, file)).toMatchObject([{ how: "copy", hasData: true }]);
  });

  test("names what it left out, and writes nothing where nothing is whole", async () => {
    const { manager, parts, disk } = await long();
    const row = await disk.catalog.read((tx) => tx.at("checkpoints", RUN, 4));
    disk.files.get(row!.commit.pack)!.bytes[row!.commit.offset + 120]! ^= 1;
    const request = { isCompact: false, hasData: true, open: inMemory };
    const all = { ...request, runs: [{ run: RUN, steps: null }] };
    expect((await exportBundle(manager, parts, all)).leftOut).toMatchObject([{ run: RUN, step: 4 }]);
    let opened = 0;
    const open = () => {
      opened += 1;
      return inMemory();
    };
    const damaged = { ...request, open, runs: [{ run: RUN, steps: [4] }] };
    expect(await codeOf(exportBundle(manager, parts, damaged))).toBe("missing");
    expect(opened).toBe(0);
  });

  test("has the checkpoints that a policy lets go of just when they were looked up", async () => {
    const { manager, lease, parts } = await long();
    const request = { runs: [{ run: RUN, steps: null }], isCompact: false, hasData: true, open: inMemory };
    afterRead(parts, () => manager.setPolicy(RUN, ONLY_THE_NEWEST));
    const { file, leftOut } = await exportBundle(manager, parts, request);
    expect(leftOut).toEqual([]);
    expect((await BundleSource.open(file)).runs[0]?.checkpoints).toHaveLength(11);
    // They go once they are held no longer.
    await manager.save(lease, atStep(11));
    expect((await manager.checkpoints(RUN)).length).toBeLessThan(4);
  });

  test("as safetensors has its checkpoint too", async () => {
    const { manager, parts } = await long();
    afterRead(parts, () => manager.setPolicy(RUN, ONLY_THE_NEWEST));
    const file = await exportCheckpoint(manager, parts, { run: RUN, step: 5 }, inMemory);
    expect(file.size).toBeGreaterThan(4 * SIZE);
    expect((await manager.checkpoints(RUN)).map(({ step }) => step)).toContain(5);
    expect(await prunable(parts, manager)).toHaveLength((await manager.checkpoints(RUN)).length);
  });

  test("names what another tab let go of just then, and does not call it damaged", async () => {
    const { manager, lease, disk, locks, parts } = await long();
    await manager.release(lease);
    const there = partsOn(disk, locks);
    const other = new CheckpointManager(there);
    await other.recovered();
    const request = { runs: [{ run: RUN, steps: null }], isCompact: false, hasData: true, open: inMemory };
    afterRead(parts, () => other.setPolicy(RUN, ONLY_THE_NEWEST));
    const { leftOut } = await exportBundle(manager, parts, request);
    expect(leftOut.length).toBeGreaterThan(5);
    for (const { why } of leftOut) expect(why).toMatch(/another tab/i);
  });

  test.each([
    ["all", null],
    ["the newest", [10]],
    ["some", [2, 6, 10]],
    ["the first and the last", [1, 10]],
  ])("asks for as much room as it takes, and not for all that is in it: %s", async (_which, steps) => {
    const { manager, parts } = await long();
    const asked: number[] = [];
    const open = (bytes: number) => {
      asked.push(bytes);
      return inMemory();
    };
    const request = { runs: [{ run: RUN, steps }], hasData: true, open };
    const compact = await exportBundle(manager, parts, { ...request, isCompact: true });
    const whole = await exportBundle(manager, parts, { ...request, isCompact: false });
    const [about = 0, most = 0] = asked;
    expect(most).toBeGreaterThanOrEqual(whole.file.size);
    expect(about).toBeGreaterThanOrEqual(compact.file.size);
    // A few that are far apart may be no smaller than they are; a whole run is.
    expect(about).toBeLessThan((steps === null ? 0.95 : 1) * most);
    // Control: what was written for them is not enough where what they lean on stays behind.
    const saved = (await manager.checkpoints(RUN)).filter(({ step }) => steps?.includes(step) ?? true);
    const stored = saved.reduce((sum, { storedBytes }) => sum + storedBytes, 0);
    if (steps?.join() === "10") expect(stored).toBeLessThan(compact.file.size);
  });

  test("that has less room than was thought ends in `quota`, wherever that is, and leaves nothing", async () => {
    const { manager, parts } = await begun();
    const request = { runs: [{ run: RUN, steps: null }], isCompact: true, hasData: true };
    let failed = 0;
    for (let room = 0; ; room += 300) {
      const out = new Full(room);
      const work = exportBundle(manager, parts, { ...request, open: () => Promise.resolve(out) });
      const code = await codeOf(work);
      expect(out.abandoned).toBe(code !== "no error");
      if (code === "no error") break;
      expect(code).toBe("quota");
      failed += 1;
    }
    expect(failed).toBeGreaterThan(5);
  });

  test("tells how far it is, up to the end, and stops when it is told to, wherever it is", async () => {
    const { manager, parts } = await long();
    const request = { runs: [{ run: RUN, steps: null }], isCompact: true, hasData: true };
    const told: number[] = [];
    const watcher: Watcher = { progress: (done, total) => void told.push(done / total) };
    const { file } = await exportBundle(manager, parts, { ...request, open: inMemory, watcher });
    expect(told).toEqual([...told].sort((a, b) => a - b));
    expect([told[0], told.at(-1)]).toEqual([0, 1]);
    for (let stop = 0; stop < told.length - 1; stop += 7) {
      const out = new Watched();
      const work = exportBundle(manager, parts, {
        ...request,
        open: () => Promise.resolve(out),
        watcher: stoppedAfter(stop),
      });
      expect(await codeOf(work)).toBe("cancelled");
      expect(out.finished).toBe(false);
    }
    // Its checkpoints are held no longer.
    expect(await prunable(parts, manager)).toHaveLength(11);
    for (let stop = 0; stop < 12; stop += 3) {
      const other = elsewhere();
      expect(await codeOf(importBundle(other.manager, other.parts, file, stoppedAfter(stop)))).toBe(
        "cancelled",
      );
      expect(await other.manager.runs()).toEqual([]);
      expect(await other.parts.catalog.read((tx) => tx.all("packs"))).toEqual([]);
      expect(await importBundle(other.manager, other.parts, file)).toMatchObject([{ how: "new" }]);
    }
  });
});

const inMemory = () => Promise.resolve(new BlobOutput());

const ONLY_THE_NEWEST: Policy = {
  save: { kind: "never" },
  draw: false,
  keep: [{ kind: "latest", count: 1 }],
};

/** Once, between the next reading transaction and whatever follows it. */
function afterRead(parts: StoreParts, work: () => Promise<void>): void {
  const read = parts.catalog.read.bind(parts.catalog);
  parts.catalog.read = async (transaction) => {
    const found = await read(transaction);
    parts.catalog.read = read;
    await work();
    return found;
  };
}

class Watched extends BlobOutput {
  finished = false;
  override finish(): Promise<Blob> {
    this.finished = true;
    return super.finish();
  }
}

/** Takes so many bytes. */
class Full extends BlobOutput {
  abandoned = false;
  #left: number;

  constructor(room: number) {
    super();
    this.#left = room;
  }

  override append(bytes: Bytes): Promise<void> {
    this.#left -= bytes.length;
    if (this.#left < 0) return Promise.reject(new HoldfastError("quota", "There is no room."));
    return super.append(bytes);
  }

  override abandon(): Promise<void> {
    this.abandoned = true;
    return super.abandon();
  }
}

/** Checkpoints that a policy which keeps none may let go of. */
async function prunable(parts: StoreParts, manager: CheckpointManager): Promise<readonly CheckpointRow[]> {
  const rows = await parts.catalog.read((tx) => tx.of("checkpoints", RUN));
  const run = await parts.catalog.read((tx) => tx.get("runs", RUN));
  return manager.held.sparing((all) => all)(rows, run!);
}

/** Cancels when it has heard that often how far it is. */
function stoppedAfter(times: number): Watcher {
  const ending = new AbortController();
  let heard = 0;
  return {
    signal: ending.signal,
    progress: () => {
      if (++heard > times) ending.abort();
    },
  };
}
