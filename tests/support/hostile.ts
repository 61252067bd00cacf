/** What a store does with a bundle that somebody made up. */
import { CheckpointManager } from "../../src/checkpoint/manager";
import { HoldfastError } from "../../src/errors";
import { equalBytes } from "../../src/format/bytes";
import type { Imported } from "../../src/format/stored";
import { exportRun, exportRuns, filesOf, importRuns } from "./bundles";
import type { HostileFile, Parts } from "./hostile-files";
import { sampleRequest, sampleRows } from "./run-samples";
import { SimulatedDisk } from "./simulated-disk";
import { begun, partsOn, RUN } from "./store-parts";

/** The files of an honest bundle of one run with three checkpoints. */
export async function honestParts(): Promise<Parts> {
  const { manager, parts, lease } = await begun();
  await manager.appendEvent(lease, 0, { kind: "started" }, "running");
  await manager.save(lease, sampleRequest(2, sampleRows(1, 2)));
  await manager.appendEvent(lease, 2, { kind: "evaluated", metrics: { val_loss: 0.5 } });
  await manager.save(lease, sampleRequest(4, sampleRows(3, 4)));
  await manager.appendJournal(lease, sampleRows(5, 7));
  return filesOf(await exportRun(manager, parts, RUN));
}

export function emptyStore() {
  const disk = new SimulatedDisk();
  const parts = partsOn(disk);
  return { disk, parts, manager: new CheckpointManager(parts) };
}

export interface Met {
  /** Null where it came in; a word for what no error of ours says. */
  readonly code: string | null;
  /** What a refusal left behind; of what came in, that it leaves as something else. */
  readonly traces: readonly string[];
}

/** Imports it into an empty store. */
export async function meets(
  { make, honest }: Pick<HostileFile, "make" | "honest">,
  importing: typeof importRuns = importRuns,
): Promise<Met> {
  const bytes = await make();
  const file = new Blob([bytes]);
  const { disk, parts, manager } = emptyStore();
  let code: string | null = null;
  let imported: readonly Imported[] = [];
  try {
    imported = await importing(manager, parts, file);
  } catch (error) {
    code = error instanceof HoldfastError ? error.code : `another error: ${String(error)}`;
  }
  if (code === null && honest !== undefined) {
    const ids = imported.map(({ run }) => run);
    const again = await exportRuns(manager, parts, ids, { isCompact: honest === "compact" });
    const isSame = equalBytes(new Uint8Array(await again.arrayBuffer()), bytes);
    return { code, traces: isSame ? [] : ["other bytes when it is exported again"] };
  }
  if (code === null) return { code, traces: [] };
  const runs = (await manager.runs()).map(({ id }) => `run ${id}`);
  const packs = [...disk.files.values()].flatMap(({ bytes }) => (bytes.length > 0 ? ["a pack"] : []));
  const rows = await disk.catalog.read(async (tx) => [
    ...(await tx.all("data")).map(({ hash }) => `data ${hash}`),
    ...(await tx.all("packs")).map(({ name }) => `pack ${name}`),
  ]);
  return { code, traces: [...runs, ...packs, ...rows] };
}
