/** Where the marks of the timeline go: on the chart's own x-axis, and few enough to be told apart. */
import type { CheckpointInfo } from "../worker/protocol";

/** The chart's x-axis: where it lies in its box, CSS pixels, and which steps it spans. */
export interface Axis {
  readonly left: number;
  readonly width: number;
  readonly min: number;
  readonly max: number;
}

/** Its place on the axis, CSS pixels from the left of the chart's box. */
export function placeOf(axis: Axis, step: number): number {
  const span = axis.max - axis.min;
  return axis.left + (span === 0 ? 0 : ((step - axis.min) / span) * axis.width);
}

/**
 * Saved because something happened, and not by the clock of the policy: the two have shapes of their own. Of those that were
 * among the best in their time only the best one is: a run that learns has hundreds.
 */
export function isTelling({ reason, step }: CheckpointInfo, best: number | null): boolean {
  return step === best || (reason !== "policy" && reason !== "improved");
}

/**
 * A mark is 11 px wide, and a finger or a pointer tells marks apart by what lies between them. Each that is drawn also
 * takes its part of a frame while the chart is panned.
 */
const CLOSEST_MARKS_PX = 14;

/** A checkpoint as a mark, and how many more it stands for that lie too near to be drawn. */
export interface TimelineMark {
  readonly checkpoint: CheckpointInfo;
  readonly more: number;
}

/**
 * The checkpoints to draw, oldest first: those in view that do not overlap. Where two would, the more telling one
 * stays: the selected, then the newest, then one saved for a reason, then the earlier one. The earlier and not the
 * later, or each new save would push the one before it off a crowded line.
 */
export function visibleMarks(
  axis: Axis,
  checkpoints: readonly CheckpointInfo[],
  selected: number | null,
  best: number | null = null,
): readonly TimelineMark[] {
  const newest = checkpoints.at(-1);
  const weight = (mark: CheckpointInfo): number => {
    if (mark.step === selected) return 3;
    if (mark === newest) return 2;
    return isTelling(mark, best) ? 1 : 0;
  };
  const marks: TimelineMark[] = [];
  for (const checkpoint of checkpoints) {
    if (checkpoint.step < axis.min || checkpoint.step > axis.max) continue;
    const before = marks.at(-1);
    if (
      before === undefined ||
      placeOf(axis, checkpoint.step) - placeOf(axis, before.checkpoint.step) >= CLOSEST_MARKS_PX
    ) {
      marks.push({ checkpoint, more: 0 });
    } else {
      const shown = weight(checkpoint) > weight(before.checkpoint) ? checkpoint : before.checkpoint;
      marks[marks.length - 1] = { checkpoint: shown, more: before.more + 1 };
    }
  }
  return marks;
}
