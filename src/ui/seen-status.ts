import type { LiveRun } from "../worker/api";
import type { RunInfo, RunStatus } from "../worker/protocol";

/** It was interrupted, and this page is about to go on with it: what another tab said before it ended counts for nothing. */
export function isResuming(status: RunInfo["status"], live: LiveRun | null): boolean {
  if (status !== "interrupted" || live?.here !== true) return false;
  return live.phase.kind !== "idle" && live.phase.kind !== "training";
}

/** The trainer says "running"; to a page that does not train the run itself that means another tab. */
export function seenFromHere(status: RunStatus, live: LiveRun | null): RunInfo["status"] {
  return status === "running" && live?.here === false ? "elsewhere" : status;
}
