/**
 * A Holdfast for the eye: believable runs in memory and one that ticks, so that screens can be drawn and looked at
 * without a GPU or a store. Not for tests of behaviour: it promises nothing.
 */
import { ALPHAS, barrierOf } from "../../src/analysis/interpolation";
import { HoldfastError } from "../../src/errors";
import { defaultPolicy } from "../../src/policy/presets";
import { TASKS } from "../../src/tasks/meta";
import { defaultOptimizer } from "../../src/tasks/training-fields";
import {
  answerPicture,
  boundaryPicture,
  checkpointOf,
  lossOf,
  madeUpPreview,
  ROW,
  textPicture,
} from "./fake-data";
import type { HoldfastEvent, HoldfastPage, LiveRun, StoredData } from "../../src/worker/api";
import { fakeComparison } from "./fake-comparison";
import type {
  AuditEntry,
  AuditLog,
  Health,
  Answers,
  Imported,
  Interpolation,
  BackendInfo,
  CheckpointInfo,
  Comparison,
  Config,
  DataFile,
  DataPreview,
  Deployment,
  DeployOptions,
  Drill,
  JournalRows,
  Mark,
  MirrorOptions,
  MirrorReport,
  MirrorStatus,
  Phase,
  Picture,
  Policy,
  PolicyPreview,
  Question,
  RowExample,
  RunDetail,
  RunEvent,
  RunEventBody,
  RunInfo,
  RunStep,
  SavedModelName,
  StorageStatus,
  SyncOptions,
  TrashedRun,
  VerifyReport,
  Watcher,
  Visit,
} from "../../src/worker/protocol";

/** `loading`: nothing ever answers. `failed`: whatever is read or done fails. */
export type Scene =
  "empty" | "loading" | "full" | "table" | "failed" | "interrupted" | "elsewhere" | "bad-numbers" | "memory";

interface FakeRun {
  info: RunInfo;
  events: RunEvent[];
  checkpoints: CheckpointInfo[];
  losses: number[];
}

const TICK_MS = 200;
const SAVE_EVERY = 40;
const STEPS_PER_TICK = 4;

export class FakeHoldfast implements HoldfastPage {
  readonly version = "0.0.0";
  readonly #runs = new Map<string, FakeRun>();
  readonly #removed = new Map<string, FakeRun>();
  readonly #listeners = new Set<(event: HoldfastEvent) => void>();
  readonly #marks = new Map<string, readonly Mark[]>();
  readonly #policies = new Map<string, Policy>();
  readonly #scene: Scene;
  #phase: Phase = { kind: "idle" };
  #mirror: MirrorStatus | null = null;

  constructor(scene: Scene, { ticking = true } = {}) {
    this.#scene = scene;
    if (scene === "table") this.#add("birds", "Birds", "table", "paused", 820, 1000, 60);
    else if (scene !== "empty" && scene !== "memory") this.#fill(scene);
    for (const [id, name] of [
      ["spiralsfirst", "Spirals, first try"],
      ["rings", "Rings with too high a rate"],
    ] as const) {
      if (scene !== "full") break;
      this.#add(id, name, "spirals", "stopped", 320, 2000, 90);
      this.#removed.set(id, this.#of(id));
      this.#runs.delete(id);
    }
    if (ticking) setInterval(() => this.#tick(), TICK_MS);
  }

  #fill(scene: Scene): void {
    this.#add(
      "shakespeareslower",
      "Shakespeare, slower rate",
      "text",
      scene === "full" || scene === "loading" ? "running" : "paused",
      1240,
      5000,
      1,
    );
    this.#add("shakespeare", "Shakespeare", "text", "finished", 3000, 3000, 40);
    this.#add("spiralsdropout", "Spirals, dropout 0.2", "spirals", "paused", 820, 2000, 60);
    this.#add(
      "penguins",
      "Spirals with a name so long that nobody would ever have typed it by hand",
      "spirals",
      "stopped",
      400,
      2000,
      900,
    );
    const first = this.#of("shakespeareslower");
    first.info = { ...first.info, parent: { run: "shakespeare", step: 600 } };
    if (scene === "interrupted" || scene === "elsewhere") first.info = { ...first.info, status: scene };
    if (scene === "bad-numbers") {
      first.losses.push(Number.NaN);
      first.info = { ...first.info, step: 1241, loss: Number.NaN };
      this.#event(
        first,
        { kind: "trouble", code: "bad-numbers", message: "The loss of step 1241 is NaN." },
        1241,
      );
    }
    for (let step = 200; step < first.info.step; step += 200) {
      const val_loss = lossOf("text", step) * 1.09;
      const metrics = { val_loss, val_accuracy: 1 - val_loss / 6, train_accuracy: 1 - val_loss / 9 };
      this.#event(first, { kind: "evaluated", metrics }, step);
    }
    this.#event(first, { kind: "changed", changes: { learningRate: 8e-4 } }, 1104);
    this.#event(first, { kind: "resumed", from: 900, replayed: 60, why: "asked" }, 960);
    if (scene === "bad-numbers") first.events.reverse();
  }

  #add(
    id: string,
    name: string,
    task: string,
    status: RunInfo["status"],
    step: number,
    steps: number,
    minutesAgo: number,
  ): void {
    const now = Date.now();
    const losses = Array.from({ length: step }, (_, at) => lossOf(task, at + 1));
    const checkpoints: CheckpointInfo[] = [];
    for (let at = 0; at <= step; at += SAVE_EVERY) {
      const reason = at === 0 ? "start" : at % 400 === 0 ? "pause" : "policy";
      checkpoints.push(checkpointOf(id, task, at, now - minutesAgo * 60_000 - (step - at) * 30, reason));
    }
    const run: FakeRun = {
      info: this.#info(id, name, task, status, step, steps, now - minutesAgo * 60_000),
      events: [],
      checkpoints,
      losses,
    };
    this.#runs.set(id, run);
    this.#event(run, { kind: "started" }, 0);
    if (status === "finished") this.#event(run, { kind: "finished" }, step);
    if (status === "paused") this.#event(run, { kind: "paused", why: "asked" }, step);
  }

  #info(
    id: string,
    name: string,
    task: string,
    status: RunInfo["status"],
    step: number,
    steps: number,
    created: number,
  ): RunInfo {
    const sparkline = Array.from({ length: 50 }, (_, at) =>
      lossOf(task, Math.max(1, Math.floor((at / 50) * step))),
    );
    return {
      id,
      name,
      task,
      status,
      step,
      steps,
      loss: step === 0 ? null : lossOf(task, step),
      sparkline: step === 0 ? [] : sparkline,
      bytes: task === "text" ? 138_000_000 : 3_900_000,
      created,
      saved: created,
      checkpoints: 1 + Math.floor(step / SAVE_EVERY),
      parent: null,
      tags: [],
      stepTags: [],
    };
  }

  #of(run: string): FakeRun {
    const found = this.#runs.get(run);
    if (found === undefined) throw new HoldfastError("missing", `There is no run "${run}".`);
    return found;
  }

  #event(run: FakeRun, body: RunEventBody, step: number): void {
    const event: RunEvent = { seq: run.events.length, step, time: Date.now(), ...body };
    run.events.push(event);
    this.#tell({ kind: "event", run: run.info.id, event });
  }

  #tell(event: HoldfastEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  #tick(): void {
    for (const run of this.#runs.values()) {
      if (run.info.status !== "running" && run.info.status !== "elsewhere") continue;
      this.#phase = { kind: "training" };
      this.#advance(run, Math.min(STEPS_PER_TICK, run.info.steps - run.info.step));
      if (run.info.step >= run.info.steps) this.#become(run, "finished", { kind: "finished" });
    }
  }

  #advance(run: FakeRun, steps: number): void {
    const { id, task } = run.info;
    const from = run.info.step + 1;
    const loss = Float32Array.from({ length: steps }, (_, at) => lossOf(task, from + at));
    const rows: JournalRows = {
      from,
      loss,
      rate: new Float32Array(steps).fill(9.2e-4),
      ms: new Float32Array(steps).fill(26),
    };
    run.losses.push(...loss);
    run.info = { ...run.info, step: run.info.step + steps, loss: loss.at(-1) ?? run.info.loss };
    this.#tell({
      kind: "progress",
      run: id,
      step: run.info.step,
      steps: run.info.steps,
      stepsPerSecond: 38.2,
      rows,
      savesSkipped: 0,
      interval: null,
    });
    if (run.info.step % SAVE_EVERY < STEPS_PER_TICK) {
      const checkpoint = checkpointOf(id, task, run.info.step, Date.now(), "policy");
      run.checkpoints.push(checkpoint);
      run.info = { ...run.info, saved: Date.now() };
      this.#tell({ kind: "saved", run: id, checkpoint });
      this.#tell({
        kind: "picture",
        run: id,
        picture: this.#picture(run, run.info.step),
        metrics: { val_loss: 1.611 },
      });
    }
  }

  #become(run: FakeRun, status: "running" | "paused" | "finished" | "stopped", event: RunEventBody): void {
    run.info = { ...run.info, status };
    this.#event(run, event, run.info.step);
    this.#tell({ kind: "status", run: run.info.id, status });
  }

  #picture(run: FakeRun, step: number): Picture {
    if (run.info.task === "table") return answerPicture({ kind: "row", cells: ROW.cells }, step);
    return run.info.task === "text" ? textPicture(step) : boundaryPicture(step);
  }

  async #wait(ms: number): Promise<void> {
    await new Promise((resolve) => {
      if (this.#scene !== "loading") setTimeout(resolve, ms);
    });
    if (this.#scene === "failed")
      throw new HoldfastError("corrupt", "The catalogue does not open; reload the page.");
  }

  async backend(): Promise<BackendInfo> {
    return {
      name: "webgpu",
      adapter: { vendor: "google", architecture: "swiftshader" },
      exact: true,
      notice: "",
    };
  }
  layersModels(): Promise<readonly SavedModelName[]> {
    return Promise.resolve(this.#scene === "full" ? ["indexeddb://my-spirals"] : []);
  }
  tasks() {
    return TASKS;
  }
  async runs(): Promise<readonly RunInfo[]> {
    await this.#wait(50);
    return [...this.#runs.values()].map((run) => run.info);
  }
  async start(options: Parameters<HoldfastPage["start"]>[0]): Promise<string> {
    await this.#wait(700);
    const id = `r${Date.now()}`;
    this.#add(id, options.name ?? "Spirals", options.task, "paused", 0, options.steps ?? 2000, 0);
    this.#become(this.#of(id), "running", { kind: "started" });
    this.#tell({ kind: "runs" });
    return id;
  }
  async pause(run: string): Promise<RunInfo> {
    await this.#wait(300);
    this.#become(this.#of(run), "paused", { kind: "paused", why: "asked" });
    return this.#of(run).info;
  }
  async resume(run: string): Promise<RunInfo> {
    const tell = (phase: Phase) => this.#tell({ kind: "phase", run, phase: (this.#phase = phase) });
    tell({ kind: "compiling" });
    await this.#wait(800);
    for (let done = 0; done <= 60; done += 10) {
      tell({ kind: "replaying", done, total: 60 });
      await this.#wait(150);
    }
    tell({ kind: "training" });
    this.#become(this.#of(run), "running", {
      kind: "resumed",
      from: this.#of(run).info.step - 60,
      replayed: 60,
      why: "asked",
    });
    return this.#of(run).info;
  }
  async step(run: string): Promise<RunInfo> {
    await this.#wait(100);
    this.#advance(this.#of(run), 1);
    return this.#of(run).info;
  }
  async stop(run: string): Promise<RunInfo> {
    this.#become(this.#of(run), "stopped", { kind: "stopped" });
    return this.#of(run).info;
  }
  async change(run: string, changes: Parameters<HoldfastPage["change"]>[1]): Promise<RunInfo> {
    this.#event(this.#of(run), { kind: "changed", changes }, this.#of(run).info.step);
    return this.#of(run).info;
  }
  async extend(run: string, steps: number): Promise<RunInfo> {
    const of = this.#of(run);
    of.info = { ...of.info, steps: of.info.steps + steps };
    this.#event(of, { kind: "extended", steps: of.info.steps }, of.info.step);
    return of.info;
  }
  async rename(run: string, name: string): Promise<void> {
    this.#of(run).info = { ...this.#of(run).info, name };
  }
  async pin(run: string, step: number, on = true): Promise<void> {
    await this.#wait(300);
    const others = (this.#marks.get(run) ?? []).filter((mark) => mark.step !== step);
    this.#marks.set(run, on ? [...others, { step, pinned: true, tags: [], note: "" }] : others);
    const of = this.#of(run);
    if (on && !of.checkpoints.some((checkpoint) => checkpoint.step === step)) {
      const checkpoint = checkpointOf(run, of.info.task, step, Date.now(), "asked");
      of.checkpoints = [...of.checkpoints, checkpoint].sort((a, b) => a.step - b.step);
      this.#tell({ kind: "saved", run, checkpoint });
    }
    this.#tell({ kind: "runs" });
  }
  async annotate(
    run: string,
    { step = 0, tags = [], note = "" }: Parameters<HoldfastPage["annotate"]>[1],
  ): Promise<void> {
    const others = (this.#marks.get(run) ?? []).filter((mark) => mark.step !== step);
    this.#marks.set(run, [...others, { step, pinned: false, tags, note }]);
    this.#tell({ kind: "runs" });
  }
  async setPolicy(run: string, policy: Policy): Promise<void> {
    this.#policies.set(run, policy);
    this.#tell({ kind: "runs" });
  }
  async preview(run: string, policy: Policy): Promise<PolicyPreview> {
    const { checkpoints } = this.#of(run);
    const sparse = (policy.keep ?? []).some((rule) => rule.kind === "spaced" && rule.density < 64);
    const kept = checkpoints.filter((_, at) => !sparse || at % 4 === 0);
    const gone = checkpoints.filter((checkpoint) => !kept.includes(checkpoint));
    return {
      kept: kept.map(({ step }) => ({ step, why: ["spaced: dense where recent, sparse where old"] })),
      gone: gone.map(({ step }) => step),
      freed: gone.length * 4_400_000,
      left: kept.length * 4_400_000,
      longestNow: SAVE_EVERY,
      longestThen: sparse ? 4 * SAVE_EVERY : SAVE_EVERY,
    };
  }
  async remove(run: string): Promise<void> {
    const removed = this.#of(run);
    if (removed.info.status === "running")
      throw new HoldfastError("busy", `“${removed.info.name}” is training; pause it first.`);
    this.#removed.set(run, removed);
    this.#runs.delete(run);
    this.#tell({ kind: "runs" });
  }
  async undoRemove(run: string): Promise<void> {
    const removed = this.#removed.get(run);
    if (removed === undefined) return;
    this.#runs.set(run, removed);
    this.#removed.delete(run);
  }
  async trash(): Promise<readonly TrashedRun[]> {
    return [...this.#removed.values()].map(({ info }) => ({
      ...info,
      removed: Date.now() - 2 * 3_600_000,
      until: Date.now() + 6 * 86_400_000,
      needed: null,
    }));
  }
  async emptyTrash(run?: string): Promise<void> {
    for (const id of run === undefined ? [...this.#removed.keys()] : [run]) this.#removed.delete(id);
    this.#tell({ kind: "runs" });
  }
  async waitFor(run: string): Promise<RunInfo> {
    return this.#of(run).info;
  }
  async digest(run: string): Promise<string> {
    return this.#of(run).checkpoints.at(-1)?.digest ?? "";
  }
  async state() {
    return new Map();
  }
  async losses(run: string): Promise<Float32Array> {
    return Float32Array.from(this.#of(run).losses);
  }
  async checkpoints(run: string): Promise<readonly CheckpointInfo[]> {
    return this.#of(run).checkpoints;
  }
  async compare(...steps: readonly RunStep[]): Promise<Comparison> {
    await this.#wait(300);
    return fakeComparison(
      steps.map(({ run, step }) => {
        const { info, checkpoints, losses } = this.#of(run);
        const found = checkpoints.findLast((checkpoint) => checkpoint.step <= step);
        const metrics = found?.step === step ? found.metrics : { loss: losses[step - 1] ?? Number.NaN };
        return { info, step, digest: found?.step === step ? found.digest : "9f".repeat(32), metrics };
      }),
    );
  }
  async interpolate(a: RunStep, b: RunStep, { signal, progress }: Watcher = {}): Promise<Interpolation> {
    const points = ALPHAS.map((alpha) => {
      const hill = 0.5 * Math.exp(-30 * (alpha - 0.45) ** 2);
      return { alpha, metrics: { val_loss: 1.4 + 0.3 * (1 - alpha) ** 2 + (a.run === b.run ? 0 : hill) } };
    });
    for (const done of points.keys()) {
      progress?.(done, points.length);
      await this.#wait(40);
      if (signal?.aborted === true) throw new HoldfastError("cancelled", "The line was cancelled.");
    }
    return { points, barrier: barrierOf(points) };
  }
  async storage(): Promise<StorageStatus> {
    const memory = this.#scene === "memory";
    return {
      mode: memory ? "memory" : "opfs",
      reason: memory ? "this is a private window, and it refuses to store." : "",
      usage: memory ? null : 312_000_000,
      quota: memory ? null : 10_000_000_000,
      persisted: this.#scene === "full",
      perRun: { shakespeareslower: 138_000_000 },
      thinned: 0,
      recovery: { runs: [], lost: [] },
      scrub: {
        finished: Date.now() - 12 * 60_000,
        checkpoints: this.#scene === "empty" ? 0 : 41,
        damaged: [],
      },
    };
  }
  async verify({ all = false } = {}): Promise<VerifyReport> {
    return { all, runs: 4, checkpoints: 41, damaged: [] };
  }
  async audit(run?: string): Promise<AuditLog> {
    const runs = (await this.runs()).filter(({ id }) => run === undefined || run === id);
    const entries = runs.flatMap(({ id }) =>
      this.#of(id).checkpoints.map(({ step, time, reason, times }, index): AuditEntry => {
        const ms = times.readBack + times.encode + times.write;
        const link = { run: id, seq: index + 1, tab: "k3f9", before: "", hash: "" };
        return { ...link, time, what: "saved", step, why: reason, ms };
      }),
    );
    return { entries: entries.sort((a, b) => a.time - b.time), broken: [] };
  }
  async health(): Promise<Health> {
    const runs = (await this.runs()).map(({ id, name, step, status }) => ({
      run: id,
      name,
      step,
      status: status === "interrupted" || status === "elsewhere" ? "running" : status,
      checkpoints: this.#of(id).checkpoints.map((one, index) => ({
        ...one,
        tier: index === 0 ? "archive" : index % 3 === 0 ? "milestone" : "recent",
      })),
    }));
    return { runs: runs as Health["runs"], audit: await this.audit() };
  }
  async mirror(): Promise<MirrorStatus | null> {
    return this.#mirror;
  }
  async setMirror(folder: FileSystemDirectoryHandle | null, options: MirrorOptions = {}): Promise<void> {
    const rest = { state: "in step", problem: null, report: null, checked: null } as const;
    this.#mirror = folder && { ...rest, folder, options };
  }
  async syncMirror({ all = false }: SyncOptions = {}): Promise<MirrorReport> {
    await this.#wait(600);
    const runs = (await this.runs()).map(({ id, name, step, checkpoints }) => ({
      ...{ run: id, name, step, checkpoints, problem: null },
    }));
    const time = Date.now();
    const report = { time, runs, written: 3, mended: 0, broughtBack: 0, latency: 2300 };
    if (this.#mirror !== null)
      this.#mirror = { ...this.#mirror, report, checked: all ? time : this.#mirror.checked };
    return report;
  }
  async importMirror(): Promise<readonly Imported[]> {
    return [];
  }
  async drill(run: string, step = 0): Promise<Drill> {
    await this.#wait(600);
    const drill: Drill = {
      ...{ run, step, time: Date.now(), from: step, to: step + 16, proof: "losses", failure: null, ms: 600 },
    };
    this.#tell({ kind: "rehearsed", run, drill });
    return drill;
  }
  subscribe(listener: (event: HoldfastEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
  async detail(run: string): Promise<RunDetail> {
    await this.#wait(80);
    const { info, events, checkpoints } = this.#of(run);
    const task = TASKS.find((each) => each.id === info.task) ?? TASKS[0];
    if (task === undefined) throw new HoldfastError("internal", "There are no tasks.");
    const preset = task.presets.small;
    return {
      ...info,
      record: {
        id: run,
        name: info.name,
        task: info.task,
        created: info.created,
        seed: 1,
        parent: info.parent,
        firstStep: 0,
        steps: info.steps,
        config: preset.config,
        optimizer: defaultOptimizer("adamw", preset, info.steps),
        policy: this.#policies.get(run) ?? defaultPolicy(info.steps),
        data: { hash: "0", bytes: 1, name: "made up", origin: "generated", preprocessing: {} },
        environment: {
          backend: "webgpu",
          adapter: {},
          browser: "Chromium 156",
          tfjs: "4.22.0",
          flags: {},
          math: {},
        },
      },
      events: [...events].sort((a, b) => a.step - b.step),
      checkpointList: [...checkpoints],
      marks: this.#marks.get(run) ?? [],
      note: "",
      removed: false,
    };
  }
  async journal(run: string, from = 1, to = Infinity): Promise<JournalRows> {
    const losses = this.#of(run).losses.slice(from - 1, to);
    return {
      from,
      loss: Float32Array.from(losses),
      rate: new Float32Array(losses.length).fill(9.2e-4),
      ms: new Float32Array(losses.length).fill(26),
    };
  }
  live(run: string): LiveRun | null {
    const { info, checkpoints } = this.#runs.get(run) ?? {};
    if (info === undefined || checkpoints === undefined) return null;
    if (info.status !== "running" && info.status !== "elsewhere") return null;
    return {
      run,
      phase: this.#phase,
      step: info.step,
      steps: info.steps,
      stepsPerSecond: 38.2,
      savesSkipped: 0,
      interval: { steps: 190, by: "return", returnSeconds: 4.9, overhead: 0.004 },
      lastSave: checkpoints.at(-1) ?? null,
      saving: false,
      resumed: null,
      picture: this.#picture(this.#of(run), info.step),
      here: info.status === "running",
    };
  }
  async addData(task: string, files: File | readonly (File | DataFile)[]): Promise<StoredData> {
    await this.#wait(400);
    const [first] = [files].flat();
    const file = first instanceof File ? { path: first.name, file: first } : first;
    if (file === undefined || file.file.size === 0)
      throw new HoldfastError(
        "invalid",
        `“${file?.path}” is empty; choose a text of at least 1,000 characters.`,
      );
    return { hash: "0", name: file.path, bytes: file.file.size, preview: madeUpPreview(task), notes: [] };
  }
  async previewData(task: string, _hash: string, config: Config): Promise<DataPreview> {
    await this.#wait(100);
    return madeUpPreview(task, config);
  }
  async madeUpProblem(task: string, _seed: number, config: Config): Promise<string | null> {
    await this.#wait(100);
    return task === "digits" && Number(config["count"]) < 60 && Number(config["heldOut"]) > 80
      ? "The class “0” is left out of the training: all its 5 images are held out. Add images of it (more digits, where they are drawn), or hold out fewer."
      : null;
  }
  async goto(run: string, step: number): Promise<Visit> {
    const of = this.#of(run);
    const known = of.checkpoints.findLast((checkpoint) => checkpoint.step <= step);
    const checkpoint = known?.step ?? 0;
    const total = step - checkpoint;
    for (let done = 0; done < total; done += 2) {
      this.#tell({ kind: "visiting", run, step, done, total });
      await this.#wait(100);
    }
    const proof = total === 0 ? "stored" : "losses";
    const loss = of.losses[step - 1] ?? null;
    const digest = "9f".repeat(32);
    return { run, step, holder: run, checkpoint, replayed: total, digest, proof, loss, ms: 100 * total };
  }
  async leave(): Promise<void> {
    await Promise.resolve();
  }
  async evaluate(): Promise<Readonly<Record<string, number>>> {
    await this.#wait(100);
    return { val_loss: 1.611 };
  }
  async answers(run: string, step: number): Promise<Answers | null> {
    if (this.#of(run).info.task === "text") return null;
    const examples = Array.from({ length: 40 }, (_, at) => `point at (${at}, ${-at})`);
    return {
      kind: "classes",
      classes: ["0", "1"],
      examples,
      right: Int32Array.from(examples, (_, at) => at % 2),
      given: Int32Array.from(examples, (_, at) => ((at * 37 + 11) % 400 > step ? 1 - (at % 2) : at % 2)),
    };
  }
  async fork(): Promise<string> {
    return this.start({ task: "text", name: "Fork" });
  }
  async takeOver(run: string): Promise<RunInfo> {
    return this.resume(run);
  }
  async ask(run: string, question: Question, step?: number): Promise<Picture> {
    await this.#wait(300);
    const { info } = this.#of(run);
    return answerPicture(question, step ?? info.step);
  }
  async example(run: string, index: number): Promise<RowExample> {
    await this.#wait(100);
    this.#of(run);
    return { ...ROW, row: 17 + index, cells: { ...ROW.cells, wing_mm: `${128 + index}` } };
  }
  async picture(run: string, step?: number): Promise<Picture> {
    await this.#wait(200);
    const of = this.#of(run);
    return this.#picture(of, step ?? of.info.step);
  }
  async deploy(_run: string, _step: number, _options: DeployOptions = {}): Promise<Deployment> {
    return { file: new Blob(["fake"]), before: { val_loss: 1.611 }, after: { val_loss: 1.613 } };
  }
  async exportCheckpoint(): Promise<Blob> {
    return new Blob(["fake"]);
  }
  async exportBundle(_runs: string | readonly string[], { progress }: Watcher = {}): Promise<Blob> {
    progress?.(61e6, 169e6);
    await this.#wait(2000);
    return new Blob(["fake"]);
  }
  async importBundle(file: Blob): Promise<readonly Imported[]> {
    throw new HoldfastError(
      "corrupt",
      `The file is not a Holdfast run: it has ${file.size} bytes and no header.`,
    );
  }
}
