/** States side by side: which, what differs, and their pictures. The address holds the choice. */
import { messageOf } from "../errors";
import type { HoldfastPage } from "../worker/api";
import type { Answers, CheckpointInfo, Comparison, RunStep } from "../worker/protocol";
import { readCurves, type Curve } from "./curves";
import { resultOf, type PictureResult } from "./picture-result";

type Metrics = Readonly<Record<string, number>>;

/** Made anew for each choice of steps; components only read it. */
export class CompareState {
  readonly #api: HoldfastPage;
  readonly steps: readonly RunStep[];
  comparison = $state.raw<Comparison | null>(null);
  failed = $state.raw<string | null>(null);
  /** Null until they are read. */
  curves = $state.raw<readonly Curve[] | null>(null);
  /** As many as there are steps, in their order. */
  pictures = $state.raw<readonly PictureResult[]>([]);
  /** What each side says of the held-out examples; null until they are read, and where there are none. */
  answers = $state.raw<readonly Answers[] | null>(null);
  /** What was evaluated for it, by the place of the step. */
  #evaluated = $state.raw<readonly Metrics[]>([]);
  /** Is all there that can be? */
  isComplete = $state(false);
  #isClosed = false;

  constructor(api: HoldfastPage, steps: readonly RunStep[]) {
    this.#api = api;
    this.steps = steps;
    this.pictures = steps.map(() => null);
  }

  /** Metrics of each side at its step; those on held-out data come in as they are computed. */
  get metrics(): readonly Metrics[] {
    return (this.comparison?.sides ?? []).map(({ run, step, metrics }, index) => {
      // Of a step that was not saved, its row tells.
      const loss = this.curves?.find((curve) => curve.run === run)?.lossAt(step) ?? null;
      return { ...this.#evaluated[index], ...(loss !== null && { loss }), ...metrics };
    });
  }

  async load(): Promise<void> {
    this.failed = null;
    try {
      this.comparison = await this.#api.compare(...this.steps);
    } catch (error) {
      this.failed = messageOf(error);
      return;
    }
    this.curves = await readCurves(this.comparison.sides, this.#api);
    // One after the other: all need the one trainer, and the first one shows sooner.
    for (const [index, side] of this.comparison.sides.entries()) {
      if (this.#isClosed) return;
      await this.#loadPicture(index);
      const isEvaluated = Object.keys(side.metrics).some((name) => name !== "loss");
      if (!isEvaluated) await this.#evaluate(index);
    }
    await this.#readAnswers();
    this.isComplete = true;
  }

  /** Of all sides, where they are of one task that answers: else there is nothing to hold against each other. */
  async #readAnswers(): Promise<void> {
    const tasks = this.comparison?.sides.map(({ task }) => task) ?? [];
    if (tasks.some((task) => task !== tasks[0])) return;
    const answers: Answers[] = [];
    for (const { run, step } of this.steps) {
      // Where it fails, the picture says why.
      const one = this.#isClosed ? null : await this.#api.answers(run, step).catch(() => null);
      if (one === null) return;
      answers.push(one);
    }
    this.answers = answers;
  }

  /** Nobody looks any more: nothing further is asked of the trainer. */
  close(): void {
    this.#isClosed = true;
  }

  async #loadPicture(index: number): Promise<void> {
    const at = this.steps[index];
    if (at === undefined) return;
    const result = await resultOf(this.#api.picture(at.run, at.step));
    this.pictures = this.pictures.with(index, result);
  }

  async #evaluate(index: number): Promise<void> {
    const at = this.steps[index];
    if (at === undefined || this.#isClosed) return;
    // Where there is no picture either, that says why.
    const metrics = await this.#api.evaluate(at.run, at.step).catch(() => ({}));
    this.#evaluated = this.steps.map((_, each) => (each === index ? metrics : (this.#evaluated[each] ?? {})));
  }
}

/**
 * What to compare a checkpoint with when nobody chose: the newest one of its run, or, for the newest itself, the one
 * halfway before it, where most has happened since.
 */
export function counterpart(checkpoints: readonly CheckpointInfo[], step: number): number | null {
  const newest = checkpoints.at(-1);
  if (newest === undefined) return null;
  if (newest.step !== step) return newest.step;
  const earlier = checkpoints.filter((checkpoint) => checkpoint.step < step);
  return earlier.findLast((checkpoint) => checkpoint.step <= step / 2)?.step ?? earlier.at(0)?.step ?? null;
}
