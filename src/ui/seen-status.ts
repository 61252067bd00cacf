import type { LiveRun } from "../worker/api";
import type { RunInfo, RunStatus } from "../worker/protocol";

/** The trainer says "running"; to a page that does not train the run itself that means another tab. */
export function seenFromHere(status: RunStatus, live: LiveRun | null): RunInfo["status"] {
  return status === "running" && live?.here === false ? "elsewhere" : status;
}
