/**
 * Going back to any step, without touching the run: the nearest whole checkpoint before it, then the same updates again,
 * each loss compared with the journal. What was visited last stays on the device, so that pictures and evaluations of it
 * cost nothing more, and a later step of the same run is reached from there. What is only looked at in passing does not.
 *
 * One thing at a time. A newer visit ends the one under way with `cancelled`; all else waits for its turn.
 */
import { replay } from "../engine/replay";
import type { Position } from "../engine/session-parts";
import type { Trainable } from "../engine/trainable";
import { HoldfastError } from "../errors";
import { digestOf } from "../format/digest";
import type {
  CheckpointInfo,
  Environment,
  RunDetail,
  RunRecord,
  RunStep,
  RunStorageApi,
  State,
  Visit,
} from "./protocol";
import { holderOf } from "./holder";
import { restorePoint } from "./restore-point";

/** A run made live. */
export interface Bench {
  readonly environment: Environment;
  readonly trainable: Trainable;
  dispose(): void;
}

export interface VisitorParts<Live extends Bench> {
  readonly storage: Pick<RunStorageApi, "detail" | "journal" | "restore">;
  /** The run made live; the caller disposes it. */
  readonly bench: (record: RunRecord) => Promise<Live>;
  readonly progress: (at: RunStep, done: number, total: number) => void;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
}

/** A state that is held, on the device and in memory. */
export interface Held<Live extends Bench> {
  readonly bench: Live;
  readonly position: Position;
  readonly state: State;
  readonly visit: Visit;
  /** Was it computed in another environment than the one that made the run? */
  readonly changed: boolean;
}

/** A visit that was asked for and has not arrived. */
interface Going {
  readonly at: RunStep;
  readonly arrival: Promise<Visit>;
  cancelled: boolean;
}

export class Visitor<Live extends Bench> {
  readonly #parts: VisitorParts<Live>;
  #held: Held<Live> | null = null;
  /** The step that somebody visits, and that is held until they leave or visit another. */
  #visited: RunStep | null = null;
  #going: Going | null = null;
  #turn: Promise<unknown> = Promise.resolve();
  /** How many turns were asked for and are not over. */
  #waiting = 0;
  readonly #asides = new Set<{ cancelled: boolean }>();

  constructor(parts: VisitorParts<Live>) {
    this.#parts = parts;
  }

  /** Arrives at that step. `invalid` beyond the journal, `diverged` where this machine computes other numbers. */
  visit(at: RunStep): Promise<Visit> {
    const before = this.#going;
    if (before !== null && !before.cancelled && isSame(before.at, at)) return before.arrival;
    if (before !== null) before.cancelled = true;
    this.#endAsides();
    this.#visited = at;
    const going: Going = {
      at,
      cancelled: false,
      arrival: this.#inTurn(async () => {
        try {
          return (await this.#arrive(at, () => going.cancelled)).visit;
        } finally {
          if (this.#going === going) this.#going = null;
        }
      }),
    };
    this.#going = going;
    return going.arrival;
  }

  /** Does something with that step, and lets go of it afterwards unless somebody visits it. */
  with<Result>(at: RunStep, use: (held: Held<Live>) => Promise<Result>): Promise<Result> {
    return this.#inTurn(async () => {
      const held = await this.#arrive(at, () => false);
      try {
        return await use(held);
      } finally {
        if (!isSame(this.#visited, at)) this.#release();
      }
    });
  }

  /** Is nothing held, on its way or waited for? */
  get isFree(): boolean {
    return this.#held === null && this.#waiting === 0;
  }

  /**
   * Does something that has nothing to do with what is held, while no visit is on its way. `goOn` throws `cancelled` once
   * somebody visits a step or leaves: who looks, or opens a run, waits for nothing else.
   */
  aside<Result>(work: (goOn: () => void) => Promise<Result>): Promise<Result> {
    const aside = { cancelled: false };
    const goOn = (): void => {
      if (aside.cancelled)
        throw new HoldfastError("cancelled", "It gave way: a step was gone back to, or a run opened.");
    };
    this.#asides.add(aside);
    return this.#inTurn(async () => {
      try {
        goOn();
        return await work(goOn);
      } finally {
        this.#asides.delete(aside);
      }
    });
  }

  #endAsides(): void {
    for (const aside of this.#asides) aside.cancelled = true;
  }

  /** Ends a visit that is under way, and frees what is held. */
  leave(): Promise<void> {
    if (this.#going !== null) this.#going.cancelled = true;
    this.#endAsides();
    this.#visited = null;
    return this.#inTurn(() => {
      if (this.#visited === null) this.#release();
      return Promise.resolve();
    });
  }

  async #arrive(at: RunStep, isCancelled: () => boolean): Promise<Held<Live>> {
    const goOn = (): void => {
      if (isCancelled()) throw cancelled(at);
    };
    goOn();
    const start = this.#parts.now();
    if (this.#held !== null && isSame(this.#held.visit, at)) return this.#held;
    const detail = await holderOf(this.#parts.storage, at);
    const known = detail.checkpointList.find(({ step }) => step === at.step);
    const held = this.#held;
    this.#held = null;
    const isReused = held !== null && known === undefined && isOnTheWay(held, detail, at);
    if (!isReused) held?.bench.dispose();
    const bench = isReused ? held.bench : await this.#parts.bench(detail.record);
    try {
      const trip: Trip<Live> = { at, detail, known, start, bench, goOn };
      const arrived = isReused ? await this.#goOn(trip, held) : await this.#go(trip);
      this.#held = arrived;
      return arrived;
    } catch (error) {
      bench.dispose();
      throw error;
    }
  }

  /** From what is held. */
  #goOn(trip: Trip<Live>, { position, visit, changed }: Held<Live>): Promise<Held<Live>> {
    return this.#finish(trip, { position, checkpoint: visit.checkpoint, changed });
  }

  /** From the store. */
  async #go(trip: Trip<Live>): Promise<Held<Live>> {
    const { at, detail, bench, goOn } = trip;
    const { environment } = bench;
    const asked = { step: at.step, environment, toTrain: false };
    const { restored, changed } = await restorePoint(this.#parts.storage, detail, asked);
    goOn();
    bench.trainable.restore(restored.state);
    const { step, samples } = restored.state.scalars;
    const begin = { position: { step, samples }, checkpoint: step, changed };
    return step === at.step ? this.#arrived(trip, begin, restored.state) : this.#finish(trip, begin);
  }

  /** Computes what is left of the way. */
  async #finish(trip: Trip<Live>, begin: Begin): Promise<Held<Live>> {
    const { at, detail, bench, goOn } = trip;
    const from = begin.position;
    const total = at.step - from.step;
    const rows = await this.#parts.storage.journal(detail.id, from.step + 1, at.step);
    // What was lost of the journal has no numbers.
    if (rows.loss.length !== total || rows.rate.some(Number.isNaN)) {
      throw new HoldfastError(
        "missing",
        `The journal of "${detail.name}" lacks steps between ${from.step} and ${at.step}, so they cannot be checked.`,
      );
    }
    this.#parts.progress(at, 0, total);
    const position = await replay({
      trainable: bench.trainable,
      record: detail.record,
      events: detail.events,
      from,
      rows,
      progress: (done) => {
        goOn();
        this.#parts.progress(at, done, total);
      },
    });
    const state = await bench.trainable.snapshot().read([]);
    const arrived = await this.#arrived(trip, { ...begin, position }, state);
    if (begin.changed) await this.#proveLast(arrived, detail);
    return arrived;
  }

  async #arrived(
    { at, detail, known, start, bench }: Trip<Live>,
    { position, checkpoint, changed }: Begin,
    state: State,
  ): Promise<Held<Live>> {
    const digest = await digestOf(state);
    if (known !== undefined && known.digest !== digest) throw otherState(at, known);
    const replayed = position.step - checkpoint;
    const visit: Visit = {
      ...at,
      holder: detail.id,
      checkpoint,
      replayed,
      digest,
      proof: replayed === 0 ? "stored" : known === undefined ? "losses" : "digest",
      loss: await this.#lossAt(detail, at.step),
      ms: this.#parts.now() - start,
    };
    return { bench, position, state, visit, changed };
  }

  /**
   * A loss is computed from the state before its update, so the last update has no witness but the next loss. In the
   * environment that made the run that is no question; in another one it is asked.
   */
  async #proveLast({ bench, position, state }: Held<Live>, detail: RunDetail): Promise<void> {
    const next = position.step + 1;
    if (next > detail.step) return;
    const rows = await this.#parts.storage.journal(detail.id, next, next);
    const { record, events } = detail;
    await replay({
      trainable: bench.trainable,
      record,
      events,
      from: position,
      rows,
      progress: () => undefined,
    });
    bench.trainable.restore(state);
  }

  async #lossAt({ id, record }: RunDetail, step: number): Promise<number | null> {
    if (step <= record.firstStep) return null;
    return (await this.#parts.storage.journal(id, step, step)).loss[0] ?? null;
  }

  #release(): void {
    this.#held?.bench.dispose();
    this.#held = null;
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    this.#waiting += 1;
    const turn = this.#turn.then(work).finally(() => (this.#waiting -= 1));
    this.#turn = turn.catch(() => undefined);
    return turn;
  }
}

interface Trip<Live extends Bench> {
  readonly at: RunStep;
  readonly detail: RunDetail;
  /** The checkpoint of that step; there is one where it is damaged, too. */
  readonly known: CheckpointInfo | undefined;
  readonly start: number;
  readonly bench: Live;
  /** Throws where the visit was cancelled. */
  readonly goOn: () => void;
}

/** Where a trip stands, and the step of the checkpoint that it began with. */
interface Begin {
  readonly position: Position;
  readonly checkpoint: number;
  readonly changed: boolean;
}

/** In another environment only from where this one has shown that it computes the same numbers. */
function isOnTheWay(
  { position, visit, changed }: Held<Bench>,
  detail: RunDetail,
  { step }: RunStep,
): boolean {
  const nearest = detail.checkpointList.findLast((info) => info.step <= step && info.check !== "damaged");
  const isBetween = position.step <= step && position.step >= (nearest?.step ?? 0);
  return visit.holder === detail.id && isBetween && !(changed && visit.replayed === 0);
}

function isSame(a: RunStep | null, b: RunStep): boolean {
  return a !== null && a.run === b.run && a.step === b.step;
}

function cancelled({ step }: RunStep): HoldfastError {
  return new HoldfastError("cancelled", `Going back to step ${step} was cancelled.`);
}

function otherState({ step }: RunStep, { digest }: CheckpointInfo): HoldfastError {
  return new HoldfastError(
    "diverged",
    `The state computed again for step ${step} is not the one that was saved (${digest.slice(0, 12)}…), though all losses on the way are equal.`,
  );
}
