/** One run as its screen shows it: read once, then kept up to date by `apply`. */
import { hasCode, messageOf } from "../errors";
import { settingsAt } from "../format/settings";
import type { HoldfastEvent, HoldfastPage } from "../worker/api";
import type {
  AuditEntry,
  CheckpointInfo,
  Mark,
  Phase,
  Picture,
  PolicyPreview,
  ResumeReport,
  RunDetail,
  RunEvent,
  RunInfo,
  Unsaved,
} from "../worker/protocol";
import { bestOf, evaluationsOf, goalOf, improvedBy } from "../policy/evaluation";
import type { Interval } from "../policy/interval";
import { leadOf, LossSeries } from "./loss-series";
import { type ChangedSetting, forkChanges } from "./run-settings";
import { stepsBehind } from "./picture-age";
import { isResuming, seenFromHere } from "./seen-status";
import { VisitState } from "./visit-state.svelte";

/** Why the run does not go on by itself. */
export interface Trouble {
  readonly step: number;
  readonly code: string;
  readonly message: string;
}

export interface SaveFailure {
  readonly what: Unsaved;
  readonly step: number;
  readonly message: string;
}

/** Components read it; only `apply` and `load` write it. */
export class RunState {
  readonly api: HoldfastPage;
  readonly id: string;
  loading = $state(true);
  /** Why it cannot be shown; `missing` is a screen of its own. */
  failed = $state.raw<{ readonly missing: boolean; readonly message: string } | null>(null);
  detail = $state.raw<RunDetail | null>(null);
  status = $state.raw<RunInfo["status"]>("paused");
  step = $state(0);
  steps = $state(0);
  loss = $state.raw<number | null>(null);
  stepsPerSecond = $state.raw<number | null>(null);
  savesSkipped = $state(0);
  saving = $state(false);
  phase = $state.raw<Phase>({ kind: "idle" });
  checkpoints = $state.raw<readonly CheckpointInfo[]>([]);
  events = $state.raw<readonly RunEvent[]>([]);
  picture = $state.raw<Picture | null>(null);
  /** Steps between it and the one before it; 0 where there was none. */
  #pictureGap = $state(0);
  /** How many steps ago it was drawn, where that is worth a word. */
  readonly pictureBehind = $derived(
    // Of the first steps nobody knows yet how fast they come.
    this.picture === null || (this.status === "running" && this.stepsPerSecond === null)
      ? null
      : stepsBehind({
          ...{ of: this.picture.step, step: this.step },
          ...{ gap: this.#pictureGap, stepsPerSecond: this.stepsPerSecond },
        }),
  );
  /** Held-out metrics by name, of the newest state that was evaluated. */
  metrics = $state.raw<Readonly<Record<string, number>>>({});
  /** That state's step; null where none was. */
  metricsStep = $state.raw<number | null>(null);
  pictureFailed = $state.raw<string | null>(null);
  saveFailure = $state.raw<SaveFailure | null>(null);
  resumed = $state.raw<ResumeReport | null>(null);
  /** Bumped when `losses` changes; the samples themselves are not proxied. */
  revision = $state(0);
  readonly losses = new LossSeries();
  /** Those of the run that it was forked from, after that step; null where there is none. */
  parentLosses = $state.raw<LossSeries | null>(null);
  /** What is different from that run, as it was at that step; null where there is none, or it cannot be read. */
  forkChanges = $state.raw<readonly ChangedSetting[] | null>(null);
  /** How often it saves now, where the policy chooses by itself. */
  interval = $state.raw<Interval | null>(null);
  /** When and from where it was imported last; null where it was not, or the browser lost its audit log. */
  imported = $state.raw<AuditEntry | null>(null);
  marks = $state.raw<readonly Mark[]>([]);
  tags = $state.raw<readonly string[]>([]);
  note = $state.raw("");
  /** Why checkpoints are kept, by step: asked for when somebody looks. */
  why = $state.raw<PolicyPreview["kept"]>([]);
  /** The step that is looked at. */
  readonly visit: VisitState;

  latest = $derived(this.checkpoints.at(-1) ?? null);
  /** It was interrupted and is brought back, by itself after a reload. */
  isResuming = $derived.by(() => {
    // Read also while nothing is live: what is not read here tells nothing of its change.
    const { status, phase } = this;
    const live = this.api.live(this.id);
    return isResuming(status, live && { ...live, phase });
  });
  /** In force now. */
  settings = $derived(this.settingsAt(Infinity));
  trouble = $state.raw<Trouble | null>(null);
  evaluations = $derived(evaluationsOf(this.events));
  /** The step that is the best by what the policy goes by; null where none was evaluated. */
  best = $derived.by(() => {
    if (this.detail === null) return null;
    return bestOf(goalOf(this.detail.record.policy), this.evaluations)?.step ?? null;
  });
  /** What the last event leaves to decide: only while the run rests where it put it. */
  ending = $derived(this.status === "running" ? null : endingOf(this.events));
  /** Where a run whose numbers went bad can be forked from: the newest checkpoint before that step. */
  lastGood = $derived(this.trouble === null ? null : newestBefore(this.checkpoints, this.trouble.step));
  /** Events that came while the run is read; applied afterwards, in order. */
  #waiting: HoldfastEvent[] | null = [];

  constructor(api: HoldfastPage, id: string) {
    this.api = api;
    this.id = id;
    this.visit = new VisitState(api, id);
  }

  /** No rune: what is still awaited when its screen has gone asks for it too. */
  get record(): RunDetail["record"] | null {
    return this.detail?.record ?? null;
  }

  /** Base rate and clipping in force at a step: the record's, or the last change's. */
  settingsAt(step: number): { readonly learningRate: number; readonly clipNorm: number } {
    if (this.record === null) return { learningRate: 0, clipNorm: 0 };
    const { learningRate, clipNorm } = settingsAt(this.record, this.events, step).optimizer;
    return { learningRate, clipNorm };
  }

  /** Reads the run, then follows it until the returned function is called. */
  open(): () => void {
    const unsubscribe = this.api.subscribe((event) => {
      this.apply(event);
      this.visit.apply(event);
    });
    void this.load();
    return () => {
      this.visit.leave();
      unsubscribe();
    };
  }

  async load(): Promise<void> {
    this.#waiting ??= [];
    try {
      const [detail, journal] = await Promise.all([this.api.detail(this.id), this.api.journal(this.id)]);
      this.losses.clear();
      this.losses.append(journal);
      this.#show(detail);
      await this.#readParent(detail);
      this.failed = null;
    } catch (error) {
      this.failed = { missing: hasCode(error, "missing"), message: messageOf(error) };
    }
    this.loading = false;
    const waiting = this.#waiting;
    this.#waiting = null;
    for (const event of waiting) this.apply(event);
    if (this.failed === null && this.picture === null) await this.#loadPicture();
    await this.#readImport();
  }

  /** No event of the run tells it: those are part of what is exported and compared, and an import changes nothing of it. */
  async #readImport(): Promise<void> {
    try {
      const { entries } = await this.api.audit(this.id);
      this.imported = entries.findLast(({ what }) => what === "imported") ?? null;
    } catch {
      // A comfort: the run is shown all the same.
    }
  }

  async #readParent({ record }: RunDetail): Promise<void> {
    const { parent, firstStep } = record;
    if (parent === null) return;
    try {
      const [detail, rows, lead] = await Promise.all([
        this.api.detail(parent.run),
        this.api.journal(parent.run, firstStep + 1),
        leadOf(this.api, record),
      ]);
      this.forkChanges = forkChanges(record, detail);
      const losses = new LossSeries();
      losses.append(rows);
      losses.follow(lead);
      this.parentLosses = losses.length === 0 ? null : losses;
      this.losses.follow(lead);
      this.revision += 1;
    } catch {
      // It was deleted, or cannot be read now: the run itself is shown all the same.
    }
  }

  /** A checkpoint is read back some time after it was told; what came of that is asked for when somebody looks. */
  async lookAtChecks(): Promise<void> {
    await this.refresh();
    await this.#explain();
  }

  /** Why each checkpoint is kept. */
  async #explain(): Promise<void> {
    const policy = this.record?.policy;
    if (policy === undefined) return;
    try {
      this.why = (await this.api.preview(this.id, policy)).kept;
    } catch {
      this.why = [];
    }
  }

  /** What a person changed, here or in another tab. */
  async refresh(): Promise<void> {
    if (this.loading || this.failed !== null) return;
    try {
      this.#describe(await this.api.detail(this.id));
      if (this.why.length > 0) await this.#explain();
    } catch {
      // What is shown stays as true as it was.
    }
  }

  /** What is on the run beside its training. */
  #describe(detail: RunDetail): void {
    // What was measured is told again; of another rule it says nothing.
    if (JSON.stringify(this.record?.policy.save) !== JSON.stringify(detail.record.policy.save))
      this.interval = null;
    this.detail = detail;
    this.checkpoints = detail.checkpointList;
    this.marks = detail.marks;
    this.tags = detail.tags;
    this.note = detail.note;
  }

  /** The metrics that a checkpoint was saved for, by which it was among the best at its time. */
  bestBy({ step, reason }: CheckpointInfo): readonly string[] {
    if (reason !== "improved" || this.detail === null) return [];
    return improvedBy(
      this.detail.record.policy,
      this.evaluations.filter((one) => one.step <= step),
    );
  }

  markAt(step: number): Mark {
    return this.marks.find((mark) => mark.step === step) ?? { step, pinned: false, tags: [], note: "" };
  }

  #show(detail: RunDetail): void {
    this.#describe(detail);
    this.status = detail.status;
    this.step = detail.step;
    this.steps = detail.steps;
    this.loss = detail.loss;
    this.events = detail.events;
    this.trouble = findTrouble(detail.events);
    const newest = newestEvaluation(detail.checkpointList);
    this.metrics = newest?.metrics ?? {};
    this.metricsStep = newest?.step ?? null;
    this.revision += 1;
    const live = this.api.live(this.id);
    if (live === null) return;
    this.phase = live.phase;
    // What has not been told yet stands at 0 there.
    this.step = Math.max(this.step, live.step);
    if (live.steps > 0) this.steps = live.steps;
    this.stepsPerSecond = live.stepsPerSecond;
    this.savesSkipped = live.savesSkipped;
    this.interval = live.interval;
    this.saving = live.saving;
    this.resumed = live.resumed;
    this.picture = live.picture;
  }

  /** Only of a run at rest: a run that trains sends its own, and one that was interrupted is about to be resumed. */
  async #loadPicture(): Promise<void> {
    if (this.status !== "paused" && this.status !== "finished" && this.status !== "stopped") return;
    try {
      const picture = await this.api.picture(this.id);
      // A newer one may have come meanwhile.
      if (this.picture === null || this.picture.step < picture.step) this.picture = picture;
    } catch (error) {
      this.pictureFailed = messageOf(error);
    }
  }

  apply(event: HoldfastEvent): void {
    if (event.kind === "runs") void this.refresh();
    if (event.kind === "runs" || event.kind === "notice" || event.run !== this.id) return;
    if (this.#waiting !== null) {
      this.#waiting.push(event);
      return;
    }
    switch (event.kind) {
      case "phase":
        this.phase = event.phase;
        break;
      case "progress":
        this.step = event.step;
        this.steps = event.steps;
        this.stepsPerSecond = event.stepsPerSecond;
        this.savesSkipped = event.savesSkipped;
        this.interval = event.interval;
        if (event.rows === null) break;
        this.loss = event.rows.loss.at(-1) ?? this.loss;
        this.revision += 1;
        // Rows were lost on the way (a worker died between two messages): the journal has them.
        if (!this.losses.append(event.rows)) void this.load();
        break;
      case "saving":
        this.saving = true;
        break;
      case "saved":
        this.saving = false;
        this.saveFailure = null;
        this.checkpoints = withCheckpoint(this.checkpoints, event.checkpoint);
        break;
      case "save-failed":
        if (event.what === "checkpoint") this.saving = false;
        // A run that another tab took over is in good hands, and a notice says so.
        if (event.code !== "fenced")
          this.saveFailure = { what: event.what, step: event.step, message: event.message };
        break;
      case "event":
        if (!this.events.some((known) => known.seq === event.event.seq))
          this.events = [...this.events, event.event];
        if (event.event.kind === "extended") this.steps = event.event.steps;
        break;
      case "status":
        this.status = seenFromHere(event.status, this.api.live(this.id));
        if (event.status === "running") {
          this.trouble = null;
        } else {
          this.stepsPerSecond = null;
          this.saving = false;
          // None came while it trained where live pictures are off.
          if (this.picture === null || this.picture.step < this.step) void this.#loadPicture();
        }
        break;
      case "picture":
        this.#pictureGap = event.picture.step - (this.picture?.step ?? event.picture.step);
        this.picture = event.picture;
        this.metrics = event.metrics;
        this.metricsStep = event.picture.step;
        this.pictureFailed = null;
        break;
      case "visiting":
        break;
      case "rehearsed": {
        const { step, ...rehearsed } = event.drill;
        this.checkpoints = this.checkpoints.map((known) =>
          known.step === step ? { ...known, rehearsed } : known,
        );
        break;
      }
      case "resumed":
        this.resumed = event.report;
        this.step = event.report.step;
        break;
      case "trouble":
        this.phase = { kind: "idle" };
        if (event.code === "fenced") {
          // The tab that took it over says so once it trains, which may be long after.
          if (this.status === "running") this.status = "elsewhere";
          this.stepsPerSecond = null;
          this.saving = false;
        } else this.trouble = { step: event.step, code: event.code, message: event.message };
        break;
      default:
        event satisfies never;
    }
  }

  /** A new name, as the storage confirmed it. */
  renamed(name: string): void {
    if (this.detail !== null) this.detail = { ...this.detail, name };
  }
}

function withCheckpoint(list: readonly CheckpointInfo[], added: CheckpointInfo): readonly CheckpointInfo[] {
  const others = list.filter((checkpoint) => checkpoint.step !== added.step);
  const after = others.findIndex((checkpoint) => checkpoint.step > added.step);
  return after < 0 ? [...others, added] : others.toSpliced(after, 0, added);
}

/** Trouble counts until the run goes on. */
function findTrouble(events: readonly RunEvent[]): Trouble | null {
  const last = events.findLast((event) => event.kind === "resumed" || event.kind === "trouble");
  return last?.kind === "trouble" ? { step: last.step, code: last.code, message: last.message } : null;
}

type Ending = Extract<RunEvent, { readonly kind: "paused" | "stopped" }>;

/** The event that the run came to rest by, where that is one that a person chooses after. */
function endingOf(events: readonly RunEvent[]): Ending | null {
  const last = events.findLast(({ kind }) => kind !== "evaluated" && kind !== "forked" && kind !== "changed");
  const isOne = last?.kind === "stopped" || last?.kind === "paused";
  return isOne ? last : null;
}

/** Most checkpoints hold the loss alone; evaluations come now and then. */
function newestEvaluation(
  checkpoints: readonly CheckpointInfo[],
): { readonly step: number; readonly metrics: Readonly<Record<string, number>> } | null {
  for (const { step, metrics } of checkpoints.toReversed()) {
    const others = Object.entries(metrics).filter(([name]) => name !== "loss");
    if (others.length > 0) return { step, metrics: Object.fromEntries(others) };
  }
  return null;
}

function newestBefore(checkpoints: readonly CheckpointInfo[], step: number): CheckpointInfo | null {
  // The bad loss of a step is computed from the state before it, so that state is no good either.
  return checkpoints.findLast((checkpoint) => checkpoint.step < step - 1) ?? null;
}
