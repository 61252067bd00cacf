/** A run as it is at one moment, for what takes it out of the store. */
import { HoldfastError } from "../errors";
import type { BundleRun } from "../format/bundle";
import type { JournalRows } from "../format/run";
import type { ExportedRun } from "../format/stored";
import { readRows } from "../store/journal";
import { findRun } from "../store/owner";
import type { CatalogReader, CheckpointRow } from "../store/tables";
import type { CheckpointManager, StoreParts } from "../checkpoint/manager";

/** A run as the store has it at one moment. */
export interface Snapshot extends Omit<BundleRun, "checkpoints"> {
  readonly journal: JournalRows | null;
  /** Those that are wanted. */
  readonly rows: readonly CheckpointRow[];
  /** Lets policies have their way with them again. */
  readonly release: () => void;
}

/** `missing` where it has no checkpoint at a step that is wanted. */
export async function snapshotOf(
  manager: CheckpointManager,
  parts: StoreParts,
  { run, steps }: ExportedRun,
): Promise<Snapshot> {
  const wanted = steps === null ? null : new Set(steps);
  // One transaction: a run that goes on meanwhile would otherwise give rows that an event changed without that event.
  return holding(manager, parts, run, async (tx) => {
    const { record, step, marks, tags, note } = await findRun(tx, run);
    const journal = await readRows(tx, run, record.firstStep + 1, step);
    const all = await tx.of("checkpoints", run);
    for (const one of wanted ?? []) if (!all.some((row) => row.step === one)) throw noCheckpoint(one);
    return {
      record,
      about: { marks, tags, note },
      events: (await tx.of("events", run)).map(({ event }) => event),
      journal: journal.loss.length === 0 ? null : journal,
      rows: all.filter((row) => wanted?.has(row.step) ?? true),
    };
  });
}

/**
 * What `read` finds, with its checkpoints held in the same transaction: after it, a policy could let go of them before
 * they are. In this tab alone; what another one lets go of meanwhile is found missing.
 */
export async function holding<T extends { readonly rows: readonly CheckpointRow[] }>(
  manager: CheckpointManager,
  parts: StoreParts,
  run: string,
  read: (tx: CatalogReader) => Promise<T>,
): Promise<T & { readonly release: () => void }> {
  let release = (): void => undefined;
  try {
    const found = await parts.catalog.read(async (tx) => {
      const found = await read(tx);
      // Where the browser undid the transaction and it is done again.
      release();
      release = manager.held.hold(
        run,
        found.rows.map(({ step }) => step),
      );
      return found;
    });
    return { ...found, release };
  } catch (error) {
    release();
    throw error;
  }
}

export function noCheckpoint(step: number): HoldfastError {
  return new HoldfastError(
    "missing",
    `There is no checkpoint at step ${step}. Pin the step first, and it is one.`,
  );
}
