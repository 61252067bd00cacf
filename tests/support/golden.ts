/**
 * Golden stores: the packs of a small store as one version of the format wrote them, with what is in there in words that
 * no version changes. `npm run drill -- golden --to FOLDER` writes one; `tests/checkpoint/golden.test.ts` opens all.
 */
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CheckpointManager } from "../../src/checkpoint/manager";
import { exportRun, importRun } from "./bundles";
import { digestOf } from "../../src/format/digest";
import type { State } from "../../src/format/tensors";
import { DATA, sampleRecord, sampleRequest, sampleRows } from "./run-samples";
import { SimulatedDisk } from "./simulated-disk";
import { partsOn, RUN } from "./store-parts";

const FORK = "r0000000000000002";
const TRASHED = "r0000000000000003";
const EXPECTED = "expected.json";
const SUFFIX = ".pack";

/** A state with every dtype, whose chunks are stored in every way that there is. */
export function goldenState(step: number): State {
  const weights = Float32Array.from({ length: 2000 }, (_, at) => Math.sin(at * at) * (1 + step * 1e-4));
  const noise = Uint8Array.from(
    { length: 300 },
    (_, at) => Math.imul(at * at + 17, 0x9e3779b1 + step) >>> 24,
  );
  const bits = Uint32Array.of(0x7fc00000 + step, 0xffc0dead, 0x80000000, 1, 0x7f800000, step);
  return {
    tensors: [
      { name: "param/weights", dtype: "float32", shape: [40, 50], values: weights },
      { name: "param/odd", dtype: "float32", shape: [2, 3], values: new Float32Array(bits.buffer) },
      { name: "slot/count/weights", dtype: "int32", shape: [3], values: Int32Array.of(step, -step, 7) },
      { name: "slot/mask/weights", dtype: "bool", shape: [2], values: Uint8Array.of(step % 2, 1) },
      { name: "slot/noise/weights", dtype: "uint8", shape: [300], values: noise },
      { name: "slot/none/weights", dtype: "uint8", shape: [0, 4], values: new Uint8Array(0) },
    ],
    scalars: { step, samples: step * 8, counters: { t: step } },
  };
}

function requestOf(step: number, reason: "start" | "fork" | "policy" = "policy") {
  const rows = reason === "policy" ? sampleRows(step, step) : null;
  return { ...sampleRequest(step, rows, reason), state: goldenState(step) };
}

/** Runs with events, changes of settings, two chains, a fork, a rename, one in the trash, and one that was imported. */
async function lived(): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk();
  const parts = partsOn(disk);
  const manager = new CheckpointManager(parts);
  await manager.putData(DATA);
  const { lease } = await manager.createRun(await sampleRecord(), requestOf(0, "start"));
  await manager.appendEvent(lease, 0, { kind: "started" }, "running");
  for (let step = 1; step <= 12; step++) {
    if (step === 5)
      await manager.appendEvent(lease, 4, { kind: "changed", changes: { learningRate: 0.005 } });
    await manager.save(lease, requestOf(step));
  }
  const fork = await sampleRecord({ id: FORK, name: "fork", parent: { run: RUN, step: 3 }, firstStep: 3 });
  const { lease: forked } = await manager.createRun(fork, requestOf(3, "fork"));
  await manager.appendEvent(lease, 12, { kind: "forked", child: FORK });
  await manager.save(forked, requestOf(4));
  await manager.appendEvent(lease, 12, { kind: "extended", steps: 2000 });
  await manager.appendEvent(lease, 12, { kind: "paused", why: "" }, "paused");
  await manager.rename(RUN, "golden, ünïcode");
  const { lease: trashed } = await manager.createRun(
    await sampleRecord({ id: TRASHED, name: "in the trash" }),
    requestOf(0, "start"),
  );
  await manager.release(trashed);
  await manager.remove(TRASHED);
  const file = await exportRun(manager, parts, FORK);
  // One that is here as it is in the file would be left as it is.
  await manager.release(forked);
  await manager.remove(FORK);
  await importRun(manager, parts, file);
  await manager.undoRemove(FORK);
  await manager.close();
  return disk;
}

/** What a store holds, in plain words and numbers. */
export async function describe(manager: CheckpointManager) {
  const runs = [];
  for (const { id } of await manager.runs()) {
    const { name, status, step, steps, parent, record, events, checkpointList } = await manager.detail(id);
    const { loss } = await manager.journal(id);
    const checkpoints = [];
    for (const { step: at, digest, reason } of checkpointList) {
      const { state } = await manager.read(id, at);
      checkpoints.push({ step: at, reason, digest, computed: await digestOf(state) });
    }
    const losses = [...new Uint32Array(loss.buffer, loss.byteOffset, loss.length)];
    const data = Buffer.from(await manager.getData(record.data.hash)).toString("utf8");
    runs.push({ id, name, status, step, steps, parent, record, events, checkpoints, losses, data });
  }
  return runs.sort((a, b) => (a.id < b.id ? -1 : 1));
}

export async function writeGolden(folder: string): Promise<void> {
  await mkdir(folder);
  const disk = await lived();
  for (const { name, size } of await disk.list())
    if (size > 0) await writeFile(join(folder, `${name}${SUFFIX}`), await disk.read(name, 0, size));
  const { manager } = await openGolden(folder);
  await writeFile(join(folder, EXPECTED), `${JSON.stringify(await describe(manager), null, 2)}\n`);
}

/** The packs of a golden store, without a catalogue, opened. */
export async function openGolden(folder: string) {
  const disk = new SimulatedDisk();
  for (const [name, bytes] of await packsOf(folder))
    disk.files.set(name, { bytes, durable: bytes, open: false });
  const manager = new CheckpointManager(partsOn(disk));
  const recovery = await manager.recovered();
  await manager.idle();
  return { manager, recovery };
}

export async function packsOf(
  folder: string,
): Promise<readonly (readonly [string, Uint8Array<ArrayBuffer>])[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(SUFFIX)).sort();
  return Promise.all(
    names.map(
      async (name) =>
        [name.slice(0, -SUFFIX.length), new Uint8Array(await readFile(join(folder, name)))] as const,
    ),
  );
}

export async function expectedOf(folder: string): Promise<unknown> {
  return JSON.parse(await readFile(join(folder, EXPECTED), "utf8"));
}
