/**
 * The page's one controller: what the screens, the console and an embedding app call.
 *
 * It lets at most one run train in this page, and never touches a tensor or a file. What checks what is asked for comes
 * with the first asking: the page can be used without it.
 */
import { TASKS } from "../tasks/meta";
import { VERSION } from "../version";
import type {
  ForkOptions,
  HoldfastEvent,
  HoldfastPage,
  LiveRun,
  StartOptions,
  StateEntry,
  StoredData,
} from "./api";
import { Events } from "./events";
import { Exchange, leftOutWords } from "./exchange";
import { PageWorkers } from "./page-workers";
import { dataSettings, nameOfData, settingsIn, withPaths } from "./own-data";
import type {
  Answers,
  AuditLog,
  BackendInfo,
  Changes,
  CheckpointInfo,
  Comparison,
  Config,
  DataFile,
  DataPreview,
  Deployment,
  DeployOptions,
  Drill,
  Health,
  Imported,
  Interpolation,
  JournalRows,
  MirrorOptions,
  MirrorReport,
  MirrorStatus,
  Picture,
  Policy,
  PolicyPreview,
  Question,
  RowExample,
  RunDetail,
  RunInfo,
  RunStep,
  SavedModelName,
  StorageApi,
  StorageStatus,
  SyncOptions,
  TrashedRun,
  TaskInfo,
  VerifyReport,
  Visit,
  Watcher,
  ExportOptions,
  ToFile,
} from "./protocol";
import { RunHere } from "./run-here";
import { savedModels } from "./saved-models";
import { Steps } from "./steps";
import { waitForRun } from "./wait";
import { installErrorTransfer } from "./wire-errors";

/** Starts the workers and answers once the store is open. */
export async function openHoldfast(): Promise<HoldfastPage> {
  installErrorTransfer();
  const holdfast = new Holdfast();
  await holdfast.ready();
  return holdfast;
}

class Holdfast implements HoldfastPage {
  readonly version = VERSION;
  readonly #events = new Events((event) => {
    if (event.kind === "runs") this.#here.usePolicy().catch(() => undefined);
  });
  readonly #here: RunHere = new RunHere({
    storage: () => this.#storage,
    supervisor: () => this.#workers.supervisor,
    events: this.#events,
  });
  readonly #workers: PageWorkers = new PageWorkers({ events: this.#events, here: this.#here });
  readonly #steps = new Steps({
    storage: () => this.#storage,
    trainer: () => this.#workers.trainer(),
    isOpen: (run) => this.#here.isOpen(run),
  });
  readonly #exchange = new Exchange(() => this.#storage);
  /** The step that the trainer holds until it is told to leave. */
  #visited: RunStep | null = null;

  get #storage(): StorageApi {
    return this.#workers.storage;
  }

  async ready(): Promise<void> {
    await this.#storage.status();
    this.#here.goOnAfterReload();
  }

  async backend(): Promise<BackendInfo> {
    return (await this.#workers.trainer()).backend();
  }

  tasks(): readonly TaskInfo[] {
    return TASKS;
  }

  layersModels(): Promise<readonly SavedModelName[]> {
    return savedModels();
  }

  runs(): Promise<readonly RunInfo[]> {
    return this.#storage.runs();
  }

  start(options: StartOptions): Promise<string> {
    return this.#here.inTurn(async () => {
      const { startSpec } = await import("./start-spec");
      const spec = startSpec(options, await this.#names());
      return this.#here.begin(spec.name, (trainer) => trainer.create(spec));
    });
  }

  async fork(run: string, step: number, options: ForkOptions = {}): Promise<string> {
    const { forkSpec } = await import("./fork-spec");
    const spec = forkSpec(await this.#steps.holder({ run, step }), step, options, await this.#names());
    // First, because it may take long or fail, and until then nothing should stop.
    await this.goto(spec.from.run, spec.from.step);
    return this.#here.inTurn(() =>
      this.#here.begin(spec.name, async (trainer) => {
        const child = await trainer.fork(spec);
        this.#visited = null;
        return child;
      }),
    );
  }

  async #names(): Promise<readonly string[]> {
    return (await this.#storage.runs()).map(({ name }) => name);
  }

  async goto(run: string, step: number): Promise<Visit> {
    const trainer = await this.#workers.trainer();
    this.#visited = { run, step };
    return trainer.visit({ run, step });
  }

  async leave(): Promise<void> {
    this.#visited = null;
    await this.#workers.supervisor.present?.leave();
  }

  async evaluate(run: string, step: number): Promise<Readonly<Record<string, number>>> {
    return (await this.#workers.trainer()).evaluateAt({ run, step });
  }

  async answers(run: string, step: number): Promise<Answers | null> {
    return (await this.#workers.trainer()).answersAt({ run, step });
  }

  pause(run: string): Promise<RunInfo> {
    return this.#here.pause(run);
  }

  resume(run: string): Promise<RunInfo> {
    return this.#here.resume(run, { takeOver: false, why: "asked" });
  }

  takeOver(run: string): Promise<RunInfo> {
    return this.#here.resume(run, { takeOver: true, why: "taken over from another tab" });
  }

  step(run: string): Promise<RunInfo> {
    return this.#here.openFor(run, (trainer) => trainer.step());
  }

  stop(run: string): Promise<RunInfo> {
    return this.#here.openFor(run, (trainer) => trainer.stop());
  }

  async change(run: string, { from, ...changes }: Changes & { readonly from?: number }): Promise<RunInfo> {
    await (await this.#here.open(run)).change(changes, from);
    return this.detail(run);
  }

  async extend(run: string, steps: number, options: { readonly horizon?: number } = {}): Promise<RunInfo> {
    await (await this.#here.open(run)).extend(steps, options.horizon);
    return this.detail(run);
  }

  async rename(run: string, name: string): Promise<void> {
    await this.#storage.rename(run, name);
    this.#events.tellAll({ kind: "runs" });
  }

  async pin(run: string, step: number, on = true): Promise<void> {
    const before = this.#visited;
    // Before its turn comes, because it may take long.
    if (on && (await this.#steps.mustCompute(run, step))) await this.goto(run, step);
    await this.#here.inTurn(() => this.#steps.pin(run, step, on));
    if (before === null && this.#visited !== null) await this.leave();
    this.#events.tellAll({ kind: "runs" });
  }

  async annotate(
    run: string,
    {
      step,
      tags,
      note,
    }: { readonly step?: number; readonly tags?: readonly string[]; readonly note?: string },
  ): Promise<void> {
    const change = { ...(tags && { tags }), ...(note !== undefined && { note }) };
    if (step === undefined) await this.#storage.describe(run, change);
    else await this.#steps.mark({ run, step }, change);
    this.#events.tellAll({ kind: "runs" });
  }

  async setPolicy(run: string, policy: Policy): Promise<void> {
    const { checkPolicy } = await import("./start-spec");
    checkPolicy(policy);
    await this.#storage.setPolicy(run, policy);
    // A trainer that is being replaced reads it when it opens the run.
    await this.#here.usePolicy().catch(() => undefined);
    this.#events.tellAll({ kind: "runs" });
  }

  async preview(run: string, policy: Policy): Promise<PolicyPreview> {
    const { checkPolicy } = await import("./start-spec");
    checkPolicy(policy);
    return this.#storage.preview(run, policy);
  }

  remove(run: string): Promise<void> {
    return this.#here.inTurn(async () => {
      if (this.#here.isOpen(run)) await this.#here.close();
      await this.#storage.remove(run);
      this.#events.tellAll({ kind: "runs" });
    });
  }

  async undoRemove(run: string): Promise<void> {
    await this.#storage.undoRemove(run);
    this.#events.tellAll({ kind: "runs" });
  }

  trash(): Promise<readonly TrashedRun[]> {
    return this.#storage.trash();
  }

  async emptyTrash(run?: string): Promise<void> {
    await this.#storage.emptyTrash(run);
    this.#events.tellAll({ kind: "runs" });
  }

  waitFor(
    run: string,
    what: { readonly step?: number; readonly status?: RunInfo["status"] },
  ): Promise<RunInfo> {
    return waitForRun(this, run, what);
  }

  digest(run: string, step?: number): Promise<string> {
    return this.#steps.digest(run, step);
  }

  state(run: string, step?: number): Promise<Map<string, StateEntry>> {
    return this.#steps.state(run, step);
  }

  async losses(run: string, from?: number, to?: number): Promise<Float32Array> {
    return (await this.journal(run, from, to)).loss;
  }

  checkpoints(run: string): Promise<readonly CheckpointInfo[]> {
    return this.#storage.checkpoints(run);
  }

  compare(...steps: readonly RunStep[]): Promise<Comparison> {
    return this.#steps.compare(steps);
  }

  interpolate(a: RunStep, b: RunStep, options: Watcher = {}): Promise<Interpolation> {
    return this.#steps.interpolate(a, b, options);
  }

  storage(): Promise<StorageStatus> {
    return this.#storage.status();
  }

  audit(run?: string): Promise<AuditLog> {
    return this.#storage.audit(run);
  }

  health(): Promise<Health> {
    return this.#storage.health();
  }

  verify({ all = false }: { readonly all?: boolean } = {}): Promise<VerifyReport> {
    return this.#storage.verify(all);
  }

  async drill(run: string, step?: number): Promise<Drill> {
    return (await this.#workers.trainer()).rehearse(run, step);
  }

  subscribe(listener: (event: HoldfastEvent) => void): () => void {
    return this.#events.subscribe(listener);
  }

  detail(run: string): Promise<RunDetail> {
    return this.#storage.detail(run);
  }

  journal(run: string, from?: number, to?: number): Promise<JournalRows> {
    return this.#storage.journal(run, from, to);
  }

  live(run: string): LiveRun | null {
    return this.#events.live(run);
  }

  async addData(
    task: string,
    files: File | readonly (File | DataFile)[],
    config: Config = {},
  ): Promise<StoredData> {
    const list = withPaths(files);
    const settings = dataSettings(task, config);
    const added = await (await this.#workers.trainer()).addData(task, settings, list);
    return { ...added, name: nameOfData(list) };
  }

  async previewData(task: string, hash: string, config: Config = {}): Promise<DataPreview> {
    const settings = dataSettings(task, config);
    return (await this.#workers.trainer()).previewData(task, settings, hash);
  }

  async madeUpProblem(task: string, seed: number, config: Config = {}): Promise<string | null> {
    const settings = settingsIn(task, config);
    return (await this.#workers.trainer()).madeUpProblem(task, settings, seed);
  }

  async picture(run: string, step?: number): Promise<Picture> {
    const live = this.#events.live(run)?.picture;
    if (step === undefined && live != null) return live;
    const at = step ?? (await this.#newest(run));
    return (await this.#workers.trainer()).pictureOf({ run, step: at });
  }

  async ask(run: string, question: Question, step?: number): Promise<Picture> {
    const trainer = await this.#workers.trainer();
    if (step !== undefined) return trainer.askAt({ run, step }, question);
    return trainer.askNow({ run, step: await this.#newest(run) }, question);
  }

  async example(run: string, index: number): Promise<RowExample> {
    return (await this.#workers.trainer()).example(run, index);
  }

  /** Step of the newest checkpoint. */
  async #newest(run: string): Promise<number> {
    return (await this.checkpoints(run)).reduce((newest, info) => Math.max(newest, info.step), 0);
  }

  async deploy(run: string, step: number, options: DeployOptions = {}): Promise<Deployment> {
    return (await this.#workers.trainer()).deploy({ run, step }, options);
  }

  exportCheckpoint(run: string, step: number, options: ToFile = {}): Promise<Blob> {
    return this.#exchange.exportCheckpoint(run, step, options);
  }

  async exportBundle(runs: string | readonly string[], options: ExportOptions = {}): Promise<Blob> {
    const exported = await this.#exchange.exportBundle(typeof runs === "string" ? [runs] : runs, options);
    if (exported.leftOut.length > 0) this.#events.notice("warning", null, leftOutWords(exported));
    return exported.file;
  }

  async importBundle(file: Blob, options: Watcher = {}): Promise<readonly Imported[]> {
    const imported = await this.#exchange.importBundle(file, options);
    this.#events.tellAll({ kind: "runs" });
    return imported;
  }

  mirror(): Promise<MirrorStatus | null> {
    return this.#storage.mirror();
  }

  setMirror(folder: FileSystemDirectoryHandle | null, options: MirrorOptions = {}): Promise<void> {
    return this.#storage.setMirror(folder, options);
  }

  syncMirror(options: SyncOptions = {}): Promise<MirrorReport> {
    return this.#exchange.syncMirror(options);
  }

  async importMirror(folder: FileSystemDirectoryHandle, options: Watcher = {}): Promise<readonly Imported[]> {
    const { imported, damage } = await this.#exchange.importMirror(folder, options);
    this.#events.tellAll({ kind: "runs" });
    if (damage.length > 0)
      this.#events.notice("warning", null, `Damaged in the folder, and not imported: ${damage.join(" ")}`);
    return imported;
  }
}
