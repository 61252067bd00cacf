/** Runs out of one store and into another: the one place where tests of whole bundles call the exporter and the importer. */
import { BlobOutput } from "../../src/exchange/bundle-output";
import { exportBundle, exportCheckpoint } from "../../src/exchange/export";
import { importBundle } from "../../src/exchange/import";
import type { CheckpointManager, StoreParts } from "../../src/checkpoint/manager";
import type { BundleForm } from "../../src/format/bundle";
import { concat, type Bytes } from "../../src/format/bytes";
import type { Imported } from "../../src/format/stored";
import { ZipReader } from "../../src/format/zip";
import { bytesSource } from "./bytes-source";

const open = () => Promise.resolve(new BlobOutput());

export async function exportRuns(
  manager: CheckpointManager,
  parts: StoreParts,
  runs: readonly string[],
  form: Partial<BundleForm> = {},
): Promise<Blob> {
  const chosen = runs.map((run) => ({ run, steps: null }));
  const request = { isCompact: false, hasData: true, ...form, runs: chosen, open };
  return (await exportBundle(manager, parts, request)).file;
}

export function importRuns(
  manager: CheckpointManager,
  parts: StoreParts,
  file: Blob,
): Promise<readonly Imported[]> {
  return importBundle(manager, parts, file);
}

export function exportRun(manager: CheckpointManager, parts: StoreParts, run: string): Promise<Blob> {
  return exportRuns(manager, parts, [run]);
}

export function exportState(
  manager: CheckpointManager,
  parts: StoreParts,
  run: string,
  step: number,
): Promise<Blob> {
  return exportCheckpoint(manager, parts, { run, step }, open);
}

/** Returns the id that it has here. */
export async function importRun(manager: CheckpointManager, parts: StoreParts, file: Blob): Promise<string> {
  const [imported] = await importRuns(manager, parts, file);
  if (imported === undefined) throw new Error("a bundle without a run");
  return imported.run;
}

/** The files of a bundle, in order. */
export async function filesOf(file: Blob): Promise<ReadonlyMap<string, Bytes>> {
  const zip = await ZipReader.open(bytesSource(new Uint8Array(await file.arrayBuffer()), 1 << 20));
  const files = new Map<string, Bytes>();
  for (const entry of zip.entries) {
    const pieces: Bytes[] = [];
    for await (const piece of zip.pieces(entry)) pieces.push(piece);
    files.set(entry.name, concat(pieces));
  }
  return files;
}
