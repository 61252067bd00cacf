/** Losses and other metrics of several runs over each other: by step, by the time that was trained, or by samples drawn. */
import type { ComparedSide } from "../analysis/compare";
import { evaluationsOf, type Evaluation } from "../policy/evaluation";
import type { HoldfastPage } from "../worker/api";
import type { JournalRows } from "../worker/protocol";
import { leadOf, LossSeries, pointsAt } from "./loss-series";
import type { XAxis } from "./route";

const MS_PER_SECOND = 1000;

export interface CurveLine {
  readonly x: readonly number[];
  readonly y: readonly (number | null)[];
}

/** The loss of one run and its evaluations, with what its steps are worth on each axis. */
export class Curve {
  readonly run: string;
  readonly runName: string;
  /** Places of its sides; the first one gives the curve its colour. */
  readonly sides: readonly number[];
  readonly evaluations: readonly Evaluation[];
  readonly #series = new LossSeries();
  /** Seconds of training up to each row, that one included; from the run's own first step on. */
  readonly #elapsed: Float64Array;
  readonly #samplesAt: (step: number) => number;

  /**
   * `rows`: all of the run's journal; `lead`: losses of its parent before them. `sides`: those of the run, with their
   * places; at least one.
   */
  constructor(
    rows: JournalRows,
    lead: Float32Array,
    evaluations: readonly Evaluation[],
    sides: readonly (readonly [place: number, side: ComparedSide])[],
  ) {
    this.evaluations = evaluations;
    const [[, known]] = sides as readonly [(typeof sides)[number]];
    this.run = known.run;
    this.runName = known.runName;
    this.sides = sides.map(([place]) => place);
    this.#series.append(rows);
    this.#series.follow(lead);
    let seconds = 0;
    // A row that was lost has no time either.
    this.#elapsed = Float64Array.from(rows.ms, (ms) => (seconds += (ms || 0) / MS_PER_SECOND));
    const { batchSize } = known.settings;
    const perStep = typeof batchSize === "number" ? batchSize : Number.NaN;
    // From a step whose samples are known: those of a fork begin with its parent's, which had another batch size perhaps.
    this.#samplesAt = (step) => known.samples + (step - known.step) * perStep;
  }

  /** What was computed in a step; null where there is no row of it. */
  lossAt(step: number): number | null {
    return this.#series.lossAt(step);
  }

  /** Where a step stands on an axis; NaN where that is not known. */
  at(step: number, axis: XAxis): number {
    if (axis === "step") return step;
    if (axis === "samples") return this.#samplesAt(step);
    const row = step - this.#series.first;
    return row < 0 ? 0 : (this.#elapsed[row] ?? Number.NaN);
  }

  /** The smoothed loss, at most about so many points; see `LossSeries.view`. */
  line(axis: XAxis, points: number, smoothing: number, log: boolean): CurveLine {
    const { first, last } = this.#series;
    const { x, smooth } = this.#series.view(first, last, points, smoothing, log);
    return this.#placed(axis, x, smooth);
  }

  /** A metric as it was evaluated. */
  metricLine(axis: XAxis, metric: string, log: boolean): CurveLine {
    const x = this.evaluations.map(({ step }) => step);
    return this.#placed(axis, x, pointsAt(x, this.evaluations, metric, log));
  }

  #placed(axis: XAxis, steps: readonly number[], values: readonly (number | null)[]): CurveLine {
    const known = steps.map((step, index) => [this.at(step, axis), values[index] ?? null] as const);
    const drawn = known.filter(([x]) => Number.isFinite(x));
    return { x: drawn.map(([x]) => x), y: drawn.map(([, y]) => y) };
  }
}

/** A curve to each run, in the order in which the runs come first; a run whose journal cannot be read has none. */
export async function readCurves(
  sides: readonly ComparedSide[],
  api: Pick<HoldfastPage, "journal" | "detail">,
): Promise<readonly Curve[]> {
  const curves: Curve[] = [];
  for (const run of new Set(sides.map((side) => side.run))) {
    const rows = await api.journal(run).catch(() => null);
    if (rows === null || rows.loss.length === 0) continue;
    const ofRun = [...sides.entries()].filter(([, side]) => side.run === run);
    // Without its events it has its losses all the same, and without its parent's they are smoothed by themselves.
    const detail = await api.detail(run).catch(() => null);
    const lead = await leadOf(api, detail?.record ?? null).catch(() => new Float32Array());
    curves.push(new Curve(rows, lead, evaluationsOf(detail?.events ?? []), ofRun));
  }
  return curves;
}
