/** Waiting for a run to get somewhere. */
import { HoldfastError } from "../errors";
import type { HoldfastPage } from "./api";
import type { RunInfo } from "./protocol";

export interface Goal {
  readonly step?: number;
  readonly status?: RunInfo["status"];
}

/** Resolves when the run is at `step` or beyond and has `status`; rejects when it ended short of that. */
export function waitForRun(holdfast: HoldfastPage, run: string, goal: Goal): Promise<RunInfo> {
  return new Promise((resolve, reject) => {
    let settled = false;
    const leave = holdfast.subscribe((event) => {
      // Ten times a second is too often to ask the store about a step that is not there yet.
      if (event.kind === "progress" && goal.step !== undefined && event.step < goal.step) return;
      if (event.kind === "runs" || ("run" in event && event.run === run && TELLING.has(event.kind)))
        void look();
    });
    const settle = (end: () => void): void => {
      settled = true;
      leave();
      end();
    };
    const look = async (): Promise<void> => {
      try {
        const info = await holdfast.detail(run);
        const step = Math.max(info.step, holdfast.live(run)?.step ?? 0);
        if (settled) return;
        if (reached(goal, info, step))
          settle(() => {
            resolve({ ...info, step });
          });
        else if (ended(info))
          settle(() => {
            reject(shortOf(goal, info));
          });
      } catch (error) {
        if (!settled)
          settle(() => {
            reject(error instanceof Error ? error : new HoldfastError("internal", String(error)));
          });
      }
    };
    void look();
  });
}

const TELLING: ReadonlySet<string> = new Set(["progress", "status", "trouble", "notice"]);

function reached(goal: Goal, info: RunInfo, step: number): boolean {
  return (
    (goal.step === undefined || step >= goal.step) &&
    (goal.status === undefined || info.status === goal.status)
  );
}

function ended({ status }: RunInfo): boolean {
  // Called only where the goal is not reached: what has ended will not get there by itself.
  return status === "finished" || status === "stopped" || status === "failed";
}

function shortOf(goal: Goal, info: RunInfo): HoldfastError {
  const wanted = [goal.step === undefined ? "" : `step ${goal.step}`, goal.status ?? ""].filter(
    (word) => word !== "",
  );
  return new HoldfastError(
    "missing",
    `The run "${info.name}" is ${info.status} at step ${info.step} and will not reach ${wanted.join(" and ")} by itself.`,
  );
}
