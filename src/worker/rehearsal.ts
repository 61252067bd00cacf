/**
 * A return to a checkpoint, tried: whoever trusts a checkpoint unseen finds out on the day that it is needed. It is restored
 * on a model of its own, beside whatever is open; steps that the journal knows are computed again, and compared.
 */
import { replay } from "../engine/replay";
import { hasCode, HoldfastError, messageOf } from "../errors";
import { digestOf } from "../format/digest";
import type { CheckpointInfo, Drill, Rehearsal, RunDetail, RunRecord, RunStorageApi } from "./protocol";
import type { Bench } from "./visitor";

/** Steps to the next checkpoint, whose digest is the better proof, at most; without one, steps whose losses are compared. */
const TO_NEXT = 64;
const BEYOND = 16;
/** Steps from the checkpoint before, where none of the journal comes after, at most. */
const FROM_BEFORE = 512;

export interface RehearsalParts {
  readonly storage: Pick<RunStorageApi, "detail" | "journal" | "restore" | "rehearsed">;
  /** The run made live, to be disposed. */
  readonly bench: (record: RunRecord) => Promise<Bench>;
  /** Milliseconds since 1970, and of a clock that never goes back. */
  readonly now: () => number;
  readonly elapsed: () => number;
}

/** What is computed again. */
type Way = Pick<Rehearsal, "from" | "to" | "proof">;

/** Tries it, and puts down what came of it. `missing` where there is no such checkpoint. */
export async function rehearse(parts: RehearsalParts, run: string, step?: number): Promise<Drill> {
  const detail = await parts.storage.detail(run);
  const info =
    step === undefined
      ? detail.checkpointList.findLast(({ check }) => check !== "damaged")
      : detail.checkpointList.find((one) => one.step === step);
  if (info === undefined) {
    const which = step === undefined ? "checkpoint that is whole" : `checkpoint of step ${step}`;
    throw new HoldfastError("missing", `"${detail.name}" has no ${which}.`);
  }
  const way = wayOf(detail, info);
  const start = parts.elapsed();
  const failure = await failureOf(parts, detail, info, way);
  const rehearsal: Rehearsal = { ...way, time: parts.now(), failure, ms: parts.elapsed() - start };
  await parts.storage.rehearsed(run, info.step, rehearsal);
  return { run, step: info.step, ...rehearsal };
}

function wayOf({ checkpointList, step: end }: RunDetail, { step }: CheckpointInfo): Way {
  const whole = checkpointList.filter(({ check }) => check !== "damaged");
  const next = whole.find((one) => one.step > step);
  if (next !== undefined && next.step <= step + TO_NEXT)
    return { from: step, to: next.step, proof: "digest" };
  if (end > step) return { from: step, to: Math.min(end, step + BEYOND), proof: "losses" };
  const before = whole.findLast((one) => one.step < step);
  if (before !== undefined && before.step >= step - FROM_BEFORE)
    return { from: before.step, to: step, proof: "digest" };
  return { from: step, to: step, proof: "stored" };
}

/** Null where it came back as it was. What says nothing about it (a lost device, say) is thrown. */
async function failureOf(
  parts: RehearsalParts,
  detail: RunDetail,
  info: CheckpointInfo,
  way: Way,
): Promise<string | null> {
  try {
    await tryIt(parts, detail, info, way);
    return null;
  } catch (error) {
    if (hasCode(error, "diverged") || hasCode(error, "corrupt") || hasCode(error, "missing"))
      return messageOf(error);
    throw error;
  }
}

async function tryIt(
  { storage, bench: benchOf }: RehearsalParts,
  detail: RunDetail,
  info: CheckpointInfo,
  { from, to }: Way,
): Promise<void> {
  // Where it is reached from the one before, its own bytes are read all the same.
  if (from !== info.step) await restored(storage, detail.id, info.step);
  const { state } = await restored(storage, detail.id, from);
  const rows = await storage.journal(detail.id, from + 1, to);
  if (rows.loss.length !== to - from || rows.rate.some(Number.isNaN)) {
    throw new HoldfastError("missing", `The journal lacks steps between ${from} and ${to}.`);
  }
  const bench = await benchOf(detail.record);
  try {
    bench.trainable.restore(state);
    await replay({
      trainable: bench.trainable,
      record: detail.record,
      events: detail.events,
      from: { step: from, samples: state.scalars.samples },
      rows,
      progress: () => undefined,
    });
    const known = detail.checkpointList.find(({ step, check }) => step === to && check !== "damaged");
    if (known === undefined) return;
    const digest = await digestOf(await bench.trainable.snapshot().read([]));
    if (digest === known.digest) return;
    throw new HoldfastError(
      "diverged",
      `The state computed for step ${to} is not the one that was saved, though all losses on the way are equal.`,
    );
  } finally {
    bench.dispose();
  }
}

/** Exactly that checkpoint; an older one would show nothing. */
async function restored(storage: RehearsalParts["storage"], run: string, step: number) {
  const found = await storage.restore(run, step, { isUse: false });
  if (found.checkpoint.step === step) return found;
  const why = found.skipped.find((one) => one.step === step)?.message ?? "It was let go of meanwhile.";
  throw new HoldfastError("corrupt", `Step ${step}: ${why}`);
}
