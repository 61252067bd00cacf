/** Runs out of the store as files, and into it: the page's side. */
import { transfer } from "comlink";
import { HoldfastError } from "../errors";
import { asJob } from "./job";
import type { Exported, ExportOptions, Imported, StorageApi, ToFile, Watcher } from "./protocol";

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

  importBundle(file: Blob, job: Watcher): Promise<readonly Imported[]> {
    return asJob(job, (port) => this.#storage().importBundle(file, transfer(port, [port])));
  }
}

/** What a bundle lacks, for a person; at least one checkpoint. */
export function leftOutWords({ leftOut }: Exported): string {
  const runs = new Set(leftOut.map(({ run }) => run)).size;
  const each = leftOut
    .map(({ run, step, why }) => `step ${step}${runs > 1 ? ` of ${run}` : ""} (${why})`)
    .join(", ");
  return `The bundle is without ${leftOut.length === 1 ? "a damaged checkpoint" : `${leftOut.length} damaged checkpoints`}: ${each}`;
}
