/**
 * Computing again: from a restored state to a later step, each loss compared bit for bit with the journal.
 *
 * The rates come from the journal, never from a recomputed schedule, so a replay stands even where another version computes
 * the schedule to another last bit.
 */
import { HoldfastError } from "../errors";
import type { JournalRows, RunEvent, RunRecord } from "../format/run";
import { nextEventAfter, settingsAt } from "../format/settings";
import { InFlight } from "./in-flight";
import type { Position } from "./session-parts";
import type { PendingLoss, Trainable } from "./trainable";

/** Steps between two reads of losses: one wait for many. */
const READ_STEPS = 64;

export interface ReplayOptions {
  readonly trainable: Trainable;
  readonly record: RunRecord;
  readonly events: readonly RunEvent[];
  /** Where the trainable stands. */
  readonly from: Position;
  /** Rows `from.step + 1` … the step to reach. */
  readonly rows: JournalRows;
  /** Called every other step; what it throws ends the replay. */
  readonly progress: (done: number, total: number) => void;
}

/**
 * Replays all of `rows`. Resolves with the position reached.
 * Throws `diverged`, naming the first step with another loss, and both losses.
 */
export async function replay(options: ReplayOptions): Promise<Position> {
  const { trainable, rows, from, record, events, progress } = options;
  const total = rows.loss.length;
  if (total > 0 && rows.from !== from.step + 1) {
    throw new HoldfastError(
      "internal",
      `Replay from step ${from.step} was given a journal that starts at step ${rows.from}.`,
    );
  }
  let step = from.step;
  let samples = from.samples;
  let { clipNorm } = settingsAt(record, events, step).optimizer;
  let clipUntil = nextEventAfter(events, step);
  const inFlight = new InFlight(() => trainable.settled());
  for (let done = 0; done < total;) {
    const pending: PendingLoss[] = [];
    for (; done < total && pending.length < READ_STEPS; done += 1) {
      const learningRate = rows.rate[done] ?? 0;
      if (step >= clipUntil) {
        ({ clipNorm } = settingsAt(record, events, step).optimizer);
        clipUntil = nextEventAfter(events, step);
      }
      pending.push(trainable.step({ step, samples, learningRate, clipNorm }));
      step += 1;
      samples += trainable.batchSize;
      // As in training: a long replay must leave the worker able to answer.
      await inFlight.submitted(2);
      if (pending.length % 2 === 0) progress(done, total);
    }
    const losses = await trainable.losses(pending);
    compareBits(losses, rows, done - pending.length);
    progress(done, total);
  }
  return { step, samples };
}

function compareBits(losses: Float32Array<ArrayBuffer>, rows: JournalRows, start: number): void {
  const computed = new Uint32Array(losses.buffer, losses.byteOffset, losses.length);
  const journaled = new Uint32Array(rows.loss.buffer, rows.loss.byteOffset, rows.loss.length);
  for (let i = 0; i < computed.length; i += 1) {
    if (computed[i] === journaled[start + i]) continue;
    throw new HoldfastError(
      "diverged",
      `Step ${rows.from + start + i} gave loss ${losses[i]} when replayed, and ${rows.loss[start + i]} stands in the journal. ` +
        "What is stored is whole; this browser or GPU computes other numbers. Fork from the newest checkpoint to go on.",
    );
  }
}
