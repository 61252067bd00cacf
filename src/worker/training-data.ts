/** The data of runs on its way between files, the store and a model: what a person brought, or what a task makes by itself. */
import type { Task } from "../engine/task";
import { hasCode, HoldfastError } from "../errors";
import type { DataPreview, GivenFile, ReadFiles } from "../format/dataset";
import type { RowExample } from "../format/question";
import { loadTask } from "../tasks";
import { unpacked } from "./given-files";
import type { AddedData, Config, DataFile, RunRecord, RunStorageApi } from "./protocol";

export class TrainingData {
  readonly #storage: Pick<RunStorageApi, "putData" | "getData">;
  /** What was used last is used next: by the form, the start, and each model that goes back to a step. */
  #last: { readonly hash: string; readonly bytes: Uint8Array<ArrayBuffer> } | null = null;

  constructor(storage: Pick<RunStorageApi, "putData" | "getData">) {
    this.#storage = storage;
  }

  /** Files as the task reads them, stored. */
  async add(task: string, config: Config, files: readonly DataFile[]): Promise<AddedData> {
    const loaded = await loadTask(task);
    const { info } = loaded;
    if (info.file === null) throw new HoldfastError("invalid", `${info.title} makes its own data only.`);
    const given = await unpacked(files, info.file.maxBytes);
    const { bytes, notes } = loaded.read === undefined ? asItIs(given) : await loaded.read(given);
    const preview = previewOf(loaded, bytes, config);
    return { hash: await this.put(bytes), bytes: bytes.length, preview, notes };
  }

  /** The same data with other settings. */
  async preview(task: string, config: Config, hash: string): Promise<DataPreview> {
    return previewOf(await loadTask(task), await this.get(hash), config);
  }

  /** Why the data that the task makes by itself cannot be trained on; null where it can. Nothing of it is kept. */
  async madeUpProblem(task: string, config: Config, seed: number): Promise<string | null> {
    const loaded = await loadTask(task);
    return problemOf(() => {
      if (loaded.inspectMadeUp === undefined) loaded.inspect(loaded.generate(config, seed), config);
      else loaded.inspectMadeUp(config, seed);
    });
  }

  /** A held-out row of a run's table. */
  async example(record: RunRecord, index: number): Promise<RowExample> {
    const task = await loadTask(record.task);
    const example = task.example?.(await this.of(task, record), record.config, index);
    if (example !== undefined) return example;
    throw new HoldfastError("invalid", `The data of the task ${record.task} has no rows to ask by.`);
  }

  /** Stores bytes, which must not be written to any more; returns their SHA-256, hex. */
  async put(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
    const hash = await this.#storage.putData(bytes);
    this.#last = { hash, bytes };
    return hash;
  }

  /** The bytes with this SHA-256, not to be written to. `missing` or `corrupt` where the store has none that are whole. */
  async get(hash: string): Promise<Uint8Array<ArrayBuffer>> {
    if (this.#last?.hash !== hash) this.#last = { hash, bytes: await this.#storage.getData(hash) };
    return this.#last.bytes;
  }

  /** What a task made by itself it can make again, where it did not come along with the run. */
  async of(task: Task, { data, config, seed }: RunRecord): Promise<Uint8Array<ArrayBuffer>> {
    try {
      return await this.get(data.hash);
    } catch (error) {
      if (!hasCode(error, "missing") || data.origin !== "generated") throw error;
      const bytes = task.generate(config, seed);
      if ((await this.put(bytes)) !== data.hash) throw error;
      return bytes;
    }
  }
}

/** The check is the one that a start makes: what it refuses here, it refuses there in the same words. */
function previewOf(task: Task, bytes: Uint8Array<ArrayBuffer>, config: Config): DataPreview {
  const seen = task.preview?.(bytes, config) ?? { notes: [], panels: [] };
  const problem = problemOf(() => task.inspect(bytes, config));
  return problem === null ? seen : { ...seen, problem };
}

/** Settings can be corrected once the data is seen. */
function problemOf(inspect: () => unknown): string | null {
  try {
    inspect();
    return null;
  } catch (error) {
    if (!hasCode(error, "invalid")) throw error;
    return error.message;
  }
}

/** The data of a task that reads one file as it is. */
function asItIs(files: readonly GivenFile[]): ReadFiles {
  const [file, ...more] = files;
  if (file === undefined || more.length > 0) {
    throw new HoldfastError("invalid", `There are ${files.length} files; this task reads one.`);
  }
  return { bytes: file.bytes, notes: [] };
}
