/** What the health screen shows, from what is stored: times of saves, bytes by what they are worth, a file of numbers. */
import type { CheckpointInfo, Health, RunHealth, Tier } from "../worker/protocol";
import { csv } from "./csv";
import { count, counted } from "./format";

/** Half of them took at most `p50`, all but one in twenty at most `p95`; null where there are none. */
export interface Spread {
  readonly p50: number | null;
  readonly p95: number | null;
}

export interface Phase extends Spread {
  readonly name: string;
}

/** By nearest rank. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): number | null =>
    sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? null;
  return { p50: at(0.5), p95: at(0.95) };
}

/** All of a save that goes on beside training, milliseconds. */
export function besideTraining({ readBack, encode, write, commit }: CheckpointInfo["times"]): number {
  return readBack + encode + write + commit;
}

const PHASES: readonly (readonly [name: string, of: (times: CheckpointInfo["times"]) => number])[] = [
  ["A save, beside training", besideTraining],
  ["– read back from the GPU", ({ readBack }) => readBack],
  ["– encoded", ({ encode }) => encode],
  ["– written", ({ write }) => write],
  ["– committed", ({ commit }) => commit],
  ["Training waited for it", ({ held }) => held],
];

/** How long each phase of a save took, milliseconds. First states are not read back while training goes on. */
export function phasesOf(checkpoints: readonly CheckpointInfo[]): readonly Phase[] {
  return PHASES.map(([name, of]) => ({ name, ...spreadOf(checkpoints.map(({ times }) => of(times))) }));
}

export function checkpointsOf({ runs }: Health): readonly CheckpointInfo[] {
  return runs.flatMap(({ checkpoints }) => checkpoints).sort((a, b) => a.time - b.time);
}

/** Checkpoints and bytes of a run, by what they are worth. */
export function tiersOf({
  checkpoints,
}: RunHealth): Readonly<Record<Tier, { readonly count: number; readonly bytes: number }>> {
  const of = (tier: Tier) => {
    const those = checkpoints.filter((one) => one.tier === tier);
    return { count: those.length, bytes: those.reduce((sum, { storedBytes }) => sum + storedBytes, 0) };
  };
  return { recent: of("recent"), milestone: of("milestone"), archive: of("archive") };
}

/** Where a run that trains would go on after a power cut now, in words; null where it rests. */
export function atRiskWords({ name, status, step, checkpoints }: RunHealth): string | null {
  if (status !== "running") return null;
  const newest = checkpoints.at(-1)?.step ?? 0;
  const after = step - newest;
  const from = `${name}: goes on from step ${count(newest)}`;
  return after <= 0 ? `${from}.` : `${from} and computes ${counted(after, "step")} again.`;
}

const COLUMNS = [
  "run",
  "name",
  "step",
  "time",
  "reason",
  "tier",
  "check",
  "raw_bytes",
  "stored_bytes",
  "stall_ms",
  "held_ms",
  "read_back_ms",
  "encode_ms",
  "write_ms",
  "commit_ms",
  "digest",
] as const;

/** A line to a checkpoint. */
export function healthCsv({ runs }: Health): string {
  const rows = runs.flatMap(({ run, name, checkpoints }) =>
    checkpoints.map(({ step, time, reason, tier, check, rawBytes, storedBytes, times, digest }) => {
      const { stall, held, readBack, encode, write, commit } = times;
      const at = new Date(time).toISOString();
      const costs = [stall, held, readBack, encode, write, commit];
      return [run, name, step, at, reason, tier, check, rawBytes, storedBytes, ...costs, digest];
    }),
  );
  return csv([COLUMNS, ...rows]);
}
