/**
 * A return to a checkpoint, tried: whoever trusts a checkpoint unseen finds out on the day that it is needed. It is restored
 * on a model of its own, beside whatever is open; steps that the journal knows are computed again, and compared.
 */
import { sameEnvironment } from "../format/environment";
import { replay } from "../engine/replay";
import { hasCode, HoldfastError, messageOf } from "../errors";
import { digestOf } from "../format/digest";
import type {
  CheckpointInfo,
  Drill,
  Rehearsal,
  Restored,
  RunDetail,
  RunRecord,
  RunStorageApi,
} from "./protocol";
import type { Bench, Visitor } from "./visitor";

/** Steps to the next checkpoint, whose digest is the better proof, at most; without one, steps whose losses are compared. */
const TO_NEXT = 64;
const BEYOND = 16;
/** Steps from the checkpoint before, where none of the journal comes after, at most. */
const FROM_BEFORE = 512;

/** Saves after which one of the newest is tried by itself: some minutes. */
const EVERY_SAVES = 64;
/** Of a state: one that is larger may not fit onto the device twice. */
const MAX_BYTES = 256 * 2 ** 20;

export interface RehearsalParts {
  readonly storage: Pick<RunStorageApi, "detail" | "journal" | "restore" | "rehearsed">;
  /** The run made live, to be disposed. */
  readonly bench: (record: RunRecord) => Promise<Bench>;
  /** Throws where it was cancelled. */
  readonly goOn: () => void;
  /** Milliseconds since 1970, and of a clock that never goes back. */
  readonly now: () => number;
  readonly elapsed: () => number;
}

interface RehearsalsParts extends Pick<RehearsalParts, "storage" | "bench"> {
  readonly visitor: Pick<Visitor<Bench>, "aside" | "isFree">;
  readonly told: (drill: Drill) => void;
}

/** Those of a trainer: asked for, and now and then by themselves, one at a time and beside nothing else. */
export class Rehearsals {
  readonly #parts: RehearsalsParts;
  /** Saves since the last one that nobody asked for. */
  #saves = 0;

  constructor(parts: RehearsalsParts) {
    this.#parts = parts;
  }

  rehearse(run: string, which: Rehearsed): Promise<Drill> {
    const { storage, bench, visitor, told } = this.#parts;
    return visitor.aside(async (goOn) => {
      const clocks = { now: () => Date.now(), elapsed: () => performance.now() };
      const drill = await rehearse({ storage, bench, goOn, ...clocks }, run, which);
      told(drill);
      return drill;
    });
  }

  /** What nobody ever tried is only hoped for. */
  saved({ run, rawBytes }: CheckpointInfo): void {
    this.#saves += 1;
    if (this.#saves < EVERY_SAVES || rawBytes > MAX_BYTES || !this.#parts.visitor.isFree) return;
    this.#saves = 0;
    // What it finds is told; that it could not be tried now is no news of the checkpoint.
    this.rehearse(run, "before newest").catch(() => undefined);
  }
}

/** A step, the newest checkpoint, or the one before it, from which there is something to compute. */
export type Rehearsed = number | "newest" | "before newest";

/** What is computed again. */
type Way = Pick<Rehearsal, "from" | "to" | "proof">;

/**
 * Tries it, and puts down what came of it: damage, and other numbers than before in the environment that made them. What
 * says nothing about the checkpoint is thrown: `missing` where it, or what it would be compared with, is not there (any
 * more), `diverged` in another environment, `device-lost`, `cancelled`.
 */
export async function rehearse(parts: RehearsalParts, run: string, which: Rehearsed): Promise<Drill> {
  const detail = await parts.storage.detail(run);
  const info = chosen(detail, which);
  const way = wayOf(detail, info);
  const start = parts.elapsed();
  const failure = await tried(parts, detail, info, way);
  const rehearsal: Rehearsal = { ...way, time: parts.now(), failure, ms: parts.elapsed() - start };
  await parts.storage.rehearsed(run, info.step, rehearsal);
  return { run, step: info.step, ...rehearsal };
}

function chosen({ name, checkpointList }: RunDetail, which: Rehearsed): CheckpointInfo {
  const whole = checkpointList.filter(({ check }) => check !== "damaged");
  const info =
    which === "newest"
      ? whole.at(-1)
      : which === "before newest"
        ? whole.at(-2)
        : checkpointList.find(({ step }) => step === which);
  if (info !== undefined) return info;
  const what = typeof which === "number" ? `checkpoint of step ${which}` : "checkpoint that is whole";
  throw new HoldfastError("missing", `"${name}" has no ${what}.`);
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

/** Why it did not come back as it was; null where it did. */
async function tried(
  { storage, bench: benchOf, goOn }: RehearsalParts,
  detail: RunDetail,
  info: CheckpointInfo,
  { from, to }: Way,
): Promise<string | null> {
  let isSameEnvironment = true;
  let bench: Bench | null = null;
  try {
    // Where it is reached from the one before, its own bytes are read all the same.
    if (from !== info.step) await restored(storage, detail.id, info.step);
    const { state, environment } = await restored(storage, detail.id, from);
    const rows = await storage.journal(detail.id, from + 1, to);
    if (rows.loss.length !== to - from || rows.rate.some(Number.isNaN))
      throw new HoldfastError(
        "missing",
        `The journal of "${detail.name}" lacks steps between ${from} and ${to}.`,
      );
    goOn();
    bench = await benchOf(detail.record);
    isSameEnvironment = sameEnvironment(environment, bench.environment);
    const { trainable } = bench;
    trainable.restore(state);
    const { record, events } = detail;
    const position = { step: from, samples: state.scalars.samples };
    await replay({ trainable, record, events, from: position, rows, progress: goOn });
    const known = detail.checkpointList.find(({ step, check }) => step === to && check !== "damaged");
    if (known === undefined || (await digestOf(await trainable.snapshot().read([]))) === known.digest)
      return null;
    throw new HoldfastError(
      "diverged",
      `The state computed for step ${to} is not the one that was saved, though all losses on the way are equal.`,
    );
  } catch (error) {
    if (hasCode(error, "corrupt") || (hasCode(error, "diverged") && isSameEnvironment))
      return messageOf(error);
    throw error;
  } finally {
    bench?.dispose();
  }
}

/** Exactly that checkpoint; an older one would show nothing. */
async function restored(storage: RehearsalParts["storage"], run: string, step: number): Promise<Restored> {
  const found = await storage.restore(run, step, { isUse: false });
  if (found.checkpoint.step === step) return found;
  const damage = found.skipped.find((one) => one.step === step);
  if (damage !== undefined) throw new HoldfastError("corrupt", `Step ${step}: ${damage.message}`);
  throw new HoldfastError("missing", `The checkpoint of step ${step} was let go of meanwhile.`);
}
