import type { LiveRun } from "../worker/api";
import type { RunInfo, RunStatus } from "../worker/protocol";

/**
 * Was it interrupted, and does this page bring it back to where it was? Whoever reads it before this page holds it sees
 * `interrupted`, and afterwards `running`. What another tab said before it ended counts for nothing.
 */
export function isResuming(status: RunInfo["status"], live: LiveRun | null): boolean {
  if ((status !== "interrupted" && status !== "running") || live?.here !== true) return false;
  const { kind } = live.phase;
  // A run that has just begun compiles, too, and trains by then.
  if (kind === "compiling") return status === "interrupted";
  return kind !== "idle" && kind !== "training";
}

/** The trainer says "running"; to a page that does not train the run itself that means another tab. */
export function seenFromHere(status: RunStatus, live: LiveRun | null): RunInfo["status"] {
  return status === "running" && live?.here === false ? "elsewhere" : status;
}
