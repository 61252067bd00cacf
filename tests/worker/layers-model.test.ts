/** A LayersModel that TensorFlow.js itself made and saved, as the first state of a run. */
import * as tf from "@tensorflow/tfjs";
import { beforeAll, expect, suite, test } from "vitest";
import { HoldfastError } from "../../src/errors";
import { spirals } from "../../src/tasks/spirals";
import { SPIRALS, withDefaults } from "../../src/tasks/meta";
import { text } from "../../src/tasks/text";
import { firstState, type WeightsFile } from "../../src/worker/first-state";
import { oneFile } from "../../src/worker/layers-model";

const CONFIG = withDefaults(SPIRALS, { points: 100, layers: 2, width: 6, dropout: 0.2 });
const BYTES = spirals.generate(CONFIG, 5);
const SHARD = 100;

function layersModel(activation: "tanh" | "relu" = "tanh", output: "linear" | "sigmoid" = "linear") {
  return tf.sequential({
    layers: [
      tf.layers.dense({ units: 6, activation, inputShape: [2], biasInitializer: "randomNormal" }),
      tf.layers.dropout({ rate: 0.2 }),
      tf.layers.dense({ units: 6, activation, biasInitializer: "randomNormal" }),
      tf.layers.dense({ units: 1, activation: output, biasInitializer: "randomNormal" }),
    ],
  });
}

type Json = Record<string, unknown>;

/** What `model.save` writes, its weights in files of a hundred bytes; `change` may spoil model.json. */
async function saved(model: tf.Sequential, change: (json: Json) => void = () => undefined) {
  const files: WeightsFile[] = [];
  await model.save(
    tf.io.withSaveHandler(async ({ modelTopology, weightSpecs, weightData }) => {
      if (!(weightData instanceof ArrayBuffer)) throw new Error("The weights came in pieces.");
      const starts = Array.from({ length: Math.ceil(weightData.byteLength / SHARD) }, (_, i) => i * SHARD);
      const paths = starts.map((_start, i) => `group1-shard${i + 1}of${starts.length}.bin`);
      for (const [i, start] of starts.entries())
        files.push({ name: paths[i] ?? "", file: new Blob([weightData.slice(start, start + SHARD)]) });
      const json = {
        format: "layers-model",
        modelTopology,
        weightsManifest: [{ paths, weights: weightSpecs }],
      };
      const copy: Json = structuredClone(json);
      change(copy);
      files.push({ name: "model.json", file: new Blob([JSON.stringify(copy)]) });
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: "JSON" as const } };
    }),
  );
  return files;
}

async function refusal(work: Promise<unknown>): Promise<HoldfastError> {
  const error: unknown = await work.then(
    () => new Error("It was taken."),
    (reason: unknown) => reason,
  );
  if (error instanceof HoldfastError) return error;
  throw error;
}

suite("a LayersModel of TensorFlow.js", () => {
  beforeAll(async () => {
    await tf.setBackend("cpu");
  });

  test.each([
    ["tanh", "linear"],
    ["relu", "linear"],
    ["tanh", "sigmoid"],
  ] as const)("of %s and %s predicts the same in a run", async (activation, output) => {
    const config = { ...CONFIG, activation };
    const theirs = layersModel(activation, output);
    const model = spirals.build(config, BYTES, 5);
    const shape = { parameters: model.parameters, slots: [], counters: [] };
    const { tensors } = await firstState(await oneFile(await saved(theirs), spirals, config), shape);
    const params = Object.fromEntries(
      tensors.map(({ name, values, shape: size }) => [
        name.slice("param/".length),
        tf.tensor(values, [...size]),
      ]),
    );
    const picture = await model.picture(params, 0);
    if (picture.kind !== "boundary") throw new Error("Spirals draw a boundary.");
    const { size, extent, grid } = picture;
    const centre = (i: number) => extent * ((2 * i + 1) / size - 1);
    const places = Array.from({ length: size * size }, (_, i) => [
      centre(i % size),
      -centre(Math.floor(i / size)),
    ]);
    const predicted = theirs.predict(tf.tensor2d(places));
    if (Array.isArray(predicted)) throw new Error("It predicts one thing.");
    const expected = await (output === "sigmoid" ? predicted : tf.sigmoid(predicted)).data();
    expect(new Set(grid).size).toBeGreaterThan(100);
    expect(Math.max(...expected.map((value, i) => Math.abs(value - (grid[i] ?? Number.NaN))))).toBe(0);
    model.dispose();
  });

  const topology = (json: Json) =>
    json["modelTopology"] as { config: { layers: { config: Json; class_name: string }[] } };
  const layer = (json: Json, at: number) => topology(json).config.layers[at]!;
  const weight = (json: Json) => (json["weightsManifest"] as { weights: Json[] }[])[0]!.weights[0]!;

  test.each<[string, string, (json: Json) => void, string]>([
    ["a layer of another kind", "invalid", (json) => (layer(json, 1).class_name = "Conv2D"), "Conv2D"],
    ["another activation", "invalid", (json) => (layer(json, 0).config["activation"] = "elu"), "elu"],
    ["one layer less", "invalid", (json) => topology(json).config.layers.splice(0, 1), "2 Dense layers"],
    ["no bias", "invalid", (json) => (layer(json, 0).config["use_bias"] = false), "no bias"],
    [
      "several inputs",
      "invalid",
      (json) => ((json["modelTopology"] as Json)["class_name"] = "Functional"),
      "Functional",
    ],
    [
      "quantized weights",
      "unsupported",
      (json) => (weight(json)["quantization"] = { dtype: "uint8" }),
      "/kernel",
    ],
    ["complex weights", "unsupported", (json) => (weight(json)["dtype"] = "complex64"), "complex64"],
    ["weights of another size", "corrupt", (json) => (weight(json)["shape"] = [2, 7]), "bytes"],
    ["no topology", "corrupt", (json) => delete json["modelTopology"], "modelTopology"],
    ["no manifest", "corrupt", (json) => delete json["weightsManifest"], "weightsManifest"],
  ])("with %s is %s", async (_what, code, change, word) => {
    const error = await refusal(
      saved(layersModel(), change).then((files) => oneFile(files, spirals, CONFIG)),
    );
    expect(error.code).toBe(code);
    expect(error.message).toContain(word);
  });

  test("without one of its weight files names it", async () => {
    const files = (await saved(layersModel())).slice(1);
    expect((await refusal(oneFile(files, spirals, CONFIG))).message).toContain("group1-shard1of");
  });

  test("of another width is refused by the name in our model", async () => {
    const file = await oneFile(await saved(layersModel()), spirals, CONFIG);
    const model = spirals.build({ ...CONFIG, width: 7 }, BYTES, 5);
    const shape = { parameters: model.parameters, slots: [], counters: [] };
    const error = await refusal(firstState(file, shape));
    expect(error.message).toContain('"hidden0/weight" is [2, 6] where the model has [2, 7]');
    model.dispose();
  });

  test("is not for a task that is no stack of Dense layers", async () => {
    expect((await refusal(oneFile(await saved(layersModel()), text, {}))).code).toBe("unsupported");
  });

  test("several files without a model.json are none", async () => {
    const files = (await saved(layersModel())).slice(0, 2);
    expect((await refusal(oneFile(files, spirals, CONFIG))).message).toContain("model.json");
  });
});
