/** Files on their way out of the store and into it, each with how far it is and a way to stop it. */
import { hasCode, HoldfastError } from "../errors";
import type { HoldfastPage } from "../worker/api";
import type { DeployOptions, ExportOptions, Imported, RunStep, ToFile, Watcher } from "../worker/protocol";
import { download, fileName } from "./download";
import { choosePlace } from "./save-place";
import { mirroredWords } from "./mirror-words";
import { deployedWords, importedWords } from "./store-words";
import type { Toast } from "./toast";

export interface Transfer {
  readonly id: number;
  /** What is done, with the name of the file. */
  readonly title: string;
  readonly done: number;
  /** Bytes; 0 before anything is known. */
  readonly total: number;
  readonly cancel: () => void;
}

/** What it needs of the page that it is on. */
interface TransferHost {
  readonly api: HoldfastPage;
  attempt(work: () => Promise<unknown>): Promise<boolean>;
  toast(message: string, action?: Toast["action"]): void;
  bringBack(run: string): Promise<void>;
  refresh(): Promise<void>;
}

export class Transfers {
  /** Under way, oldest first. */
  list = $state.raw<readonly Transfer[]>([]);
  readonly #host: TransferHost;
  #ids = 0;

  constructor(host: TransferHost) {
    this.#host = host;
  }

  async exportBundle(runs: readonly string[], name: string, options: ExportOptions = {}): Promise<void> {
    await this.#export(fileName(name, "holdfast"), (to) =>
      this.#host.api.exportBundle(runs, { ...options, ...to }),
    );
  }

  async exportCheckpoint(run: string, name: string, step: number): Promise<void> {
    await this.#export(fileName(`${name} step ${step}`, "safetensors"), (to) =>
      this.#host.api.exportCheckpoint(run, step, to),
    );
  }

  /** Weights to be used elsewhere; says what storing them so costs. */
  async deploy(at: RunStep, name: string, options: Required<DeployOptions>): Promise<void> {
    const { dtype, form } = options;
    const file = fileName(`${name} step ${at.step} ${dtype}`, form === "safetensors" ? form : "zip");
    await this.#host.attempt(async () => {
      const made = await this.#host.api.deploy(at.run, at.step, options);
      download(made.file, file);
      this.#host.toast(deployedWords(file, made));
    });
  }

  /** The first run of the bundle; null where nothing came in. */
  async importBundle(file: File): Promise<string | null> {
    let first: string | null = null;
    await this.#transfer(`Importing ${file.name}`, async (watcher) => {
      const imported = await this.#host.api.importBundle(file, watcher).catch((error: unknown) => {
        if (!(error instanceof HoldfastError) || error.code === "cancelled") throw error;
        const message = `“${file.name}” was not imported. ${error.message}`;
        throw new HoldfastError(error.code, message, { cause: error });
      });
      await this.#host.refresh();
      this.#tell(file.name, imported);
      first = imported[0]?.run ?? null;
    });
    return first;
  }

  /** Brings the mirror in step now, and reads every byte of it back. */
  async checkMirror(folder: string): Promise<void> {
    await this.#transfer(`Checking the mirror in ${folder}`, async (watcher) => {
      this.#host.toast(mirroredWords(await this.#host.api.syncMirror({ ...watcher, all: true })));
    });
  }

  async importMirror(folder: FileSystemDirectoryHandle): Promise<void> {
    await this.#transfer(`Importing ${folder.name}`, async (watcher) => {
      const imported = await this.#host.api.importMirror(folder, watcher);
      await this.#host.refresh();
      this.#tell(folder.name, imported);
    });
  }

  /** What came in; where it came in as a copy because its run is in the trash, that one is offered. */
  #tell(name: string, imported: readonly Imported[]): void {
    const trashed = imported.flatMap((one) => one.trashed ?? []);
    const bringBack = (): void => trashed.forEach((run) => void this.#host.bringBack(run));
    this.#host.toast(
      importedWords(name, imported),
      trashed.length === 0 ? null : { label: "Bring back the deleted", run: bringBack },
    );
  }

  async #export(file: string, work: (to: ToFile) => Promise<Blob>): Promise<void> {
    await this.#host.attempt(async () => {
      // In the click that asked for it: later the browser would not let the page ask.
      const to = await choosePlace(file);
      if (to === null) {
        this.#host.toast(`Nothing was exported: no place was chosen for ${file}.`);
        return;
      }
      await this.#transfer(`Exporting ${file}`, async (watcher) => {
        const blob = await work(to === undefined ? watcher : { ...watcher, to });
        if (to === undefined) download(blob, file);
        this.#host.toast(`Exported ${to?.name ?? file}`);
      });
    });
  }

  async #transfer(title: string, work: (watcher: Watcher) => Promise<void>): Promise<void> {
    const ending = new AbortController();
    const id = this.#ids++;
    this.list = [
      ...this.list,
      {
        id,
        title,
        done: 0,
        total: 0,
        cancel: () => {
          ending.abort();
        },
      },
    ];
    const progress = (done: number, total: number): void => {
      this.list = this.list.map((one) => (one.id === id ? { ...one, done, total } : one));
    };
    await this.#host.attempt(async () => {
      try {
        await work({ signal: ending.signal, progress });
      } catch (error) {
        // Whoever stopped it knows.
        if (!hasCode(error, "cancelled")) throw error;
      }
    });
    this.list = this.list.filter((one) => one.id !== id);
  }
}
