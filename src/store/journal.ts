/**
 * The journal of a run: rows in blocks, without a gap.
 *
 * A block is rewritten while it grows, so that a long run is a thousand rows of the table and not a hundred thousand;
 * the price is at most `BLOCK_STEPS` × 12 bytes written per flush.
 */
import { HoldfastError } from "../errors";
import { cutRows, joinRows, lastStep } from "../format/rows";
import type { JournalRows } from "../format/run";
import { extendSparkline } from "./sparkline";
import type { CatalogReader, CatalogWriter, RunRow } from "./tables";

const BLOCK_STEPS = 1024;

/**
 * Appends what the journal has not got yet, and returns the run's row brought up to date; the caller puts it.
 * Rows that are there already are skipped, unread: a writer that was not answered sends them again. `invalid`
 * for a gap.
 */
export async function appendRows(tx: CatalogWriter, run: RunRow, rows: JournalRows): Promise<RunRow> {
  checkColumns(rows);
  if (rows.from > run.step + 1) {
    throw new HoldfastError(
      "invalid",
      `The journal of "${run.record.name}" ends at step ${run.step}; rows from step ${rows.from} would leave a gap.`,
    );
  }
  const fresh = cutRows(rows, run.step + 1, lastStep(rows));
  if (fresh === null) return run;
  const tail = await tx.last("journal", run.id);
  const grows = tail !== undefined && tail.loss.length + fresh.loss.length <= BLOCK_STEPS;
  await tx.put("journal", { ...ownBuffers(grows ? joinRows([tail, fresh]) : fresh), run: run.id });
  return {
    ...run,
    step: lastStep(fresh),
    loss: fresh.loss.at(-1) ?? run.loss,
    sparkline: extendSparkline(run.sparkline, run.step - run.record.firstStep, fresh.loss),
  };
}

/** The rows of steps `from` … `to` that are there, both included. */
export async function readRows(
  tx: CatalogReader,
  run: string,
  from: number,
  to: number,
): Promise<JournalRows> {
  const first = await tx.last("journal", run, from);
  const blocks = await tx.of("journal", run, { from: first?.from ?? from, to });
  const parts = blocks.map((block) => cutRows(block, from, to)).filter((rows) => rows !== null);
  const joined = joinRows(parts);
  return parts.length === 0
    ? { ...joined, from }
    : { from: joined.from, loss: joined.loss, rate: joined.rate, ms: joined.ms };
}

/** A row of IndexedDB is the whole buffer behind an array, so no view into a larger one gets there. */
function ownBuffers(rows: JournalRows): JournalRows {
  return { from: rows.from, loss: rows.loss.slice(), rate: rows.rate.slice(), ms: rows.ms.slice() };
}

function checkColumns({ from, loss, rate, ms }: JournalRows): void {
  if (!Number.isSafeInteger(from) || from < 1) {
    throw new HoldfastError("invalid", `Journal rows begin at step ${from}; the first step is 1.`);
  }
  if (loss.length !== rate.length || loss.length !== ms.length) {
    throw new HoldfastError("invalid", "Journal rows have columns of different lengths.");
  }
}
