/** What a run's policy, and the marks that a person put on it, mean for its rows. */
import {
  describeReason,
  keepersWithin,
  rulesOf,
  type Budget,
  type Candidate,
  type KeepReason,
} from "../policy/keep";
import { PACK_HEADER_BYTES } from "../format/pack-header";
import type { PolicyPreview } from "../format/stored";
import { chainsOf, liveBytes } from "../store/chains";
import type { Surplus } from "../store/commit";
import type { CheckpointRow, RunRow } from "../store/tables";

/** Of a budget. The rest is for what is dead in packs that are not worth sweeping yet. */
const LIVE_PART = 7 / 8;

type Kept = Pick<RunRow, "record" | "marks">;

/** What the rules ask of a checkpoint beside what a person put on it. */
export type Rated = Omit<Candidate, "pinned" | "tagged">;

export function ratedOf({ step, info, forked, used }: CheckpointRow): Rated {
  const { time, metrics, check } = info;
  return { step, time, metrics, damaged: check === "damaged", forked, used };
}

/** In the order of their steps. */
function candidatesOf(checkpoints: readonly Rated[], marks: Kept["marks"]): readonly Candidate[] {
  const byStep = new Map(marks.map((mark) => [mark.step, mark]));
  return checkpoints.map((one) => {
    const mark = byStep.get(one.step);
    return { ...one, pinned: mark?.pinned ?? false, tagged: (mark?.tags.length ?? 0) > 0 };
  });
}

/** By step, why each that stays does, where there is room for all. In the order of their steps. */
export function keptWithRoom(
  checkpoints: readonly Rated[],
  { record: { policy }, marks }: Kept,
  now: number,
): ReadonlyMap<number, readonly KeepReason[]> {
  return keepersWithin(rulesOf(policy), candidatesOf(checkpoints, marks), now, null);
}

/** By step, why each checkpoint that stays does. `checkpoints`: all of the run, in the order of their steps. */
export function keptBy(
  checkpoints: readonly CheckpointRow[],
  { record: { policy }, marks }: Kept,
  now: number,
): ReadonlyMap<number, readonly KeepReason[]> {
  const budget: Budget | null =
    policy.budget === undefined
      ? null
      : {
          bytes: policy.budget * LIVE_PART,
          weigh: (kept) => weightOf(checkpoints.filter(({ step }) => kept.has(step))),
        };
  return keepersWithin(rulesOf(policy), candidatesOf(checkpoints.map(ratedOf), marks), now, budget);
}

/** What the policy lets go. `now`: milliseconds since 1970. */
export function surplusAt(now: () => number): Surplus {
  return (checkpoints, run) => {
    const kept = keptBy(checkpoints, run, now());
    return checkpoints.filter(({ step }) => !kept.has(step));
  };
}

/** The same, with a budget of so many bytes less than these need now. */
export function thinner(keep: Surplus, bytes: number): Surplus {
  return (checkpoints, { record, marks }) => {
    const { policy } = record;
    const less = Math.max(1, (weightOf(checkpoints) - bytes) / LIVE_PART);
    const budget = Math.min(less, policy.budget ?? Infinity);
    return keep(checkpoints, { marks, record: { ...record, policy: { ...policy, budget } } });
  };
}

/** Bytes that these need, headers of their packs and all. */
function weightOf(checkpoints: readonly CheckpointRow[]): number {
  return liveBytes(checkpoints) + chainsOf(checkpoints).length * PACK_HEADER_BYTES;
}

/**
 * What the policy of `run` would do to these. `sizes`: bytes of each pack by its name. Only whole packs are given back, so
 * that is what counts as freed.
 */
export function previewOf(
  checkpoints: readonly CheckpointRow[],
  run: Kept,
  now: number,
  sizes: ReadonlyMap<string, number>,
): PolicyPreview {
  const reasons = keptBy(checkpoints, run, now);
  const stays = checkpoints.filter(({ step }) => reasons.has(step));
  const goes = checkpoints.filter(({ step }) => !reasons.has(step));
  const needed = new Set(stays.flatMap(({ packs }) => packs));
  const packs = new Set(checkpoints.flatMap((row) => row.packs));
  const bytes = (names: Iterable<string>) =>
    [...names].reduce((sum, name) => sum + (sizes.get(name) ?? 0), 0);
  return {
    kept: stays.map(({ step }) => ({ step, why: (reasons.get(step) ?? []).map(describeReason) })),
    gone: goes.map(({ step }) => step),
    freed: bytes([...packs].filter((name) => !needed.has(name))),
    left: bytes(needed),
    longestNow: longestGap(checkpoints),
    longestThen: longestGap(stays),
  };
}

/** Most steps between two checkpoints. */
function longestGap(checkpoints: readonly CheckpointRow[]): number {
  const whole = checkpoints.filter(({ info }) => info.check !== "damaged");
  return whole.reduce((most, { step }, index) => Math.max(most, step - (whole[index - 1]?.step ?? step)), 0);
}
