/** Where the marks of the timeline go: on the chart's own x-axis, and few enough to be told apart. */
import type { CheckpointInfo, RunEvent } from "../worker/protocol";

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

/** A mark is up to 13 px wide, and a finger or a pointer tells marks apart by what lies between them. */
const CLOSEST_MARKS_PX = 14;
/** A ring is 8 px wide, and nobody has to hit it. */
const CLOSEST_RINGS_PX = 10;

/** Half of 24 px, the least that a target should be (WCAG 2.2, 2.5.8). */
const REACH_PX = 12;

/** What is drawn where, CSS pixels from the left of the chart's box, and how many more it stands for that lie too near. */
export interface Placed<T> {
  readonly item: T;
  readonly at: number;
  readonly more: number;
}

export type TimelineMark = Placed<CheckpointInfo>;

/**
 * Those in view that do not overlap, in their order. Where two would, the one of more weight stays, of equals the earlier:
 * of the later, each new one would push the one before it off a crowded line.
 */
function apart<T extends { readonly step: number }>(
  axis: Axis,
  items: readonly T[],
  closest: number,
  weight: (item: T) => number,
): readonly Placed<T>[] {
  const placed: Placed<T>[] = [];
  for (const item of items) {
    if (item.step < axis.min || item.step > axis.max) continue;
    const at = placeOf(axis, item.step);
    const before = placed.at(-1);
    if (before === undefined || at - before.at >= closest) placed.push({ item, at, more: 0 });
    else {
      const shown = weight(item) > weight(before.item) ? { item, at } : before;
      placed[placed.length - 1] = { ...shown, more: before.more + 1 };
    }
  }
  return placed;
}

/**
 * The checkpoints to draw, oldest first. Where two would overlap, the more telling one stays: the selected, then the newest,
 * then one saved for a reason.
 */
export function visibleMarks(
  axis: Axis,
  checkpoints: readonly CheckpointInfo[],
  selected: number | null,
  best: number | null = null,
): readonly TimelineMark[] {
  const newest = checkpoints.at(-1);
  return apart(axis, checkpoints, CLOSEST_MARKS_PX, (mark) => {
    if (mark.step === selected) return 3;
    if (mark === newest) return 2;
    return isTelling(mark, best) ? 1 : 0;
  });
}

/** The events to draw as rings, oldest first; trouble goes before all else. What was evaluated is on the chart itself. */
export function visibleRings(axis: Axis, events: readonly RunEvent[]): readonly Placed<RunEvent>[] {
  const told = events.filter(({ kind }) => kind !== "evaluated").sort((a, b) => a.step - b.step);
  return apart(axis, told, CLOSEST_RINGS_PX, ({ kind }) => (kind === "trouble" ? 1 : 0));
}

/** What lies nearest to a place, and not further from it than a finger is wide; null where nothing does. */
export function nearest<T>(placed: readonly Placed<T>[], at: number): Placed<T> | null {
  let found: Placed<T> | null = null;
  let least = REACH_PX;
  for (const one of placed) {
    const distance = Math.abs(one.at - at);
    if (distance <= least) [found, least] = [one, distance];
  }
  return found;
}
