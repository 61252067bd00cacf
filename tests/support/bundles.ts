/** Runs out of one store and into another, one to a bundle. */
import { BlobOutput } from "../../src/checkpoint/bundle-output";
import { exportBundle, exportCheckpoint } from "../../src/checkpoint/export";
import { importBundle } from "../../src/checkpoint/import";
import type { BundleForm } from "../../src/format/bundle";
import type { CheckpointManager, StoreParts } from "../../src/checkpoint/manager";

const open = () => Promise.resolve(new BlobOutput());

export function exportRun(manager: CheckpointManager, parts: StoreParts, run: string): Promise<Blob> {
  return exportRuns(manager, parts, [run]);
}

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
  const [imported] = await importBundle(manager, parts, file);
  if (imported === undefined) throw new Error("a bundle without a run");
  return imported.run;
}
