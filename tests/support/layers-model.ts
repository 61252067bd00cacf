/** LayersModels that TensorFlow.js itself makes, and how far a run that begins with one is from it. */
import * as tf from "@tensorflow/tfjs";
import { HoldfastError } from "../../src/errors";
import type { Config } from "../../src/format/run";
import { SPIRALS } from "../../src/tasks/infos/spirals";
import { withDefaults } from "../../src/tasks/meta";
import { spirals } from "../../src/tasks/spirals";
import { firstState, type WeightsFile } from "../../src/worker/first-state";

/** Settings that `layersModel` fits. */
export const CONFIG = withDefaults(SPIRALS, { points: 100, layers: 2, width: 6, dropout: 0.2 });

const SEED = 5;
const PARAMETER = "param/".length;

export function layersModel(
  activation: "tanh" | "relu" = "tanh",
  output: "linear" | "sigmoid" = "linear",
): tf.Sequential {
  return tf.sequential({
    layers: [
      tf.layers.dense({ units: 6, activation, inputShape: [2], biasInitializer: "randomNormal" }),
      tf.layers.dropout({ rate: 0.2 }),
      tf.layers.dense({ units: 6, activation, biasInitializer: "randomNormal" }),
      tf.layers.dense({ units: 1, activation: output, biasInitializer: "randomNormal" }),
    ],
  });
}

/** The spirals that these settings make; the caller disposes them. */
export function modelOf(config: Config = CONFIG) {
  const model = spirals.build(config, spirals.generate(config, SEED), SEED);
  return { model, shape: { parameters: model.parameters, slots: [], counters: [] } };
}

/** What the file predicts for each place of the picture, and what the model does; probabilities. */
export async function predictions(
  theirs: tf.Sequential,
  file: WeightsFile,
  { config = CONFIG, isLogit = true }: { readonly config?: Config; readonly isLogit?: boolean } = {},
): Promise<{ readonly ours: readonly number[]; readonly theirs: readonly number[] }> {
  const { model, shape } = modelOf(config);
  const { tensors } = await firstState(file, shape);
  const params = Object.fromEntries(
    tensors.map(({ name, values, shape: size }) => [name.slice(PARAMETER), tf.tensor(values, [...size])]),
  );
  const [panel] = (await model.picture(params, 0)).panels;
  model.dispose();
  if (panel?.kind !== "boundary") throw new Error("Spirals draw a boundary.");
  const { size, extent, grid } = panel;
  const centre = (i: number) => extent * ((2 * i + 1) / size - 1);
  const places = Array.from({ length: size * size }, (_, i) => [
    centre(i % size),
    -centre(Math.floor(i / size)),
  ]);
  const predicted = theirs.predict(tf.tensor2d(places));
  if (Array.isArray(predicted)) throw new Error("It predicts one thing.");
  return { ours: [...grid], theirs: [...(await (isLogit ? tf.sigmoid(predicted) : predicted).data())] };
}

/** The largest difference between two lists of one length; NaN where it has no sense. */
export function farthest({
  ours,
  theirs,
}: {
  readonly ours: readonly number[];
  readonly theirs: readonly number[];
}): number {
  return Math.max(...theirs.map((value, i) => Math.abs(value - (ours[i] ?? Number.NaN))));
}

export async function refusal(work: Promise<unknown>): Promise<HoldfastError> {
  const error: unknown = await work.then(
    () => new Error("It was taken."),
    (reason: unknown) => reason,
  );
  if (error instanceof HoldfastError) return error;
  throw error;
}
