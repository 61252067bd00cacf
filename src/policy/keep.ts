/** Which checkpoints of a run stay: the newest whole ones, its first one, and those that a fork began at. */
import type { CheckpointInfo } from "../format/stored";

/** Newest checkpoints of a run that are kept; with what they lean on, this bounds what a run takes. */
export const NEWEST_KEPT = 20;

interface Candidate {
  readonly forked: boolean;
  readonly info: Pick<CheckpointInfo, "check">;
}

/**
 * Those that go, given all of a run in the order of their steps. Damaged ones take no whole one's place; as many of
 * them stay, to be named.
 */
export function surplus<Checkpoint extends Candidate>(
  checkpoints: readonly Checkpoint[],
  newest: number = NEWEST_KEPT,
): readonly Checkpoint[] {
  const isDamaged = ({ info }: Candidate): boolean => info.check === "damaged";
  const kept = new Set([
    ...checkpoints.slice(0, 1),
    ...checkpoints.filter(({ forked }) => forked),
    ...newestOf(
      checkpoints.filter((checkpoint) => !isDamaged(checkpoint)),
      newest,
    ),
    ...newestOf(checkpoints.filter(isDamaged), newest),
  ]);
  return checkpoints.filter((checkpoint) => !kept.has(checkpoint));
}

function newestOf<T>(list: readonly T[], count: number): readonly T[] {
  return list.slice(Math.max(0, list.length - count));
}
