/** The list line of a run, from its row and from who holds it. */
import type { RunInfo } from "../format/stored";
import type { RunRow } from "../store/tables";

/** Who has a run open. */
export type Holder = "here" | "elsewhere" | null;

/** The line as people see it. No other row is read for it. */
export function runInfo(row: RunRow, holder: Holder): RunInfo {
  return {
    id: row.id,
    name: row.record.name,
    task: row.record.task,
    status: shownStatus(row, holder),
    step: row.step,
    steps: row.steps,
    loss: row.loss,
    sparkline: row.sparkline.values,
    bytes: row.bytes,
    created: row.record.created,
    saved: row.saved,
    checkpoints: row.checkpoints,
    parent: row.record.parent,
    tags: row.tags,
    stepTags: [...new Set(row.marks.flatMap(({ tags }) => tags))],
  };
}

/**
 * What was recorded last may not be so any more: a run that was training when its tab was killed had no time to say.
 * Runs that have ended are shown as ended, whoever looks at them.
 */
function shownStatus({ status }: RunRow, holder: Holder): RunInfo["status"] {
  const open = status === "running" || status === "paused";
  if (open && holder === "elsewhere") return "elsewhere";
  return status === "running" && holder === null ? "interrupted" : status;
}
