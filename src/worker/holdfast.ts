/**
 * The page's one controller: what the screens, the console and an embedding app call.
 *
 * It owns the two workers through their clients, lets at most one run train in this page, and tells what happens,
 * here and in other tabs. It never touches a tensor or a file.
 */
import { HoldfastError, hasCode, messageOf } from "../errors";
import { TASKS, taskInfo, withDefaults } from "../tasks/meta";
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
  OpenOptions,
  Picture,
  Policy,
  PolicyPreview,
  Question,
  RunDetail,
  RunInfo,
  RunStep,
  SavedModelName,
  StorageApi,
  StorageStatus,
  SyncOptions,
  TrashedRun,
  TaskInfo,
  TrainApi,
  VerifyReport,
  Visit,
  Watcher,
  ExportOptions,
  ToFile,
} from "./protocol";
import { savedModels } from "./saved-models";
import { Steps } from "./steps";
import { StorageWatch } from "./storage-watch";
import { Supervisor } from "./supervisor";
import { waitForRun } from "./wait";
import { installErrorTransfer } from "./wire-errors";

/** Opened to be looked at or changed. */
const AT_REST: OpenOptions = { takeOver: false, why: "asked", toTrain: false };
/** Why a run rests that no other one took the place of. */
const CLOSED = "the run was closed in this tab";

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
    if (event.kind === "runs") this.#usePolicy().catch(() => undefined);
  });
  readonly #supervisor: Supervisor;
  readonly #watch: StorageWatch;
  /** The run that the trainer has open, and which trainer that is: a new worker has none. */
  #opened: { readonly trainer: TrainApi; readonly run: string } | null = null;
  /** One thing at a time that opens, closes or starts a run. */
  #turn: Promise<unknown> = Promise.resolve();
  readonly #steps = new Steps({
    storage: () => this.#storage,
    trainer: () => this.#supervisor.trainer(),
    isOpen: (run) => this.#opened?.run === run,
  });
  readonly #exchange = new Exchange(() => this.#storage);
  /** The step that the trainer holds until it is told to leave. */
  #visited: RunStep | null = null;
  #persistenceAsked = false;

  constructor() {
    this.#watch = new StorageWatch({
      // The trainer's way to the store died with it, so both are replaced; the run goes on from its checkpoint.
      replaced: (message) => {
        this.#opened = null;
        void this.#supervisor.recover("worker-died", message);
      },
      trouble: (message) => {
        this.#events.notice("warning", null, message);
      },
    });
    this.#supervisor = new Supervisor({
      storage: () => this.#watch.client,
      hear: (event) => {
        this.#hear(event);
      },
      ended: (run) => {
        this.#forget(run);
      },
      recovered: (trainer, run) => {
        this.#nowOpen(trainer, run);
      },
      notice: (level, run, message) => {
        this.#events.notice(level, run, message);
        this.#events.tell({ kind: "runs" });
      },
      takenOver: (run) => {
        const tell = (name: string): void => {
          const message = `Another tab took ${name} over and goes on with it there.`;
          this.#events.notice("info", run, message);
          this.#events.tell({ kind: "runs" });
        };
        this.detail(run).then(
          ({ name }) => {
            tell(`“${name}”`);
          },
          () => {
            tell("this run");
          },
        );
      },
      reload: () => {
        location.reload();
      },
      visible: () => document.visibilityState === "visible",
    });
    this.#watchPage();
  }

  get #storage(): StorageApi {
    return this.#watch.client.api;
  }

  async ready(): Promise<void> {
    await this.#storage.status();
    const run = this.#supervisor.takeResume();
    if (run === null) return;
    // Nobody is to be asked meanwhile whether it should go on.
    this.#events.tell({ kind: "phase", run, phase: { kind: "restoring" } });
    this.#resume(run, { takeOver: false, why: "the page was loaded again" }).catch((error: unknown) => {
      this.#events.tell({ kind: "phase", run, phase: { kind: "idle" } });
      this.#events.tell({ kind: "runs" });
      // Chromium counts only a person's reload as a reason to trust the GPU again.
      if (hasCode(error, "adapter-missing")) this.#supervisor.resumeAfterReload(run);
      this.#events.notice("error", run, messageOf(error));
    });
  }

  async backend(): Promise<BackendInfo> {
    return (await this.#supervisor.trainer()).backend();
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
    return this.#inTurn(async () => {
      const { startSpec } = await import("./start-spec");
      const spec = startSpec(options, await this.#names());
      const trainer = await this.#leaveOther(null, startedWords(spec.name));
      return this.#begin(trainer, await trainer.create(spec));
    });
  }

  async fork(run: string, step: number, options: ForkOptions = {}): Promise<string> {
    const { forkSpec } = await import("./fork-spec");
    const spec = forkSpec(await this.#steps.holder({ run, step }), step, options, await this.#names());
    // First, because it may take long or fail, and until then nothing should stop.
    await this.goto(spec.from.run, spec.from.step);
    return this.#inTurn(async () => {
      const trainer = await this.#leaveOther(null, startedWords(spec.name));
      const child = await trainer.fork(spec);
      this.#visited = null;
      return this.#begin(trainer, child);
    });
  }

  async #names(): Promise<readonly string[]> {
    return (await this.#storage.runs()).map(({ name }) => name);
  }

  async goto(run: string, step: number): Promise<Visit> {
    const trainer = await this.#supervisor.trainer();
    this.#visited = { run, step };
    return trainer.visit({ run, step });
  }

  async leave(): Promise<void> {
    this.#visited = null;
    await this.#supervisor.present?.leave();
  }

  async evaluate(run: string, step: number): Promise<Readonly<Record<string, number>>> {
    return (await this.#supervisor.trainer()).evaluateAt({ run, step });
  }

  async answers(run: string, step: number): Promise<Answers | null> {
    return (await this.#supervisor.trainer()).answersAt({ run, step });
  }

  pause(run: string): Promise<RunInfo> {
    return this.#inTurn(async () => {
      // A recovery that is under way is waited for: what it brings back is what is to be paused.
      const trainer = await this.#supervisor.trainer();
      if (this.#opened?.run !== run || this.#opened.trainer !== trainer) throw notHere();
      await trainer.pause("asked");
      return this.detail(run);
    });
  }

  resume(run: string): Promise<RunInfo> {
    return this.#resume(run, { takeOver: false, why: "asked" });
  }

  takeOver(run: string): Promise<RunInfo> {
    return this.#resume(run, { takeOver: true, why: "taken over from another tab" });
  }

  step(run: string): Promise<RunInfo> {
    return this.#inTurn(async () => {
      await (await this.#openHere(run)).step();
      return this.detail(run);
    });
  }

  stop(run: string): Promise<RunInfo> {
    return this.#inTurn(async () => {
      await (await this.#openHere(run)).stop();
      return this.detail(run);
    });
  }

  async change(run: string, { from, ...changes }: Changes & { readonly from?: number }): Promise<RunInfo> {
    const trainer = await this.#inTurn(() => this.#openHere(run));
    await trainer.change(changes, from);
    return this.detail(run);
  }

  async extend(run: string, steps: number, options: { readonly horizon?: number } = {}): Promise<RunInfo> {
    const trainer = await this.#inTurn(() => this.#openHere(run));
    await trainer.extend(steps, options.horizon);
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
    await this.#inTurn(() => this.#steps.pin(run, step, on));
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
    await checkPolicy(policy);
    await this.#storage.setPolicy(run, policy);
    // A trainer that is being replaced reads it when it opens the run.
    await this.#usePolicy().catch(() => undefined);
    this.#events.tellAll({ kind: "runs" });
  }

  #nowOpen(trainer: TrainApi, run: string): void {
    this.#opened = { trainer, run };
    // It may have been set while the run was being opened.
    this.#usePolicy().catch(() => undefined);
  }

  /** The trainer goes by the policy that the run has now, whichever tab set it. */
  async #usePolicy(): Promise<void> {
    const opened = this.#opened;
    if (opened === null) return;
    const { record } = await this.detail(opened.run);
    if (this.#opened === opened) await opened.trainer.setPolicy(record.policy);
  }

  async preview(run: string, policy: Policy): Promise<PolicyPreview> {
    await checkPolicy(policy);
    return this.#storage.preview(run, policy);
  }

  remove(run: string): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#opened?.run === run) await this.#close();
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
    return (await this.#supervisor.trainer()).rehearse(run, step);
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
    const list = [files].flat().map(withPath);
    const settings = dataSettings(task, config);
    const added = await (await this.#supervisor.trainer()).addData(task, settings, list);
    return { ...added, name: nameOfData(list) };
  }

  async previewData(task: string, hash: string, config: Config = {}): Promise<DataPreview> {
    const settings = dataSettings(task, config);
    return (await this.#supervisor.trainer()).previewData(task, settings, hash);
  }

  async picture(run: string, step?: number): Promise<Picture> {
    const live = this.#events.live(run)?.picture;
    if (step === undefined && live != null) return live;
    const at = step ?? (await this.#newest(run));
    return (await this.#supervisor.trainer()).pictureOf({ run, step: at });
  }

  async ask(run: string, question: Question, step?: number): Promise<Picture> {
    const trainer = await this.#supervisor.trainer();
    if (step !== undefined) return trainer.askAt({ run, step }, question);
    return trainer.askNow({ run, step: await this.#newest(run) }, question);
  }

  /** Step of the newest checkpoint. */
  async #newest(run: string): Promise<number> {
    return (await this.checkpoints(run)).reduce((newest, info) => Math.max(newest, info.step), 0);
  }

  async deploy(run: string, step: number, options: DeployOptions = {}): Promise<Deployment> {
    return (await this.#supervisor.trainer()).deploy({ run, step }, options);
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

  async #resume(
    run: string,
    options: { readonly takeOver: boolean; readonly why: string },
  ): Promise<RunInfo> {
    return this.#inTurn(async () => {
      try {
        return await this.#resumeHere(run, options);
      } catch (error) {
        // A worker that died says no more what it is at.
        const live = this.#events.live(run);
        if (live?.here === true && live.phase.kind !== "idle")
          this.#events.tell({ kind: "phase", run, phase: { kind: "idle" } });
        throw error;
      }
    });
  }

  async #resumeHere(
    run: string,
    options: { readonly takeOver: boolean; readonly why: string },
  ): Promise<RunInfo> {
    // What is open here may be older than what another tab made of the run since.
    if (options.takeOver && this.#opened?.run === run) await this.#close();
    const before = await this.detail(run);
    const trainer = await this.#openHere(run, { ...options, toTrain: true });
    const opened = await this.detail(run);
    // What a tab wrote in its last moment is seen only once its packs are free: it may have been the end of the run.
    if (isOver(opened.status) && !isOver(before.status)) {
      const message = `“${opened.name}” had ${opened.status} at step ${opened.step} when its tab ended; that was found only now, so it was not gone on with.`;
      this.#events.notice("info", run, message);
      this.#events.tellAll({ kind: "runs" });
      return opened;
    }
    await this.#go(trainer, run);
    return this.detail(run);
  }

  async #begin(trainer: TrainApi, run: string): Promise<string> {
    this.#nowOpen(trainer, run);
    await this.#go(trainer, run);
    this.#events.tellAll({ kind: "runs" });
    return run;
  }

  async #go(trainer: TrainApi, run: string): Promise<void> {
    this.#supervisor.expect(run);
    try {
      await trainer.go();
    } catch (error) {
      this.#supervisor.expect(null);
      throw error;
    }
  }

  /** The trainer, with this run open in it; opens it from the store where it is not. */
  async #openHere(run: string, options: OpenOptions = AT_REST): Promise<TrainApi> {
    const isOther = this.#opened !== null && this.#opened.run !== run;
    const why = isOther
      ? `“${(await this.detail(run)).name}” was ${options.toTrain ? "resumed" : "opened"} here`
      : CLOSED;
    const trainer = await this.#leaveOther(run, why);
    if (this.#opened?.run === run) return trainer;
    await trainer.open(run, options);
    this.#nowOpen(trainer, run);
    return trainer;
  }

  /** The trainer, free of any other run: one that trains is paused and saved first. `why`: what its event says. */
  async #leaveOther(run: string | null, why: string): Promise<TrainApi> {
    const trainer = await this.#supervisor.trainer();
    if (this.#opened !== null && this.#opened.trainer !== trainer) this.#opened = null;
    if (this.#opened !== null && this.#opened.run !== run) await this.#close(why);
    return trainer;
  }

  async #close(why: string = CLOSED): Promise<void> {
    if (this.#opened === null) return;
    const { trainer, run } = this.#opened;
    try {
      await trainer.pause(why);
      this.#supervisor.expect(null);
      await trainer.close();
    } catch (error) {
      if (!hasCode(error, "worker-died")) throw error;
      // It is closed already, by its death.
      this.#supervisor.expect(null);
      await this.#storage.letGo(run);
    }
    this.#opened = null;
    this.#events.tell({ kind: "phase", run, phase: { kind: "idle" } });
    this.#events.tellAll({ kind: "runs" });
  }

  /** The trainer ended and cannot release what it had open; without this the run would be locked until a reload. */
  #forget(run: string | null): void {
    const runs = new Set([run, this.#opened?.run ?? null]);
    this.#opened = null;
    for (const one of runs) {
      if (one === null || one === "") continue;
      this.#events.tellAll({ kind: "phase", run: one, phase: { kind: "idle" } });
      this.#storage.letGo(one).then(
        () => {
          this.#events.tellAll({ kind: "runs" });
        },
        () => undefined,
      );
    }
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work, work);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  #watchPage(): void {
    const flush = (): void => {
      this.#supervisor.present?.hide().catch(() => undefined);
    };
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "hidden") flush();
      else this.#supervisor.present?.show().catch(() => undefined);
    });
    document.addEventListener("freeze", flush);
    addEventListener("pagehide", flush);
  }

  #hear(event: HoldfastEvent): void {
    if (event.kind === "saved" && !this.#persistenceAsked) this.#askPersistence();
    // Who looks at a step looks alone.
    if (event.kind === "visiting") this.#events.tell(event);
    else this.#events.tellAll(event);
    if (event.kind === "status") this.#events.tellAll({ kind: "runs" });
  }

  /** Asked once, at the first save: only then is there something to keep. Browsers answer without asking, or ask. */
  #askPersistence(): void {
    this.#persistenceAsked = true;
    navigator.storage.persist().then(
      () => {
        this.#events.tell({ kind: "runs" });
      },
      () => undefined,
    );
  }
}

function withPath(file: File | DataFile): DataFile {
  if (!(file instanceof File)) return file;
  return { path: file.webkitRelativePath === "" ? file.name : file.webkitRelativePath, file };
}

/** All settings that may decide how a person's data is read. `invalid` where the task takes none. */
function dataSettings(task: string, config: Config): Config {
  const info = taskInfo(task);
  if (info?.file == null) throw new HoldfastError("invalid", `The task "${task}" takes no file.`);
  return withDefaults(info, { ...info.presets.small.config, ...config });
}

/** The file, or the folder that they are of, or how many there are. */
function nameOfData(files: readonly DataFile[]): string {
  const [first, ...more] = files.map(({ path }) => path.split("/"));
  const name = first?.[0] ?? "";
  const isOne = more.every(([folder]) => folder === name);
  return isOne ? name : `${first?.at(-1)} and ${more.length} more`;
}

/** Does nothing more happen to such a run unless somebody wants it? */
function isOver(status: RunInfo["status"]): boolean {
  return status === "stopped" || status === "finished";
}

function startedWords(name: string): string {
  return `“${name}” was started here`;
}

function notHere(): HoldfastError {
  return new HoldfastError("busy", "This tab does not train that run. Resume it here, or take it over.");
}

/** What is asked for is checked by code that comes with the first asking: the page can be used without it. */
async function checkPolicy(policy: Policy): Promise<void> {
  const { policyProblems } = await import("./start-spec");
  const problems = policyProblems(policy);
  if (problems.length > 0) throw new HoldfastError("invalid", problems.join(" "));
}
