/** What is known of runs that train now, here or in another tab: a fold over their events. */
import type { HoldfastEvent, LiveRun } from "./api";

export class LiveRuns {
  readonly #runs = new Map<string, LiveRun>();

  get(run: string): LiveRun | null {
    return this.#runs.get(run) ?? null;
  }

  /** `here`: is it this page that trains the run? */
  apply(event: HoldfastEvent, here: boolean): void {
    if (event.kind === "runs" || event.kind === "notice" || event.run === "") return;
    // Who trains a run, and what it does, has nothing to do with a look at one of its steps, or with a rehearsal.
    if (event.kind === "visiting" || event.kind === "rehearsed") return;
    const before = this.#runs.get(event.run) ?? blank(event.run);
    this.#runs.set(event.run, { ...before, here, ...changed(before, event) });
  }
}

function changed(
  before: LiveRun,
  event: Exclude<HoldfastEvent, { readonly kind: "runs" | "notice" | "visiting" | "rehearsed" }>,
): Partial<LiveRun> {
  switch (event.kind) {
    case "phase":
      return { phase: event.phase };
    case "progress":
      return {
        step: event.step,
        steps: event.steps,
        stepsPerSecond: event.stepsPerSecond,
        savesSkipped: event.savesSkipped,
        interval: event.interval,
      };
    case "saving":
      return { saving: true };
    case "saved":
      return { saving: false, lastSave: event.checkpoint };
    case "save-failed":
      return event.what === "checkpoint" ? { saving: false } : {};
    case "picture":
      return { picture: event.picture };
    case "resumed":
      return { resumed: event.report, step: event.report.step };
    case "status":
      return event.status === "running" ? {} : { stepsPerSecond: null, phase: { kind: "idle" } };
    case "trouble":
      return { stepsPerSecond: null, phase: { kind: "idle" }, saving: false };
    case "event":
      return event.event.kind === "extended" ? { steps: event.event.steps } : {};
    default:
      event satisfies never;
      return before;
  }
}

function blank(run: string): LiveRun {
  return {
    run,
    phase: { kind: "idle" },
    step: 0,
    steps: 0,
    stepsPerSecond: null,
    savesSkipped: 0,
    interval: null,
    lastSave: null,
    saving: false,
    resumed: null,
    picture: null,
    here: false,
  };
}
