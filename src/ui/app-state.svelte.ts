/** What the whole page shares: the list of runs, storage, backend, notices and toasts. */
import { SvelteMap, SvelteSet } from "svelte/reactivity";
import { hasCode, messageOf } from "../errors";
import type { ForkChanges, HoldfastEvent, HoldfastPage } from "../worker/api";
import type {
  BackendInfo,
  Health,
  Phase,
  RunInfo,
  RunStep,
  StorageStatus,
  TrashedRun,
} from "../worker/protocol";
import type { ActionSource } from "./action";
import { alertsOf } from "./alerts";
import { MirrorState } from "./mirror-state.svelte";
import { runHref } from "./route";
import { isResuming, seenFromHere } from "./seen-status";
import type { Toast } from "./toast";
import { Transfers } from "./transfers.svelte";
import { VersionState } from "./version-state.svelte";
import { failureWords, rehearsalWords, recoveryWords, thinnedWords } from "./store-words";

/** A line at the top that stays until it is closed. */
export interface Notice {
  readonly id: number;
  readonly level: "info" | "warning" | "error";
  readonly message: string;
  readonly ofScreen: boolean;
  /** The run on whose screen alone it stands; null where it stands on all. */
  readonly run: string | null;
}

const TOAST_MS = 10_000;
/** Saves come in bursts; the list is read again once for all of them. */
const REFRESH_DELAY_MS = 300;

/** Components read it; only its methods write it. */
export class AppState {
  readonly api: HoldfastPage;
  /** Null until first read. */
  runs = $state.raw<readonly RunInfo[] | null>(null);
  runsFailed = $state.raw<string | null>(null);
  /** Last deleted first. */
  trash = $state.raw<readonly TrashedRun[]>([]);
  storage = $state.raw<StorageStatus | null>(null);
  backend = $state.raw<BackendInfo | null>(null);
  notices = $state.raw<readonly Notice[]>([]);
  toasts = $state.raw<readonly Toast[]>([]);
  /** What was read on the health screen last. */
  health = $state.raw<Health | null>(null);
  healthFailed = $state.raw<string | null>(null);
  /** Saves that failed and were not made good by a later one, by run; and rehearsals. */
  readonly failures = new SvelteMap<string, string>();
  /** What is wrong now. */
  alerts = $derived.by(() => {
    const isHere = (run: string) => this.runs === null || this.runs.some(({ id }) => id === run);
    const failures = [...this.failures].filter(([about]) => isHere(about.split(" ")[0] ?? ""));
    const { health } = this;
    const listed = health && { ...health, runs: health.runs.filter(({ run }) => isHere(run)) };
    return alertsOf(
      this.storage,
      listed,
      failures.map(([, message]) => message),
      this.mirror.status,
    );
  });
  /** Runs that this machine computes other numbers for than those in their journals, and how that showed. */
  readonly diverged = new SvelteMap<string, string>();
  /** What runs were told to be at since the page was opened. */
  readonly #phases = new SvelteMap<string, Phase["kind"]>();
  /** Interrupted runs that the person does not want to be asked about now. */
  readonly postponed = new SvelteSet<string>();
  /** The run that trains in this tab: one at a time does. */
  training = $derived(this.runs?.find(({ status }) => status === "running") ?? null);
  /** Does no run train, in this tab or in another one? */
  isAtRest = $derived(
    this.runs?.every(
      ({ id, status }) => status !== "running" && status !== "elsewhere" && this.#rests(id),
    ) === true,
  );
  /** Bytes: what the browser counts follows what is stored a while later, and never says less than that in the end. */
  used = $derived.by(() => {
    const usage = this.storage?.usage ?? null;
    const stored = [...(this.runs ?? []), ...this.trash].reduce((sum, { bytes }) => sum + bytes, 0);
    return usage === null ? null : Math.max(usage, stored);
  });
  /** Newest interrupted run that is not postponed. */
  offered = $derived(
    this.runs
      ?.filter(({ id, status }) => status === "interrupted" && !this.postponed.has(id) && this.#rests(id))
      .sort(newestFirst)[0] ?? null,
  );
  /** Files that leave and come. */
  readonly transfers = new Transfers(this);
  readonly mirror = new MirrorState(this);
  readonly version = new VersionState(() => this.api.backend());
  /** The dialog that is asked for; null where none is. */
  asked = $state.raw<"commands" | "keys" | null>(null);
  /** What the screen that is open can do; null where it is no run's. */
  here = $state.raw<ActionSource | null>(null);
  #ids = 0;
  #recoveryTold = false;
  #refresh: ReturnType<typeof setTimeout> | null = null;

  constructor(api: HoldfastPage) {
    this.api = api;
  }

  /** Follows the api until the returned function is called. */
  open(): () => void {
    const unsubscribe = this.api.subscribe((event) => this.apply(event));
    // The trainer is ten times as large as the page, which need not wait for it.
    void this.refresh().then(() => this.attempt(() => this.#readBackend()));
    return () => {
      unsubscribe();
      if (this.#refresh !== null) clearTimeout(this.#refresh);
      this.#refresh = null;
    };
  }

  async #readBackend(): Promise<void> {
    this.backend = await this.api.backend();
    if (this.backend.notice !== "") this.notify("info", this.backend.notice);
  }

  /** Once, when the opening of the store has found something. */
  #tellOfRecovery({ recovery }: StorageStatus): void {
    if (recovery === null || this.#recoveryTold) return;
    this.#recoveryTold = true;
    const words = recoveryWords(recovery);
    if (words !== null) this.notify(recovery.lost.length > 0 ? "error" : "info", words);
  }

  /** Nothing that wants an answer: that space is short stands among the alerts for as long as it is. */
  #tellOfThinning({ thinned }: StorageStatus): void {
    const more = thinned - (this.storage?.thinned ?? 0);
    if (more > 0) this.toast(thinnedWords(more));
  }

  /** Reads runs, trash and storage again. */
  async refresh(): Promise<void> {
    try {
      const [runs, trash, storage] = await Promise.all([
        this.api.runs(),
        this.api.trash(),
        this.api.storage(),
        this.mirror.read(),
      ]);
      this.runs = [...runs].sort(newestFirst);
      this.trash = trash;
      this.#tellOfThinning(storage);
      this.storage = storage;
      this.#tellOfRecovery(storage);
      this.runsFailed = null;
    } catch (error) {
      this.runsFailed = messageOf(error);
    }
  }

  apply(event: HoldfastEvent): void {
    switch (event.kind) {
      case "progress": {
        const loss = event.rows?.loss.at(-1);
        this.#update(event.run, {
          step: event.step,
          steps: event.steps,
          ...(loss === undefined ? {} : { loss }),
        });
        break;
      }
      case "status":
        this.#update(event.run, { status: seenFromHere(event.status, this.api.live(event.run)) });
        this.#refreshSoon();
        break;
      case "saved":
        this.failures.delete(event.run);
        this.#update(event.run, { saved: event.checkpoint.time });
        this.#refreshSoon();
        break;
      case "runs":
      case "event":
        this.#refreshSoon();
        break;
      case "notice":
        // What is no trouble concerns nobody who looks at something else.
        this.notify(event.level, event.message, { run: event.level === "info" ? event.run : null });
        break;
      case "rehearsed":
        // Nobody may be looking at that checkpoint.
        if (event.drill.failure !== null) {
          const words = `${this.#nameOf(event.run)}: ${rehearsalWords(event.drill)}`;
          this.failures.set(`${event.run} rehearsal`, words);
          this.notify("error", words);
        } else this.failures.delete(`${event.run} rehearsal`);
        break;
      case "save-failed":
        // A run that another tab took over is in good hands.
        if (event.code !== "fenced")
          this.failures.set(event.run, `${this.#nameOf(event.run)}: ${failureWords(event)}`);
        break;
      case "phase":
        this.#phases.set(event.run, event.phase.kind);
        break;
      case "saving":
      case "picture":
      case "resumed":
      case "visiting":
        break;
      case "trouble":
        if (event.code === "fenced" && this.training?.id === event.run)
          this.#update(event.run, { status: "elsewhere" });
        break;
      default:
        event satisfies never;
    }
  }

  /** One that goes on by itself after a reload is not asked about. */
  #rests(run: string): boolean {
    return (this.#phases.get(run) ?? this.api.live(run)?.phase.kind ?? "idle") === "idle";
  }

  /** Was it interrupted, and does this page bring it back? */
  isResuming({ id, status }: Pick<RunInfo, "id" | "status">): boolean {
    // Only this tells whoever reads it that the run is at something else now.
    this.#phases.get(id);
    return isResuming(status, this.api.live(id));
  }

  /** Of a run that is not in the list. */
  absentName(run: string): string {
    const name = this.trash.find(({ id }) => id === run)?.name;
    return name === undefined ? "a run that is not here" : `“${name}”, which is in the trash`;
  }

  #nameOf(run: string): string {
    return this.runs?.find(({ id }) => id === run)?.name ?? run;
  }

  async readHealth(): Promise<void> {
    try {
      this.health = await this.api.health();
      this.healthFailed = null;
    } catch (error) {
      this.healthFailed = messageOf(error);
    }
  }

  #update(run: string, changes: Partial<RunInfo>): void {
    this.runs = this.runs?.map((info) => (info.id === run ? { ...info, ...changes } : info)) ?? null;
  }

  #refreshSoon(): void {
    this.#refresh ??= setTimeout(() => {
      this.#refresh = null;
      void this.refresh();
    }, REFRESH_DELAY_MS);
  }

  /** Does it, and shows what went wrong. True where nothing did. */
  async attempt(work: () => Promise<unknown>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      this.notify("error", messageOf(error), { ofScreen: true });
      return false;
    }
  }

  /** Goes on with a run. What a person has to decide then stands on its screen. */
  async resume(run: string): Promise<void> {
    try {
      await this.api.resume(run);
      this.diverged.delete(run);
    } catch (error) {
      if (hasCode(error, "diverged")) this.diverged.set(run, error.message);
      else this.notify("error", messageOf(error), { ofScreen: true });
    }
  }

  ask(dialog: "commands" | "keys" | null): void {
    this.asked = dialog;
  }

  /** What can be done on this screen, until the returned function is called. */
  offer(source: ActionSource): () => void {
    this.here = source;
    return () => {
      // The next screen may have come before this one goes.
      if (this.here === source) this.here = null;
    };
  }

  /** `ofScreen`: about something that was done on this screen, and gone with it. `run`: for its screen alone. */
  notify(
    level: Notice["level"],
    message: string,
    { ofScreen = false, run = null }: Partial<Pick<Notice, "ofScreen" | "run">> = {},
  ): void {
    if (this.notices.some((notice) => notice.message === message)) return;
    this.notices = [...this.notices, { id: this.#ids++, level, message, ofScreen, run }];
  }

  leaveScreen(): void {
    this.notices = this.notices.filter(({ ofScreen }) => !ofScreen);
  }

  dismissNotice(id: number): void {
    this.notices = this.notices.filter((notice) => notice.id !== id);
  }

  toast(message: string, action: Toast["action"] = null): void {
    const id = this.#ids++;
    this.toasts = [...this.toasts, { id, message, action }];
    setTimeout(() => this.dismissToast(id), TOAST_MS);
  }

  dismissToast(id: number): void {
    this.toasts = this.toasts.filter((toast) => toast.id !== id);
  }

  async rename(run: string, name: string): Promise<void> {
    await this.attempt(async () => {
      await this.api.rename(run, name);
      this.#update(run, { name });
    });
  }

  /** Deletes a run and offers to bring it back. True where it is gone. */
  async remove(run: RunInfo): Promise<boolean> {
    return this.attempt(async () => {
      await this.api.remove(run.id);
      this.runs = this.runs?.filter((info) => info.id !== run.id) ?? null;
      this.toast(`Deleted “${run.name}”`, { label: "Undo", run: () => void this.bringBack(run.id) });
    });
  }

  async bringBack(run: string): Promise<void> {
    await this.attempt(async () => {
      await this.api.undoRemove(run);
      await this.refresh();
    });
  }

  /** For good: one run in the trash, or all that is in it. */
  async emptyTrash(run?: string): Promise<void> {
    await this.attempt(async () => {
      await this.api.emptyTrash(run);
      await this.refresh();
    });
  }

  /** A new run from a step, shown at once. */
  async fork(from: RunStep, changes: ForkChanges): Promise<void> {
    await this.attempt(async () => {
      const child = await this.api.fork(from.run, from.step, { changes });
      location.hash = runHref(child);
    });
  }
}

function newestFirst(a: RunInfo, b: RunInfo): number {
  return b.created - a.created;
}
