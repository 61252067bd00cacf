/**
 * Going back to any step, without touching the run: the nearest whole checkpoint before it, then the same updates again,
 * each loss compared with the journal. What was visited last stays on the device, so that pictures and evaluations of it
 * cost nothing more, and a later step of the same run is reached from there.
 *
 * One visit at a time. A newer one ends the one under way with `cancelled`.
 */
import { replay } from "../engine/replay";
import type { Position } from "../engine/session-parts";
import { HoldfastError } from "../errors";
import { digestOf } from "../format/digest";
import type { CheckpointInfo, RunDetail, RunRecord, RunStep, RunStorageApi, State, Visit } from "./protocol";
import type { Workbench } from "./workbench";

export interface VisitorParts {
  readonly storage: Pick<RunStorageApi, "detail" | "journal" | "restore">;
  /** The run made live; the caller disposes it. */
  readonly bench: (record: RunRecord) => Promise<Workbench>;
  readonly progress: (at: RunStep, done: number, total: number) => void;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
}

/** A state that is held, on the device and in memory. */
interface Held {
  /** The run that the step belongs to: the one asked for, or one that it was forked from. */
  readonly run: string;
  readonly bench: Workbench;
  readonly position: Position;
  readonly state: State;
  readonly visit: Visit;
}

export class Visitor {
  readonly #parts: VisitorParts;
  #held: Held | null = null;
  #turn: Promise<unknown> = Promise.resolve();
  /** Counts asks; those before the last are over. */
  #asked = 0;

  constructor(parts: VisitorParts) {
    this.#parts = parts;
  }

  /** Arrives at that step. `invalid` beyond the journal, `diverged` where this machine computes other numbers. */
  visit(at: RunStep): Promise<Visit> {
    return this.#at(at, ({ visit }) => Promise.resolve(visit));
  }

  /** The state of that step. */
  state(at: RunStep): Promise<State> {
    return this.#at(at, ({ state }) => Promise.resolve(state));
  }

  /** Does something with the run made live at that step. */
  live<Result>(at: RunStep, use: (bench: Workbench) => Promise<Result>): Promise<Result> {
    return this.#at(at, ({ bench }) => use(bench));
  }

  /** Ends a visit that is under way, and frees what is held. */
  leave(): Promise<void> {
    this.#asked += 1;
    return this.#inTurn(() => {
      this.#release();
      return Promise.resolve();
    });
  }

  #at<Result>(at: RunStep, use: (held: Held) => Promise<Result>): Promise<Result> {
    const held = this.#held;
    const isHeld = held?.visit.run === at.run && held.visit.step === at.step;
    // Who asks for what is held already hurries nobody away.
    if (!isHeld) this.#asked += 1;
    const ask = this.#asked;
    return this.#inTurn(async () => {
      if (this.#held?.visit.run !== at.run || this.#held.visit.step !== at.step) await this.#go(at, ask);
      if (this.#held === null) throw cancelled(at);
      return use(this.#held);
    });
  }

  async #go(at: RunStep, ask: number): Promise<void> {
    const { storage, now } = this.#parts;
    const goOn = (): void => {
      if (ask !== this.#asked) throw cancelled(at);
    };
    goOn();
    const start = now();
    const detail = await this.#detailAt(at);
    const before = this.#held;
    this.#held = null;
    let bench: Workbench | null = before?.bench ?? null;
    try {
      const known = detail.checkpointList.find(({ step }) => step === at.step);
      const nearest = nearestBefore(detail.checkpointList, at.step);
      const isOnTheWay =
        before !== null &&
        known === undefined &&
        before.run === detail.id &&
        before.position.step <= at.step &&
        before.position.step >= (nearest?.step ?? 0);
      let from: Position;
      let checkpoint: number;
      let stored: State | null = null;
      if (isOnTheWay) {
        from = before.position;
        checkpoint = before.visit.checkpoint;
      } else {
        bench?.dispose();
        bench = null;
        const restored = await storage.restore(detail.id, at.step);
        goOn();
        bench = await this.#parts.bench(detail.record);
        bench.trainable.restore(restored.state);
        stored = restored.state;
        const { step, samples } = restored.state.scalars;
        from = { step, samples };
        checkpoint = step;
      }
      if (bench === null) throw new HoldfastError("internal", "A visit has no model.");
      goOn();
      const position = await this.#replay(at, detail, { bench, from, goOn });
      const state =
        stored !== null && position.step === checkpoint ? stored : await bench.trainable.snapshot().read([]);
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
        ms: now() - start,
      };
      this.#held = { run: detail.id, bench, position, state, visit };
    } catch (error) {
      bench?.dispose();
      throw error;
    }
  }

  async #replay(
    at: RunStep,
    detail: RunDetail,
    { bench, from, goOn }: { readonly bench: Workbench; readonly from: Position; readonly goOn: () => void },
  ): Promise<Position> {
    const total = at.step - from.step;
    if (total === 0) return from;
    const rows = await this.#parts.storage.journal(detail.id, from.step + 1, at.step);
    this.#parts.progress(at, 0, total);
    return replay({
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
  }

  /** Of the run that the step belongs to: before its first step, a fork's history is its parent's. */
  async #detailAt({ run, step }: RunStep): Promise<RunDetail> {
    const { storage } = this.#parts;
    let detail = await storage.detail(run);
    if (!Number.isSafeInteger(step) || step < 0 || step > detail.step) {
      throw new HoldfastError(
        "invalid",
        `"${detail.name}" can be looked at from step 0 to ${detail.step}; step ${step} is not one of them.`,
      );
    }
    while (step < detail.record.firstStep && detail.parent !== null)
      detail = await storage.detail(detail.parent.run);
    return detail;
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
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }
}

function nearestBefore(checkpoints: readonly CheckpointInfo[], step: number): CheckpointInfo | undefined {
  return checkpoints.findLast((info) => info.step <= step && info.check !== "damaged");
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
