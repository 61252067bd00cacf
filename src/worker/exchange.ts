/** Runs out of the store as files, and into it: the page's side. */
import { transfer } from "comlink";
import { HoldfastError } from "../errors";
import type { ExportOptions, ToFile } from "./api";
import { asJob } from "./job";
import type { Exported, Imported, StorageApi, Watcher } from "./protocol";

interface ExchangeParts {
  readonly storage: () => StorageApi;
  /** Says something to the person. */
  readonly notice: (message: string) => void;
}

export class Exchange {
  readonly #parts: ExchangeParts;

  constructor(parts: ExchangeParts) {
    this.#parts = parts;
  }

  exportCheckpoint(run: string, step: number, { to, ...job }: ToFile): Promise<Blob> {
    return asJob(job, (port) =>
      this.#parts.storage().exportCheckpoint({ run, step }, to ?? null, transfer(port, [port])),
    );
  }

  async exportBundle(
    runs: readonly string[],
    { steps, compact = false, data = true, to, ...job }: ExportOptions,
  ): Promise<Blob> {
    if (runs.length === 0) throw new HoldfastError("invalid", "A bundle needs at least one run.");
    if (steps !== undefined && (runs.length > 1 || steps.length === 0))
      throw new HoldfastError("invalid", "`steps` names checkpoints of one run, at least one.");
    const chosen = runs.map((run) => ({ run, steps: steps ?? null }));
    const choice = { runs: chosen, isCompact: compact, hasData: data, to: to ?? null };
    const exported = await asJob(job, (port) =>
      this.#parts.storage().exportBundle(choice, transfer(port, [port])),
    );
    if (exported.leftOut.length > 0) this.#parts.notice(leftOutWords(exported));
    return exported.file;
  }

  importBundle(file: Blob, job: Watcher): Promise<readonly Imported[]> {
    return asJob(job, (port) => this.#parts.storage().importBundle(file, transfer(port, [port])));
  }
}

function leftOutWords({ leftOut }: Exported): string {
  const each = leftOut.map(({ step, why }) => `step ${step} (${why})`).join(", ");
  return `The bundle is without ${leftOut.length === 1 ? "a damaged checkpoint" : `${leftOut.length} damaged checkpoints`}: ${each}`;
}
