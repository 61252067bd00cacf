/**
 * The trainer worker's side of `TrainApi`: one device, at most one open run.
 *
 * A run is opened from the store alone. So a fresh worker after a crash, a reload or a lost device takes the very
 * same path: restore the newest whole checkpoint, replay to the end of the journal, compare, go on.
 */
import { openDevice, type Device } from "../engine/device";
import { environmentOf } from "../engine/environment";
import { replay } from "../engine/replay";
import type { Position } from "../engine/session-parts";
import { HoldfastError } from "../errors";
import { newRunId } from "../format/run-id";
import { digestOf } from "../format/digest";
import { deployment } from "./deploy";
import { loadTask } from "../tasks";
import { firstState, originOf } from "./first-state";
import { weightsFile } from "./layers-model";
import { interpolation } from "./line";
import { OpenRun } from "./open-run";
import type {
  AddedData,
  Answers,
  BackendInfo,
  Changes,
  CheckpointInfo,
  Deployment,
  DeployOptions,
  Config,
  DataFile,
  DataPreview,
  Drill,
  ForkSpec,
  Interpolation,
  Look,
  OpenOptions,
  Phase,
  Picture,
  Policy,
  Question,
  RowExample,
  Restored,
  ResumeReport,
  RunDetail,
  RunRecord,
  RunStatus,
  RunStep,
  RunStorageApi,
  StartSpec,
  State,
  TrainApi,
  TrainEvent,
  Visit,
  Watcher,
} from "./protocol";
import { Rehearsals } from "./rehearsal";
import { restorePoint } from "./restore-point";
import { TrainingData } from "./training-data";
import { Visitor } from "./visitor";
import { mathVersions, Workbench } from "./workbench";

const NO_TIMES = { stall: 0, held: 0, readBack: 0 };

export class Trainer implements Omit<TrainApi, "alive" | "connect" | "interpolate"> {
  readonly #storage: RunStorageApi;
  readonly #data: TrainingData;
  readonly #emit: (event: TrainEvent, transfer?: Transferable[]) => void;
  readonly #visitor: Visitor<Workbench>;
  readonly #rehearsals: Rehearsals;
  #device: Promise<Device> | null = null;
  #open: OpenRun | null = null;
  /** The run that it told to be at something other than nothing. */
  #phaseOf: string | null = null;
  #visible = true;

  constructor(storage: RunStorageApi, emit: (event: TrainEvent, transfer?: Transferable[]) => void) {
    this.#storage = storage;
    this.#data = new TrainingData(storage);
    this.#emit = (event, transfer) => {
      emit(event, transfer);
      if (event.kind === "saved") this.#rehearsals.saved(event.checkpoint);
    };
    this.#visitor = new Visitor({
      storage,
      // Nobody waits for that run itself, so no phase is told of it.
      bench: (record) => this.#bench(record, ""),
      progress: ({ run, step }, done, total) => {
        emit({ kind: "visiting", run, step, done, total });
      },
      now: () => performance.now(),
    });
    this.#rehearsals = new Rehearsals({
      storage,
      bench: (record) => this.#bench(record, ""),
      visitor: this.#visitor,
      told: (drill) => {
        this.#emit({ kind: "rehearsed", run: drill.run, drill });
      },
    });
  }

  async backend(): Promise<BackendInfo> {
    const device = await this.#openDevice("");
    return { name: device.name, adapter: device.adapter, exact: true, notice: device.notice };
  }

  addData(task: string, config: Config, files: readonly DataFile[]): Promise<AddedData> {
    return this.#data.add(task, config, files);
  }

  previewData(task: string, config: Config, hash: string): Promise<DataPreview> {
    return this.#data.preview(task, config, hash);
  }

  madeUpProblem(task: string, config: Config, seed: number): Promise<string | null> {
    return this.#data.madeUpProblem(task, config, seed);
  }

  async create(spec: StartSpec): Promise<string> {
    await this.close();
    await this.leave();
    const id = newRunId();
    this.#phase(id, { kind: "loading", what: "the task and its data" });
    const task = await loadTask(spec.task);
    const bytes =
      spec.data === null ? task.generate(spec.config, spec.seed) : await this.#data.get(spec.data.hash);
    const preprocessing = task.inspect(bytes, spec.config);
    const weights = await weightsFile(spec.from, task, spec.config);
    const device = await this.#openDevice(id);
    const record: RunRecord = {
      id,
      name: spec.name,
      task: spec.task,
      created: Date.now(),
      seed: spec.seed,
      parent: null,
      firstStep: 0,
      steps: spec.steps,
      config: spec.config,
      optimizer: spec.optimizer,
      policy: spec.policy,
      data: {
        hash: await this.#data.put(bytes),
        bytes: bytes.length,
        name: spec.data?.name ?? `made by ${spec.task} from seed ${spec.seed}`,
        origin: spec.data === null ? "generated" : "file",
        preprocessing,
      },
      environment: environmentOf(device, mathVersions(task.info)),
      ...(weights !== null && { from: await originOf(weights) }),
    };
    const bench = new Workbench(device, task, record, bytes);
    try {
      if (weights !== null) bench.trainable.restore(await firstState(weights, bench.trainable.shape));
      const state = await bench.trainable.snapshot().read([]);
      await this.#begin(record, state, bench, "start");
    } catch (error) {
      bench.dispose();
      throw error;
    }
    return id;
  }

  async fork({ from, ...settings }: ForkSpec): Promise<string> {
    // First, because a step that cannot be had should stop nothing.
    const { visit, state } = await this.look(from);
    const { holder } = visit;
    await this.leave();
    await this.close();
    const parent = await this.#storage.detail(holder);
    const id = newRunId();
    const device = await this.#openDevice(id);
    const task = await loadTask(parent.record.task);
    const record: RunRecord = {
      ...parent.record,
      ...settings,
      id,
      created: Date.now(),
      parent: { run: holder, step: from.step },
      firstStep: from.step,
      environment: environmentOf(device, mathVersions(task.info)),
    };
    const bench = await this.#bench(record);
    try {
      bench.trainable.restore(state);
      await this.#begin(record, state, bench, "fork");
    } catch (error) {
      bench.dispose();
      throw error;
    }
    return id;
  }

  async open(run: string, options: OpenOptions): Promise<ResumeReport> {
    if (this.#open?.record.id === run) return this.#open.report;
    await this.close();
    // Two models on one device are one too many for a large one.
    await this.leave();
    this.#phase(run, { kind: "restoring" });
    const lease = await this.#storage.acquire(run, { takeOver: options.takeOver });
    let bench: Workbench | null = null;
    try {
      const detail = await this.#storage.detail(run);
      if (detail.status === "failed") {
        throw new HoldfastError(
          "bad-numbers",
          `The run "${detail.name}" ended with numbers that are not finite; going on gives the same ones. Fork it from a checkpoint with a lower rate or with clipping.`,
        );
      }
      bench = await this.#bench(detail.record);
      const { environment } = bench;
      const arrival = { step: detail.step, environment, toTrain: true };
      const { restored, changed } = await restorePoint(this.#storage, detail, arrival);
      bench.trainable.restore(restored.state);
      const position = await this.#replay(detail, restored, bench);
      const report: ResumeReport = {
        checkpoint: restored.checkpoint.step,
        replayed: position.step - restored.checkpoint.step,
        step: position.step,
        environmentChanged: changed,
        skipped: restored.skipped,
      };
      const newest = detail.checkpointList.reduce((step, info) => Math.max(step, info.step), 0);
      const lastSavedStep = restored.skipped.length > 0 ? restored.checkpoint.step : newest;
      this.#attach(
        new OpenRun({
          bench,
          lease,
          storage: this.#storage,
          emit: this.#emit,
          events: detail.events,
          // `interrupted` and `elsewhere` are what the list makes of a run that says it trains and has no writer.
          status: storedStatus(detail.status),
          position,
          lastSavedStep: Math.min(lastSavedStep, position.step),
          report,
          reopened: options.why,
        }),
      );
      this.#emit({ kind: "resumed", run, report });
      if (!options.toTrain) {
        await this.pause("opened after an interruption");
        this.#phase(run, { kind: "idle" });
      }
      // Else it is at this phase until it goes: a run at rest in between would look as if nobody brought it back.
      return report;
    } catch (error) {
      bench?.dispose();
      await this.#storage.release(lease).catch(() => undefined);
      this.#phase(run, { kind: "idle" });
      throw error;
    }
  }

  async go(): Promise<void> {
    await this.#current().go();
  }

  async pause(why: string): Promise<void> {
    await this.#current().session.pause(why);
  }

  async step(): Promise<void> {
    await this.#current().stepOnce();
  }

  async stop(): Promise<void> {
    await this.#current().session.stop();
  }

  async change(changes: Changes, from?: number): Promise<void> {
    await this.#current().session.change(changes, from);
  }

  async extend(steps: number, horizon?: number): Promise<void> {
    await this.#current().session.extend(steps, horizon);
  }

  async hide(): Promise<void> {
    this.#visible = false;
    if (this.#open === null) return;
    this.#open.visible = false;
    await this.#open.session.hide();
  }

  show(): Promise<void> {
    this.#visible = true;
    if (this.#open !== null) this.#open.visible = true;
    return Promise.resolve();
  }

  async state(): Promise<State> {
    return this.#current().state();
  }

  async digest(): Promise<string> {
    return digestOf(await this.#current().state());
  }

  visit(at: RunStep): Promise<Visit> {
    return this.#visitor.visit(at);
  }

  look(at: RunStep, { evaluate = false }: { readonly evaluate?: boolean } = {}): Promise<Look> {
    return this.#visitor.with(at, async ({ visit, state, bench }) => ({
      visit,
      state,
      metrics: evaluate ? await bench.evaluate() : {},
    }));
  }

  pictureOf(at: RunStep): Promise<Picture> {
    return this.#visitor.with(at, ({ bench }) => bench.picture(at.step));
  }

  askAt(at: RunStep, question: Question): Promise<Picture> {
    return this.#visitor.with(at, ({ bench }) => bench.respond(question, at.step));
  }

  askNow(at: RunStep, question: Question): Promise<Picture> {
    const open = this.#open;
    return open?.record.id === at.run ? open.respond(question) : this.askAt(at, question);
  }

  async example(run: string, index: number): Promise<RowExample> {
    const { record } = await this.#storage.detail(run);
    return this.#data.example(record, index);
  }

  evaluateAt(at: RunStep): Promise<Readonly<Record<string, number>>> {
    return this.#visitor.with(at, ({ bench }) => bench.evaluate());
  }

  answersAt(at: RunStep): Promise<Answers | null> {
    return this.#visitor.with(at, ({ bench }) => bench.answers());
  }

  deploy(at: RunStep, options: DeployOptions): Promise<Deployment> {
    return this.#visitor.with(at, async (held) =>
      deployment(held, await loadTask(held.bench.record.task), options),
    );
  }

  interpolate(from: RunStep, to: RunStep, watcher: Required<Watcher>): Promise<Interpolation> {
    const parts = {
      storage: this.#storage,
      look: (at: RunStep) => this.look(at),
      bench: (record: RunRecord) => this.#bench(record, ""),
      visitor: this.#visitor,
    };
    return interpolation(parts, [from, to], watcher);
  }

  leave(): Promise<void> {
    return this.#visitor.leave();
  }

  keep(at: RunStep): Promise<CheckpointInfo> {
    return this.#visitor.with(at, async ({ visit, state, bench }) => {
      const evaluated = await bench.evaluate();
      const metrics = visit.loss === null ? evaluated : { ...evaluated, loss: visit.loss };
      const { environment } = bench;
      const open = this.#open?.record.id === visit.holder ? this.#open : null;
      const lease = open?.lease ?? (await this.#storage.acquire(visit.holder));
      try {
        const request = {
          state,
          rows: null,
          reason: "asked",
          metrics,
          environment,
          times: NO_TIMES,
        } as const;
        const { checkpoint } = await this.#storage.save(lease, request);
        this.#emit({ kind: "saved", run: visit.holder, checkpoint });
        return checkpoint;
      } finally {
        if (open === null) await this.#storage.release(lease);
      }
    });
  }

  rehearse(run: string, step?: number): Promise<Drill> {
    return this.#rehearsals.rehearse(run, step ?? "newest");
  }

  setPolicy(policy: Policy): Promise<void> {
    this.#current().session.policy = policy;
    return Promise.resolve();
  }

  async close(): Promise<void> {
    const open = this.#open;
    if (open === null) return;
    this.#open = null;
    await open.close();
    // Only what it told itself: another tab may have taken the run over, and be at something else.
    if (this.#phaseOf === open.record.id) this.#phase(open.record.id, { kind: "idle" });
  }

  #current(): OpenRun {
    if (this.#open !== null) return this.#open;
    throw new HoldfastError("busy", "No run is open in this tab. Resume one first.");
  }

  #attach(open: OpenRun): void {
    open.visible = this.#visible;
    this.#open = open;
  }

  /** Commits a new run with its first state, and opens it. */
  async #begin(record: RunRecord, state: State, bench: Workbench, reason: "start" | "fork"): Promise<void> {
    const { step, samples } = state.scalars;
    const { lease, checkpoint } = await this.#storage.createRun(record, {
      state,
      rows: null,
      reason,
      metrics: {},
      environment: record.environment,
      times: NO_TIMES,
    });
    this.#attach(
      new OpenRun({
        bench,
        lease,
        storage: this.#storage,
        emit: this.#emit,
        events: [],
        status: "paused",
        position: { step, samples },
        lastSavedStep: step,
        report: { checkpoint: step, replayed: 0, step, environmentChanged: false, skipped: [] },
        reopened: null,
      }),
    );
    this.#emit({ kind: "saved", run: record.id, checkpoint });
    this.#phase(record.id, { kind: "idle" });
  }

  /** `about`: the run that phases are told of. */
  async #bench(record: RunRecord, about = record.id): Promise<Workbench> {
    const device = await this.#openDevice(about);
    // A run from WebGPU would go on with other numbers elsewhere, and a reload of the page brings the adapter back.
    if (device.adapterMissing && record.environment.backend === "webgpu") {
      throw new HoldfastError(
        "adapter-missing",
        "The browser gives no GPU adapter: it withholds it from a page whose GPU crashed. Reload the page by hand, and the run goes on by itself.",
      );
    }
    this.#phase(about, { kind: "loading", what: "the task and its data" });
    const task = await loadTask(record.task);
    return new Workbench(device, task, record, await this.#data.of(task, record));
  }

  async #replay(detail: RunDetail, restored: Restored, bench: Workbench): Promise<Position> {
    const { step, samples } = restored.state.scalars;
    const total = detail.step - step;
    if (total <= 0) return { step, samples };
    this.#phase(detail.id, { kind: "replaying", done: 0, total });
    const rows = await this.#storage.journal(detail.id, step + 1, detail.step);
    return replay({
      trainable: bench.trainable,
      record: detail.record,
      events: detail.events,
      from: { step, samples },
      rows,
      progress: (done) => {
        this.#phase(detail.id, { kind: "replaying", done, total });
      },
    });
  }

  #openDevice(run: string): Promise<Device> {
    if (this.#device === null) {
      this.#phase(run, { kind: "loading", what: "TensorFlow.js and the GPU" });
      this.#device = openDevice();
      // A failure is not for ever: the next call asks again.
      this.#device.catch(() => {
        this.#device = null;
      });
      void this.#device.then((device) => this.#watch(device)).catch(() => undefined);
    }
    return this.#device;
  }

  /** A loss between two steps, or while a run is at rest, is told at once. */
  async #watch(device: Device): Promise<void> {
    const reason = await device.lost;
    this.#emit({
      kind: "trouble",
      run: this.#open?.record.id ?? "",
      code: "device-lost",
      message: `The GPU was lost (${reason}).`,
      step: this.#open?.session.step ?? 0,
    });
  }

  #phase(run: string, phase: Phase): void {
    this.#phaseOf = phase.kind === "idle" ? null : run;
    this.#emit({ kind: "phase", run, phase });
  }
}

function storedStatus(status: RunDetail["status"]): RunStatus {
  return status === "interrupted" || status === "elsewhere" ? "running" : status;
}
