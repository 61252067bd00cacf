/** What a run is at, and what is known of its steps and checkpoints, in words a person would say. */
import type {
  Interpolation,
  CheckpointInfo,
  Phase,
  PolicyPreview,
  SaveReason,
  Visit,
} from "../worker/protocol";
import { bytes, count, counted, loss, rate } from "./format";
import type { ChangedSetting } from "./run-settings";
import { metricWords, uncapitalized } from "./words";

/** What the trainer is at; null where the status alone says it. */
export function phaseWords(phase: Phase): string | null {
  switch (phase.kind) {
    case "idle":
    case "training":
      return null;
    case "loading":
      return `Loading ${phase.what}`;
    case "compiling":
      return "Compiling shaders for the first step";
    case "restoring":
      return "Restoring the last checkpoint";
    case "replaying":
      return phase.done === 0
        ? `Replaying ${counted(phase.total, "step")}; shaders are compiled for the first one`
        : `Replaying ${count(phase.done)} of ${counted(phase.total, "step")}, each checked against the journal`;
    default:
      return phase satisfies never;
  }
}

/** How far a phase has come, 0 … 1; null where nobody knows. */
export function phaseShare(phase: Phase): number | null {
  return phase.kind === "replaying" && phase.total > 0 ? phase.done / phase.total : null;
}

/** Whether the loss on the line between two states rises above what lies between its ends. */
export function barrierWords(barrier: Interpolation["barrier"]): string {
  if (barrier === null) return "There is no held-out loss at both ends, so nothing can be said of a barrier.";
  const { alpha, height } = barrier;
  if (height === 0)
    return "No barrier: nowhere between the two does the loss rise above the straight line from the one to the other.";
  return `A barrier of ${loss(height)} above the straight line from the one loss to the other, highest at ${alpha}.`;
}

/** What is known of its bytes. */
export function checkWords(check: CheckpointInfo["check"]): string {
  switch (check) {
    case "saved":
      return "on the device, not read back yet";
    case "verified":
      return "read back, every bit";
    case "damaged":
      return "damaged: an older one is used";
    default:
      return check satisfies never;
  }
}

/** Why a checkpoint was made. `bestBy`: metrics by which its state was among the best at that time. */
export function reasonWords(reason: SaveReason, bestBy: readonly string[]): string {
  if (reason === "import") return "came with the imported file";
  const by = bestBy.length === 0 ? "" : ` by ${bestBy.map(metricWords).join(" and ")}`;
  return `saved ${SAVED_WHY[reason]}${by}`;
}

/** Why something was saved. */
export const SAVED_WHY: Readonly<Record<SaveReason, string>> = {
  start: "at the start",
  policy: "on schedule",
  improved: "while among the best",
  pause: "at a pause",
  hidden: "when the tab was hidden",
  end: "at the end",
  recovered: "after a recovery",
  fork: "by a fork",
  import: "by an import",
  asked: "when asked",
};

/** What a fork began with that its parent had not. */
export function forkChangesWords(changes: readonly ChangedSetting[]): string {
  if (changes.length === 0) return "with the same settings";
  return changes
    .map(({ label, value, was }) => `${uncapitalized(label)} ${was === null ? "" : `${was} → `}${value}`)
    .join(", ");
}

/**
 * What the schedule makes of a learning rate that is typed, near a step that was made with `scheduled` while `set` was in
 * force; empty where it leaves it as it is. A schedule is a factor on the rate.
 */
export function scheduleWords(scheduled: number | null, set: number, typed: number): string {
  if (scheduled === null || rate(scheduled) === rate(set)) return "";
  return ` The schedule makes ${rate((scheduled / set) * typed)} of ${rate(typed)} here.`;
}

/** On the way to a step. */
export function goingWords({ done, total }: { readonly done: number; readonly total: number }): string {
  if (total === 0) return "Restoring the checkpoint before it";
  if (done === 0) return `Computing ${counted(total, "step")} again; shaders are compiled for the first one`;
  return `Computed ${count(done)} of ${counted(total, "step")} again`;
}

/** What shows that it is that very step. */
export function visitWords({ checkpoint, replayed, proof }: Visit): string {
  const from = `Computed again from step ${count(checkpoint)}`;
  switch (proof) {
    case "stored":
      return "This very state, as it was saved";
    case "losses":
      return `${from}: ${counted(replayed, "step")}, every loss the same, bit for bit`;
    case "digest":
      return `${from}: ${counted(replayed, "step")}, the same digest as the state that was saved`;
    default:
      return proof satisfies never;
  }
}

/** What another policy would do. */
export function previewWords({ gone, freed, left, longestNow, longestThen }: PolicyPreview): string {
  if (gone.length === 0) return "All checkpoints there are would stay.";
  const longer =
    longestThen > longestNow
      ? ` Going back then computes up to ${counted(longestThen, "step")} again, instead of ${count(longestNow)}.`
      : "";
  return `${counted(gone.length, "checkpoint")} would go: ${bytes(freed)} less, ${bytes(left)} left.${longer}`;
}
