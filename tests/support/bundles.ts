/** Runs out of one store and into another, one to a bundle. */
import { exportBundle } from "../../src/checkpoint/export";
import { importBundle } from "../../src/checkpoint/import";
import type { CheckpointManager, StoreParts } from "../../src/checkpoint/manager";

export function exportRun(manager: CheckpointManager, parts: StoreParts, run: string): Promise<Blob> {
  return exportBundle(manager, parts, [run]);
}

/** Returns the id that it has here. */
export async function importRun(manager: CheckpointManager, parts: StoreParts, file: Blob): Promise<string> {
  const [imported] = await importBundle(manager, parts, file);
  if (imported === undefined) throw new Error("a bundle without a run");
  return imported.run;
}
