/**
 * The straight line between two states through the space of their parameters (Goodfellow et al. 2015): where the loss
 * along it rises above its ends, the two lie in different basins.
 */
import { HoldfastError } from "../errors";
import type { NamedTensor, State } from "../format/tensors";

/** (1 − alpha) · a + alpha · b, evaluated on held-out data; metrics that are not finite are left out. */
export interface LinePoint {
  readonly alpha: number;
  readonly metrics: Readonly<Record<string, number>>;
}

/** How far the loss on the line rises above what lies between its ends. */
export interface Barrier {
  /** Where it is highest, 0 … 1. */
  readonly alpha: number;
  /** Above the straight line from the loss of one end to that of the other; at least 0. */
  readonly height: number;
}

export interface Interpolation {
  /** In the order of alpha. */
  readonly points: readonly LinePoint[];
  /** Of `val_loss`; null where an end has none. */
  readonly barrier: Barrier | null;
}

const SIXTEENTHS = 16;
const FIRST = -4;
const LAST = 20;

/** From a quarter before the first state to a quarter behind the second, in sixteenths: both are among them, exactly. */
export const ALPHAS: readonly number[] = Array.from(
  { length: LAST - FIRST + 1 },
  (_, at) => (FIRST + at) / SIXTEENTHS,
);

const PARAM_PREFIX = "param/";

/** Throws `invalid` where the two have not the same parameters, naming those that differ. */
export function assertOneLine(a: State, b: State): void {
  const [shapesA, shapesB] = [shapesOf(a), shapesOf(b)];
  const names = [...new Set([...shapesA.keys(), ...shapesB.keys()])].sort();
  const other = names.filter((name) => shapesA.get(name) !== shapesB.get(name));
  if (other.length === 0) return;
  const described = other
    .slice(0, SHOWN)
    .map((name) => `${name} is ${shapesA.get(name) ?? "missing"} and ${shapesB.get(name) ?? "missing"}`);
  const more = other.length > SHOWN ? `, and ${other.length - SHOWN} more` : "";
  throw new HoldfastError(
    "invalid",
    `There is no line between models of other shapes: ${described.join(", ")}${more}. Choose two states of the same architecture.`,
  );
}

/** Of a list of differences: the rest is counted. */
const SHOWN = 3;

function shapesOf({ tensors }: State): ReadonlyMap<string, string> {
  return new Map(
    parametersOf(tensors).map(({ name, shape }) => [
      name.slice(PARAM_PREFIX.length),
      `[${shape.join(", ")}]`,
    ]),
  );
}

function parametersOf(tensors: readonly NamedTensor[]): readonly NamedTensor[] {
  return tensors.filter(({ name }) => name.startsWith(PARAM_PREFIX));
}

/** The parameters at `alpha`, summed in float64 and rounded once; of two states that `assertOneLine` has passed. */
export function interpolated(a: State, b: State, alpha: number): State {
  const others = new Map(b.tensors.map((tensor) => [tensor.name, tensor.values]));
  const tensors = parametersOf(a.tensors).map((tensor): NamedTensor => {
    const other = others.get(tensor.name);
    const values = new Float32Array(tensor.values.length);
    for (let i = 0; i < values.length; i += 1)
      values[i] = (1 - alpha) * (tensor.values[i] ?? 0) + alpha * (other?.[i] ?? 0);
    return { ...tensor, values };
  });
  return { tensors, scalars: a.scalars };
}

/** The highest point between the ends, above the straight line from one loss to the other. */
export function barrierOf(points: readonly LinePoint[]): Barrier | null {
  const lossAt = (alpha: number) => points.find((point) => point.alpha === alpha)?.metrics["val_loss"];
  const [start, end] = [lossAt(0), lossAt(1)];
  if (start === undefined || end === undefined) return null;
  let barrier: Barrier = { alpha: 0, height: 0 };
  for (const { alpha, metrics } of points) {
    const loss = metrics["val_loss"];
    if (loss === undefined || alpha < 0 || alpha > 1) continue;
    const height = loss - ((1 - alpha) * start + alpha * end);
    if (height > barrier.height) barrier = { alpha, height };
  }
  return barrier;
}
