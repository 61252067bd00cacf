/** Where to begin, to arrive at a step of a run: from a checkpoint, and from how far before the step. */
import { sameEnvironment } from "../format/environment";
import type { Environment, Restored, RunDetail, RunStorageApi } from "./protocol";

/** Journaled steps that are computed again at least where the environment differs from the one that made the checkpoint. */
const PROBE_STEPS = 4;

export interface Arrival {
  readonly step: number;
  readonly environment: Environment;
  /** Will the run go on from there? Then this environment must prove itself even where the step itself is stored. */
  readonly toTrain: boolean;
}

/**
 * The newest whole checkpoint at or before the step; where this environment is not the one that made it, one from which
 * enough steps are computed again to compare. Where those are damaged, or the journal is, the newest stands, unproven.
 */
export async function restorePoint(
  storage: Pick<RunStorageApi, "restore" | "journal">,
  { id, record: { firstStep } }: RunDetail,
  { step, environment, toTrain }: Arrival,
): Promise<{ readonly restored: Restored; readonly changed: boolean }> {
  const restored = await storage.restore(id, step);
  const changed = !sameEnvironment(restored.environment, environment);
  const replayed = step - restored.checkpoint.step;
  const isEnough = replayed >= PROBE_STEPS || (replayed === 0 && !toTrain);
  if (!changed || isEnough || restored.checkpoint.step <= firstStep) return { restored, changed };
  const earlier = await storage.restore(id, Math.max(firstStep, step - PROBE_STEPS)).catch(() => null);
  if (earlier === null) return { restored, changed };
  const { rate } = await storage.journal(id, earlier.checkpoint.step + 1, step);
  // What was lost of the journal has no numbers to compare with.
  if (rate.some(Number.isNaN)) return { restored, changed };
  return { restored: { ...earlier, skipped: [...restored.skipped, ...earlier.skipped] }, changed };
}
