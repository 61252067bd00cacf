/** Runs out of the store as files, and into it: the page's side. */
import { transfer } from "comlink";
import { HoldfastError } from "../errors";
import { asJob } from "./job";
import type {
  Exported,
  ExportOptions,
  Imported,
  LeftOut,
  MirrorImport,
  MirrorReport,
  StorageApi,
  SyncOptions,
  ToFile,
  Watcher,
} from "./protocol";

export class Exchange {
  readonly #storage: () => StorageApi;

  /** The storage worker may be another one each time. */
  constructor(storage: () => StorageApi) {
    this.#storage = storage;
  }

  exportCheckpoint(run: string, step: number, { to, ...job }: ToFile): Promise<Blob> {
    return asJob(job, (port) =>
      this.#storage().exportCheckpoint({ run, step }, to ?? null, transfer(port, [port])),
    );
  }

  async exportBundle(
    runs: readonly string[],
    { steps, compact = false, data = true, to, ...job }: ExportOptions,
  ): Promise<Exported> {
    if (runs.length === 0) throw new HoldfastError("invalid", "A bundle needs at least one run.");
    if (steps !== undefined && (runs.length > 1 || steps.length === 0))
      throw new HoldfastError("invalid", "`steps` names checkpoints of one run, at least one.");
    const chosen = runs.map((run) => ({ run, steps: steps ?? null }));
    const choice = { runs: chosen, isCompact: compact, hasData: data, to: to ?? null };
    return asJob(job, (port) => this.#storage().exportBundle(choice, transfer(port, [port])));
  }

  syncMirror({ all = false, ...job }: SyncOptions): Promise<MirrorReport> {
    return asJob(job, (port) => this.#storage().syncMirror(all, transfer(port, [port])));
  }

  importMirror(folder: FileSystemDirectoryHandle, job: Watcher): Promise<MirrorImport> {
    return asJob(job, (port) => this.#storage().importMirror(folder, transfer(port, [port])));
  }

  importBundle(file: Blob, job: Watcher): Promise<readonly Imported[]> {
    return asJob(job, (port) => this.#storage().importBundle(file, transfer(port, [port])));
  }
}

/** What a bundle lacks, for a person; at least one run or checkpoint. */
export function leftOutWords({ leftOut }: Exported): string {
  const runs = leftOut.filter(({ step }) => step === null);
  const checkpoints = leftOut.filter(({ step }) => step !== null);
  const names = new Set(checkpoints.map(({ run }) => run)).size > 1 || runs.length > 0;
  const parts = [
    counted(runs, "a run", "runs", ({ name }) => `"${name}"`),
    counted(
      checkpoints,
      "a checkpoint",
      "checkpoints",
      ({ name, step }) => `step ${step}${names ? ` of "${name}"` : ""}`,
    ),
  ];
  return `The bundle is without ${parts.filter((part) => part !== null).join("; and without ")}`;
}

/** Null where there are none. */
function counted(
  items: readonly LeftOut[],
  one: string,
  many: string,
  nameOf: (item: LeftOut) => string,
): string | null {
  if (items.length === 0) return null;
  const each = items.map((item) => `${nameOf(item)} (${item.why})`);
  return `${items.length === 1 ? one : `${items.length} ${many}`}: ${each.join(", ")}`;
}
