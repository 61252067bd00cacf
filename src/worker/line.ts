/** Held-out metrics along the line between two steps, on a model of its own beside whatever is open. */
import { ALPHAS, assertOneLine, barrierOf, interpolated, type LinePoint } from "../analysis/interpolation";
import { HoldfastError } from "../errors";
import type {
  Interpolation,
  Look,
  RunDetail,
  RunRecord,
  RunStep,
  RunStorageApi,
  State,
  Watcher,
} from "./protocol";
import type { Bench, Visitor } from "./visitor";

/** A run made live, of which other parameters than its own can be evaluated. */
export interface LineBench extends Bench {
  evaluateWith(state: State): Promise<Readonly<Record<string, number>>>;
}

export interface LineParts {
  readonly storage: Pick<RunStorageApi, "detail">;
  readonly look: (at: RunStep) => Promise<Look>;
  /** The run made live, to be disposed. */
  readonly bench: (record: RunRecord) => Promise<LineBench>;
  readonly visitor: Pick<Visitor<Bench>, "aside">;
}

/**
 * Evaluates on the held-out data of the run of `from`. `invalid` where there is no line between the two, `cancelled` where
 * nobody wants it any more, or somebody visits a step meanwhile.
 */
export async function interpolation(
  { storage, look, bench: benchOf, visitor }: LineParts,
  [from, to]: readonly [RunStep, RunStep],
  { signal, progress }: Required<Watcher>,
): Promise<Interpolation> {
  const goOn = (): void => {
    if (signal.aborted)
      throw new HoldfastError("cancelled", "The line between the two was not computed to its end.");
  };
  const [one, other] = [await storage.detail(from.run), await storage.detail(to.run)];
  assertSameTask(one, other);
  progress(0, ALPHAS.length);
  const a = await look(from);
  goOn();
  const b = await look(to);
  goOn();
  assertOneLine(a.state, b.state);
  return visitor.aside(async (giveWay) => {
    const bench = await benchOf((await storage.detail(a.visit.holder)).record);
    try {
      const points: LinePoint[] = [];
      for (const alpha of ALPHAS) {
        goOn();
        giveWay();
        points.push({ alpha, metrics: await bench.evaluateWith(interpolated(a.state, b.state, alpha)) });
        progress(points.length, ALPHAS.length);
      }
      return { points, barrier: barrierOf(points) };
    } finally {
      bench.dispose();
    }
  });
}

function assertSameTask(a: RunDetail, b: RunDetail): void {
  if (a.task === b.task) return;
  throw new HoldfastError(
    "invalid",
    `"${a.name}" trains ${a.task} and "${b.name}" trains ${b.task}: there is no line between them. Choose two states of the same task.`,
  );
}
