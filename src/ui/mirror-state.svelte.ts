/** The folder that runs are mirrored to, as the page shows it. */
import type { HoldfastPage } from "../worker/api";
import type { MirrorOptions, MirrorStatus } from "../worker/protocol";
import { allowFolder, chooseFolder } from "./folder-place";
import type { Transfers } from "./transfers.svelte";

/** What it needs of the page that it is on. */
interface MirrorHost {
  readonly api: HoldfastPage;
  readonly transfers: Transfers;
  attempt(work: () => Promise<unknown>): Promise<boolean>;
}

export class MirrorState {
  /** Null where there is none, or before it was read. */
  status = $state.raw<MirrorStatus | null>(null);
  readonly #host: MirrorHost;

  constructor(host: MirrorHost) {
    this.#host = host;
  }

  async read(): Promise<void> {
    this.status = await this.#host.api.mirror();
  }

  /** Into a folder that the person picks; what it keeps stays as it was chosen. */
  async choose(): Promise<void> {
    await this.#doing(async () => {
      const folder = await chooseFolder("readwrite");
      if (folder === null) return;
      await this.#host.api.setMirror(folder, this.status?.options ?? {});
      await this.#host.api.syncMirror();
    });
  }

  async allow(): Promise<void> {
    await this.#doing(async () => {
      const { status } = this;
      if (status === null || !(await allowFolder(status.folder))) return;
      await this.#host.api.syncMirror();
    });
  }

  /** Only the archive, or every checkpoint. */
  async keepArchive(archive: boolean): Promise<void> {
    await this.#keep((options) => ({ ...options, archive }));
  }

  /** That run too, or not. `all`: those there are; where each of them is kept, those to come are kept as well. */
  async keepRun(run: string, on: boolean, all: readonly string[]): Promise<void> {
    await this.#keep(({ runs = all, ...rest }) => {
      const chosen = [...runs.filter((id) => id !== run), ...(on ? [run] : [])];
      return all.every((id) => chosen.includes(id)) ? rest : { ...rest, runs: chosen };
    });
  }

  async #keep(change: (options: MirrorOptions) => MirrorOptions): Promise<void> {
    await this.#doing(async () => {
      if (this.status !== null)
        await this.#host.api.setMirror(this.status.folder, change(this.status.options));
    });
  }

  async sync(): Promise<void> {
    await this.#doing(() => this.#host.api.syncMirror());
  }

  async check(): Promise<void> {
    await this.#doing(() => this.#host.transfers.checkMirror(this.status?.folder.name ?? ""));
  }

  async import(): Promise<void> {
    await this.#doing(async () => {
      const folder = await chooseFolder("read");
      if (folder !== null) await this.#host.transfers.importMirror(folder);
    });
  }

  /** What is in the folder stays there. */
  async stop(): Promise<void> {
    await this.#doing(() => this.#host.api.setMirror(null));
  }

  async #doing(work: () => Promise<unknown>): Promise<void> {
    await this.#host.attempt(work);
    await this.#host.attempt(() => this.read());
  }
}
