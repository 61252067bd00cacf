/** A LayersModel that TensorFlow.js itself made and saved, as the first state of a run. */
import * as tf from "@tensorflow/tfjs";
import { beforeAll, expect, suite, test } from "vitest";
import { BUNDLE_INDEX } from "../../src/format/bundle";
import type { Bytes } from "../../src/format/bytes";
import { crc32 } from "../../src/format/crc";
import { deployed, deployedLayersModel } from "../../src/format/deploy";
import { localHeader, zipEnd } from "../../src/format/zip";
import { spirals } from "../../src/tasks/spirals";
import { text } from "../../src/tasks/text";
import { firstState, type WeightsFile } from "../../src/worker/first-state";
import { oneFile } from "../../src/worker/layers-model";
import { CONFIG, farthest, layersModel, modelOf, predictions, refusal } from "../support/layers-model";

const SHARD = 100;

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
    const file = await oneFile(await saved(theirs), spirals, config);
    const both = await predictions(theirs, file, { config, isLogit: output === "linear" });
    expect(new Set(both.ours).size).toBeGreaterThan(100);
    expect(farthest(both)).toBe(0);
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
    const { model, shape } = modelOf({ ...CONFIG, width: 7 });
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

  /** As `deployedLayersModel` writes one, of any files. */
  function archive(files: Readonly<Record<string, string>>): Bytes[] {
    const parts = Object.entries(files).map(([name, text]) => {
      const bytes = new TextEncoder().encode(text);
      return { entry: { name, bytes: bytes.length, crc: crc32(bytes) }, bytes };
    });
    return [
      ...parts.flatMap(({ entry, bytes }) => [localHeader(entry), bytes]),
      zipEnd(parts.map(({ entry }) => entry)),
    ];
  }

  test("as the archive that a run is deployed as begins another with the same weights", async () => {
    const layers = spirals.layers?.(CONFIG) ?? [];
    const { model, shape } = modelOf(CONFIG);
    const wanted = await firstState(await oneFile(await saved(layersModel()), spirals, CONFIG), shape);
    const zip = new Blob([...deployedLayersModel(deployed(wanted.tensors, "float32"), layers)]);
    const file = await oneFile([{ file: zip, name: "mine.zip" }], spirals, CONFIG);
    expect(file.name).toBe("mine.zip");
    expect(await firstState(file, shape)).toEqual(wanted);
    model.dispose();
    const bytes = new Uint8Array(await zip.arrayBuffer());
    bytes[bytes.length >> 1]! ^= 1;
    const flipped = { file: new Blob([bytes]), name: "mine.zip" };
    expect((await refusal(oneFile([flipped], spirals, CONFIG))).message).toContain('"mine.zip" is damaged');
  });

  test.each<[string, string, Blob, string, string]>([
    ["a bundle", "run.holdfast", new Blob(archive({ a: "" })), "invalid", "fork the run at the step"],
    ["a bundle by another name", "run.zip", new Blob(archive({ [BUNDLE_INDEX]: "{}" })), "invalid", "bundle"],
    [
      "an archive without a model",
      "x.zip",
      new Blob(archive({ a: "b" })),
      "corrupt",
      '"x.zip" is no safetensors',
    ],
    ["what PyTorch saves", "x.pt", new Blob(archive({ "x/data.pkl": "" })), "corrupt", "save_file"],
    ["an archive that is cut", "x.zip", new Blob(archive({ a: "b" })).slice(0, -1), "corrupt", "Unpack it"],
  ])("%s is told what it is", async (_what, name, file, code, word) => {
    const error = await refusal(oneFile([{ file, name }], spirals, CONFIG));
    expect(error.code).toBe(code);
    expect(error.message).toContain(word);
  });
});
