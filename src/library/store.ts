/** The store of this site, and the runs in it. */
import { transfer } from "comlink";
import { HoldfastError } from "../errors";
import { sameEnvironment } from "../format/environment";
import type {
  Exported,
  ExportOptions,
  Imported,
  RunDetail,
  RunInfo,
  StorageStatus,
  TrashedRun,
  Watcher,
} from "../format/stored";
import type { State } from "../format/tensors";
import type { StorageApi } from "../worker/protocol";
import { Exchange } from "../worker/exchange";
import { StorageClient } from "../worker/storage-client";
import { installErrorTransfer } from "../worker/wire-errors";
import { checkedFile } from "./checked-file";
import { checkedAt, checkedId, checkedName, checkedOptions, checkedState, checkTrainer } from "./checked";
import {
  checkSame,
  environmentOf,
  newRecord,
  policyOf,
  type Asked,
  type Listener,
  type PolicyOptions,
  type RunSettings,
} from "./record";
import { Run } from "./run";
import { buffersOf } from "./saves";
import type { Trainer } from "./trainer";

/** What a run is to be, who hears of its saves, and whether it is taken from another tab. */
export interface OpenOptions extends RunSettings, Listener {
  /** For a run that is there already: its policy from now on. Default: the one that it has. */
  readonly policy?: PolicyOptions;
  /** Take the run from another tab, which is told `fenced` and changes nothing more. Default: `busy` is thrown. */
  readonly takeOver?: boolean;
  /**
   * Why steps that the journal has already may give other numbers this time, beside the trainer's own reasons, as
   * `["The code changed."]`: the run goes on from its checkpoint, and they are not compared.
   */
  readonly inexact?: readonly string[];
}

const NOTHING = new Uint8Array(0);
const NO_TIMES = { stall: 0, held: 0, readBack: 0 };

/**
 * Starts the storage worker and answers once the store is open. Where the browser refuses to store (a private window,
 * blocked site data) everything is in memory, and `status()` says so. `unsupported` in a page that is no secure context, as by
 * plain HTTP: HTTPS or localhost is needed.
 *
 * @example
 * const store = await openStore();
 */
export async function openStore(): Promise<Store> {
  installErrorTransfer();
  // Every call under way and every later one says so itself.
  const client = new StorageClient(() => undefined);
  const store = new Store(client);
  await store.status();
  return store;
}

/** All runs of this site, in OPFS and IndexedDB behind a worker. Calls answer or fail: `worker-died` where it ended. */
export class Store {
  readonly #client: Pick<StorageClient, "api" | "end">;
  readonly #open = new Set<Run>();
  readonly #exchange = new Exchange(() => this.#api);

  /** @internal Made by `openStore`. */
  constructor(client: Pick<StorageClient, "api" | "end">) {
    this.#client = client;
  }

  /**
   * Opens a run by its name. Where there is none, makes it, durable with its data and first state before this resolves;
   * otherwise restores its newest whole checkpoint into the trainer. Throws `busy` where another tab has the run open,
   * `invalid` where it was begun with something else than what is asked for, or where its state does not fit the trainer.
   *
   * @example
   * const run = await store.open("digits", trainer, { seed: 7, settings: { batch: 32 } });
   */
  async open(name: string, trainer: Trainer, options: OpenOptions = {}): Promise<Run> {
    checkTrainer(trainer);
    const asked = checkedOptions(options);
    // Two tabs that open a new name at once would make two runs of it.
    return navigator.locks.request(`holdfast/open/${checkedName(name)}`, async () => {
      const found = (await this.runs()).filter((run) => run.name === name);
      if (found.length > 1)
        throw new HoldfastError("invalid", `${found.length} runs are named "${name}". Rename or remove one.`);
      const [known] = found;
      const run = await (known === undefined
        ? this.#begin(name, trainer, asked)
        : this.#resume(known.id, trainer, asked));
      this.#open.add(run);
      return run;
    });
  }

  /** All runs of this site, newest first. */
  runs(): Promise<readonly RunInfo[]> {
    return this.#api.runs();
  }

  /** A run with its record, events and checkpoints. */
  async detail(run: string): Promise<RunDetail> {
    return this.#api.detail(checkedId(run));
  }

  /** The state of exactly this checkpoint. `missing` where there is none, `corrupt` where it is damaged. */
  async state(run: string, step: number): Promise<State> {
    return this.#api.state(checkedId(run), checkedAt(step));
  }

  /** Losses of steps `from` … `to`, both included; NaN where none was told. Default: all. */
  async losses(run: string, from?: number, to?: number): Promise<Float32Array<ArrayBuffer>> {
    return (await this.#api.journal(checkedId(run), from, to)).loss;
  }

  /** What the run was begun with as `data`. */
  async data(run: string): Promise<Uint8Array<ArrayBuffer>> {
    const { record } = await this.detail(run);
    return this.#api.getData(record.data.hash);
  }

  async rename(run: string, name: string): Promise<void> {
    await this.#api.rename(checkedId(run), checkedName(name));
  }

  /** Keeps a checkpoint whatever the policy, or no longer. `missing` where that step has none. */
  async pin(run: string, step: number, on = true): Promise<void> {
    const { name, checkpointList } = await this.detail(run);
    const at = checkedAt(step);
    if (on && !checkpointList.some((checkpoint) => checkpoint.step === at))
      throw new HoldfastError("missing", `"${name}" has no checkpoint of step ${at} to pin. Save one there.`);
    await this.#api.mark(run, at, { pinned: on });
  }

  /** To the trash, where it can be brought back from for seven days. `busy` while it is open anywhere. */
  async remove(run: string): Promise<void> {
    await this.#api.remove(checkedId(run));
  }

  /** What can be brought back, last removed first; where space is short it goes sooner. */
  trash(): Promise<readonly TrashedRun[]> {
    return this.#api.trash();
  }

  /** Brings a run back. `missing` once it is gone for good. */
  async undoRemove(run: string): Promise<void> {
    await this.#api.undoRemove(checkedId(run));
  }

  /** Frees what is in the trash, or one run of it, for good. */
  async emptyTrash(run?: string): Promise<void> {
    await this.#api.emptyTrash(run === undefined ? undefined : checkedId(run));
  }

  /**
   * Runs with everything that they need to go on elsewhere, in one file; and what was left out of it, being damaged:
   * checkpoints, and of several runs those without a whole checkpoint or whole data. `missing` or `corrupt` where no run is
   * left, `quota` where there is no room for the file.
   *
   * @example
   * const to = await showSaveFilePicker({ suggestedName: "digits.holdfast" });
   * await store.export(run.id, { to, compact: true });
   */
  async export(runs: string | readonly string[], options: ExportOptions = {}): Promise<Exported> {
    return this.#exchange.exportBundle([runs].flat().map(checkedId), options);
  }

  /** Verified as a whole first, then visible. Throws `corrupt`, `unsupported` or `cancelled`, and nothing stays. */
  async import(bundle: Blob, watcher: Watcher = {}): Promise<readonly Imported[]> {
    return this.#exchange.importBundle(checkedFile(bundle), watcher);
  }

  /** Where the store is, how full, and whether the browser may evict it. */
  status(): Promise<StorageStatus> {
    return this.#api.status();
  }

  /**
   * Asks the browser not to evict this site's storage; some ask the person. Answers whether it is granted. From a
   * window only: a worker cannot ask.
   */
  persist(): Promise<boolean> {
    return navigator.storage.persist();
  }

  /** Closes all open runs and ends the storage worker. */
  async close(): Promise<void> {
    const closed = await Promise.allSettled([...this.#open].map((run) => run.close()));
    this.#client.end("The store was closed. Open it again.");
    const failed = closed.find((one) => one.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  }

  get #api(): StorageApi {
    return this.#client.api;
  }

  async #begin(name: string, trainer: Trainer, options: Asked): Promise<Run> {
    const { policy = policyOf({}) } = options;
    const environment = environmentOf(trainer.machine);
    const hash = await this.#api.putData(options.data?.bytes ?? NOTHING);
    const record = newRecord(name, options, { policy, environment, hash });
    const position = { step: 0, samples: 0 };
    const state = checkedState(await trainer.read(), position);
    const first = {
      state,
      rows: null,
      reason: "start",
      metrics: {},
      environment,
      times: NO_TIMES,
    } as const;
    const { lease } = await this.#api.createRun(record, transfer(first, buffersOf(state)));
    return this.#opened({ record, policy, lease, trainer, environment, position, options, isNew: true });
  }

  async #resume(id: string, trainer: Trainer, options: Asked): Promise<Run> {
    const environment = environmentOf(trainer.machine);
    const hash = options.data === undefined ? null : await this.#api.putData(options.data.bytes);
    checkSame((await this.#api.detail(id)).record, options, hash);
    const lease = await this.#api.acquire(id, { takeOver: options.takeOver ?? false });
    try {
      if (options.policy !== undefined) await this.#api.setPolicy(id, options.policy);
      // Asked again: only from now on can nobody else change it.
      const { record, step: end, events } = await this.#api.detail(id);
      const { checkpoint, state, environment: before, skipped } = await this.#api.restore(id);
      await trainer.restore(state);
      const { step, samples } = state.scalars;
      return this.#opened({
        record,
        policy: record.policy,
        lease,
        trainer,
        environment,
        position: { step, samples },
        known: end > step ? await this.#api.journal(id, step + 1, end) : null,
        restored: {
          checkpoint,
          behind: Math.max(0, end - step),
          environmentChanged: !sameEnvironment(before, environment),
          damaged: skipped.map((one) => `step ${one.step}: ${one.message}`),
        },
        options,
        isNew: !events.some(({ kind }) => kind === "started"),
      });
    } catch (error) {
      await this.#api.release(lease);
      throw error;
    }
  }

  #opened({
    options,
    ...parts
  }: Omit<
    ConstructorParameters<typeof Run>[0],
    "storage" | "listener" | "isExact" | "closed" | "known" | "restored"
  > &
    Partial<Pick<ConstructorParameters<typeof Run>[0], "known" | "restored">> & {
      readonly options: Asked;
    }): Run {
    const run: Run = new Run({
      known: null,
      restored: null,
      ...parts,
      storage: this.#api,
      listener: options,
      isExact: [...(parts.trainer.inexact ?? []), ...(options.inexact ?? [])].length === 0,
      closed: () => this.#open.delete(run),
    });
    return run;
  }
}
