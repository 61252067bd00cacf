/** What can be done with the run that is open, and with the step of it that is looked at. */
import { SvelteSet } from "svelte/reactivity";
import type { ForkChanges } from "../worker/api";
import type { RunInfo } from "../worker/protocol";
import type { Action, ActionSource } from "./action";
import type { AppState } from "./app-state.svelte";
import { counterpart } from "./compare-state.svelte";
import { count } from "./format";
import { compareHref } from "./route";
import type { RunState } from "./run-state.svelte";
import { pausesWords } from "./words";

/** What opens under the run's name. */
export const MENUS = {
  export: "Export",
  notes: "Notes",
  policy: "Policy",
  rate: "Learning rate",
  more: "More steps",
} as const;

const DELETE = "Delete this run";
const FORK = "Fork from here";
const PAUSE = "Pause";
const STEP = "Step";
const STOP = "Stop";
const TAKE_OVER = "Take over";
/** These change whether the run trains: one at a time. */
const COURSE = [PAUSE, STEP, STOP, TAKE_OVER, "Resume", "Start"];

/** A failed run is not among them: going on gives the same bad numbers; it is forked. */
const AT_REST: readonly RunInfo["status"][] = ["paused", "stopped", "interrupted"];

interface Place {
  /** The step that is looked at; null where none is. */
  readonly step: () => number | null;
  readonly select: (step: number | null) => void;
}

/** Buttons, menus and the palette read it; only its methods write it. */
export class RunActions implements ActionSource {
  readonly #app: AppState;
  readonly #run: RunState;
  readonly #place: Place;
  /** What is under way, by name, and by step where it is about one. */
  readonly #busy = new SvelteSet<string>();
  /** The menu or form that stands open. */
  #opened = $state.raw<string | null>(null);

  constructor(app: AppState, run: RunState, place: Place) {
    this.#app = app;
    this.#run = run;
    this.#place = place;
  }

  isOpen(name: string): boolean {
    return this.#opened === name;
  }

  setOpen(name: string, open: boolean): void {
    if (open) this.#opened = name;
    else if (this.#opened === name) this.#opened = null;
  }

  async #do(name: string, work: () => Promise<unknown>): Promise<void> {
    this.#busy.add(name);
    await this.#app.attempt(work);
    this.#busy.delete(name);
  }

  /** Pause, resume, start or take over, whichever there is; null where the run is at its end. */
  course = $derived.by((): Action | null => {
    const { id, status } = this.#run;
    const { api } = this.#app;
    const title = pausesWords(this.#app.training) || undefined;
    if (status === "running" || this.#run.isResuming) {
      const action = this.#ofCourse(PAUSE, "Pausing…", () => api.pause(id), { key: "p" });
      // One that is brought back, and be it because "Resume" was pressed, is paused as soon as it is there.
      return { ...action, isPossible: ![PAUSE, STOP].some((one) => this.#busy.has(one)) };
    }
    if (status === "elsewhere")
      return this.#ofCourse(TAKE_OVER, "Taking over…", () => api.takeOver(id), { key: "p", title });
    if (!AT_REST.includes(status)) return null;
    const isFresh = this.#run.step === (this.#run.record?.firstStep ?? 0);
    const [name, underway] = isFresh ? ["Start", "Starting…"] : ["Resume", "Resuming…"];
    return this.#ofCourse(name, underway, () => this.#app.resume(id), { key: "p", title });
  });

  /** One step, of a run that is paused; null where it is not. */
  oneStep = $derived.by((): Action | null => {
    const { id, status, step, steps } = this.#run;
    if (status !== "paused") return null;
    const action = this.#ofCourse(STEP, "Stepping…", () => this.#app.api.step(id), {
      key: "s",
      also: "one train",
    });
    return { ...action, isPossible: action.isPossible && step < steps };
  });

  stop = $derived.by((): Action | null => {
    const { id, status } = this.#run;
    if (status !== "running" && status !== "paused") return null;
    return this.#ofCourse(STOP, "Stopping…", () => this.#app.api.stop(id), {
      also: "end",
      title: "Ends it here, in place of a pause: its end is saved, and it can be gone on with all the same",
    });
  });

  #ofCourse(
    name: string,
    underway: string,
    work: () => Promise<unknown>,
    more: Pick<Action, "key" | "title" | "also"> = {},
  ): Action {
    return {
      name,
      isPossible: !COURSE.some((one) => this.#busy.has(one)),
      underway: this.#busy.has(name) ? underway : null,
      run: () => this.#do(name, work),
      ...more,
    };
  }

  /** To the trash; null of a run that the list does not have. */
  #remove = $derived.by((): Action | null => {
    const info = this.#app.runs?.find(({ id }) => id === this.#run.id);
    if (info === undefined) return null;
    return {
      name: DELETE,
      also: "remove trash",
      isPossible: !this.#busy.has(DELETE),
      run: async () => {
        const { hash } = location;
        await this.#do(DELETE, async () => {
          // Whoever went elsewhere meanwhile stays there.
          if ((await this.#app.remove(info)) && location.hash === hash) location.hash = "#/";
        });
      },
    };
  });

  /** Of the newest checkpoint. */
  compareLink = $derived.by(() => this.#compareWith(this.#run.latest?.step ?? null));

  /** A fork beside its parent at that step, where both have it; else two steps of the run, the older one on the left. */
  #compareWith(step: number | null): string {
    if (step === null) return compareHref({ sides: [] });
    const { parent } = this.#run.record ?? {};
    const from = this.#app.runs?.find(({ id }) => id === parent?.run);
    if (parent != null && from !== undefined && step > parent.step && step <= from.step)
      return compareHref({ sides: [from, this.#run].map(({ id }) => ({ run: id, step })) });
    const other = counterpart(this.#run.checkpoints, step);
    const steps = [step, ...(other === null ? [] : [other])].sort((a, b) => a - b);
    return compareHref({ sides: steps.map((at) => ({ run: this.#run.id, step: at })) });
  }

  /** Are there settings that can still be changed? */
  isOpenEnded = $derived.by(() => this.#run.status !== "elsewhere" && this.#run.status !== "failed");

  #menus = $derived.by((): readonly Action[] => {
    const names: readonly string[] = [
      MENUS.export,
      MENUS.notes,
      ...(this.#run.record === null ? [] : [MENUS.policy]),
      ...(this.isOpenEnded ? [MENUS.rate, MENUS.more] : []),
    ];
    return names.map((name) => ({
      name,
      isPossible: true,
      ...(name === MENUS.export && { key: "e" as const }),
      run: () => this.setOpen(name, true),
    }));
  });

  /** The step that is looked at beside another one. */
  stepLink = $derived.by(() => this.#compareWith(this.#place.step()));

  /** To the step that is looked at; null where it is there already, or none is looked at. */
  goBack = $derived.by((): Action | null => {
    const step = this.#place.step();
    if (step === null || this.#run.visit.step === step) return null;
    return {
      ...this.#ofStep(step, "Look at this step", () => this.#run.visit.go(step)),
      title: "Its state, restored or computed again and checked; the run stays as it is",
      also: "go back return time travel",
    };
  });

  /** Opens and closes the form of a fork. */
  fork = $derived.by((): Action | null => {
    const step = this.#place.step();
    if (step === null) return null;
    return {
      ...this.#ofStep(step, FORK, () => this.setOpen(forkOf(step), !this.asksForFork)),
      isPossible: !this.#busy.has(FORK),
      title: "A new run that begins with this state; this one stays as it is",
      key: "f",
    };
  });

  /** Does the form of a fork stand open under the step that is looked at? */
  get asksForFork(): boolean {
    const step = this.#place.step();
    return step !== null && this.isOpen(forkOf(step));
  }

  get isForking(): boolean {
    return this.#busy.has(FORK);
  }

  /** A new run from the step that is looked at, with what is to be different in it. */
  async startFork(step: number, changes: ForkChanges): Promise<void> {
    await this.#do(FORK, () => this.#app.fork({ run: this.#run.id, step }, changes));
  }

  pin = $derived.by((): Action | null => {
    const step = this.#place.step();
    return step === null ? null : this.#pinned(step);
  });

  #pinned(step: number): Action {
    const { pinned } = this.#run.markAt(step);
    const name = `pin ${step}`;
    return {
      ...this.#ofStep(step, pinned ? "Unpin" : "Pin", () =>
        this.#do(name, () => this.#app.api.pin(this.#run.id, step, !pinned)),
      ),
      isPossible: !this.#busy.has(name),
      title: pinned ? "Let the policy decide again" : "Keep this step, whatever the policy says",
      also: "mark keep save now",
    };
  }

  /** Is the step that is looked at being restored as a test? */
  get isRehearsing(): boolean {
    return this.#busy.has(`rehearse ${this.#place.step()}`);
  }

  /** Null where the step is no checkpoint. */
  rehearse = $derived.by((): Action | null => {
    const step = this.#place.step();
    if (!this.#run.checkpoints.some((one) => one.step === step) || step === null) return null;
    return {
      ...this.#ofStep(step, "Test restore", () =>
        this.#do(`rehearse ${step}`, () => this.#app.api.drill(this.#run.id, step)),
      ),
      isPossible: !this.isRehearsing,
      title: "Restore it beside the run, compute some steps again, and compare; nothing is changed",
      also: "rehearse verify drill check",
    };
  });

  close = $derived.by((): Action | null => {
    const step = this.#place.step();
    return step === null ? null : this.#ofStep(step, "Close", () => this.#place.select(null));
  });

  #ofStep(step: number, name: string, run: () => unknown): Action {
    return { name, about: `step ${count(step)}`, isPossible: true, run };
  }

  /** Where no step is looked at: with the newest checkpoint, which is then looked at. */
  #ofNewest = $derived.by((): readonly Action[] => {
    const { latest } = this.#run;
    if (latest === null || this.#place.step() !== null) return [];
    const { step } = latest;
    const about = "the newest checkpoint";
    const fork = this.#ofStep(step, `Fork from step ${count(step)}`, () => {
      this.#place.select(step);
      this.setOpen(forkOf(step), true);
    });
    const pin = this.#pinned(step);
    return [
      { ...fork, about, key: "f" },
      { ...pin, name: `${pin.name} step ${count(step)}`, about },
    ];
  });

  /** Those of the run's screen, in the order in which one looks for them. */
  actions = $derived.by((): readonly Action[] => {
    const go = (href: string) => () => (location.hash = href);
    const step = this.#place.step();
    const compare: Action = { name: "Compare", key: "c", isPossible: true, run: go(this.compareLink) };
    const withStep: readonly Action[] =
      step === null ? [] : [this.#ofStep(step, "Compare with…", go(this.stepLink))];
    const ofStep = [this.goBack, this.fork, this.pin, this.rehearse];
    const list = [
      ...[this.course, this.oneStep, ...ofStep].filter((one) => one !== null),
      ...withStep,
      ...[this.close, this.stop].filter((one) => one !== null),
      ...this.#ofNewest,
      compare,
      ...this.#menus,
      ...[this.#remove].filter((one) => one !== null),
    ];
    return list.map((one) => ({ about: "this run", ...one }));
  });

  toStep(step: number): Action | null {
    const { record } = this.#run;
    if (record === null || step < record.firstStep || step > this.#run.step) return null;
    return {
      ...this.#ofStep(step, `Show step ${count(step)}`, () => this.#place.select(step)),
      about: "this run",
    };
  }
}

/** The form belongs to its step: whoever moves on along the timeline is not drawn into it. */
function forkOf(step: number): string {
  return `${FORK} ${step}`;
}
