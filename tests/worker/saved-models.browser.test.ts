/** A LayersModel that TensorFlow.js saved into this browser's IndexedDB, as the first state of a run. */
import * as tf from "@tensorflow/tfjs";
import { afterEach, beforeAll, beforeEach, expect, suite, test } from "vitest";
import { SPIRALS } from "../../src/tasks/infos/spirals";
import { withDefaults } from "../../src/tasks/meta";
import { spirals } from "../../src/tasks/spirals";
import { text } from "../../src/tasks/text";
import { firstState } from "../../src/worker/first-state";
import { weightsFile } from "../../src/worker/layers-model";
import type { SavedModelName } from "../../src/worker/protocol";
import { savedModels } from "../../src/worker/saved-models";
import { CONFIG, farthest, layersModel, modelOf, predictions, refusal } from "../support/layers-model";

const NAME = "indexeddb://mine";

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => {
      resolve(request.result);
    };
    request.onerror = () => {
      reject(request.error ?? new Error("no reason"));
    };
  });
}

async function deleteDatabase(): Promise<void> {
  await settled(indexedDB.deleteDatabase("tensorflowjs"));
}

async function hasDatabase(): Promise<boolean> {
  return (await indexedDB.databases()).some(({ name }) => name === "tensorflowjs");
}

function fileOf(model: SavedModelName, config = CONFIG) {
  return weightsFile({ model, name: model }, spirals, config);
}

interface Row {
  modelArtifacts: tf.io.ModelArtifacts;
}

/** What tfjs has saved, with `change` made to it behind its back. */
async function spoiled(change: (row: Row) => unknown): Promise<void> {
  const database = await settled(indexedDB.open("tensorflowjs"));
  const models = database.transaction("models_store", "readwrite").objectStore("models_store");
  const row = (await settled(models.get("mine"))) as Row;
  change(row);
  await settled(models.put(row));
  database.close();
}

beforeAll(async () => {
  await tf.setBackend("cpu");
});
beforeEach(deleteDatabase);
afterEach(deleteDatabase);

suite("without any", () => {
  test("none are listed, a name is missing, and no database is made", async () => {
    expect(await savedModels()).toEqual([]);
    const error = await refusal(fileOf(NAME));
    expect(error.code).toBe("missing");
    expect(error.message).toContain(`no model "${NAME}"`);
    expect(await hasDatabase()).toBe(false);
    // Else it would prove nothing that there is none: this is how tfjs looks.
    expect(await tf.io.listModels()).toEqual({});
    expect(await hasDatabase()).toBe(true);
    expect(await savedModels()).toEqual([]);
  });

  test("a database of that name without tfjs's stores is no answer that never comes", async () => {
    (await settled(indexedDB.open("tensorflowjs", 3))).close();
    expect(await savedModels()).toEqual([]);
    expect((await refusal(fileOf(NAME))).code).toBe("missing");
  });
});

suite("a model that was saved", () => {
  test.each([
    ["tanh", "linear"],
    ["relu", "linear"],
    ["tanh", "sigmoid"],
  ] as const)("of %s and %s predicts the same in a run", async (activation, output) => {
    const config = { ...CONFIG, activation };
    const theirs = layersModel(activation, output);
    await theirs.save(NAME);
    expect(await savedModels()).toEqual([NAME]);
    const file = (await fileOf(NAME, config))!;
    expect(file.name).toBe(NAME);
    const both = await predictions(theirs, file, { config, isLogit: output === "linear" });
    expect(new Set(both.ours).size).toBeGreaterThan(100);
    expect(farthest(both)).toBe(0);
    // Controls: another model's predictions are others, and so are those of weights in which one bit is.
    expect(farthest({ ...both, ours: (await predictions(layersModel(activation), file)).theirs })).not.toBe(
      0,
    );
    await spoiled(({ modelArtifacts }) => {
      new Uint8Array(modelArtifacts.weightData as ArrayBuffer)[2]! ^= 0x40;
    });
    const changed = (await fileOf(NAME, config))!;
    expect(farthest(await predictions(theirs, changed, { config, isLogit: output === "linear" }))).not.toBe(
      0,
    );
  });

  test("with its optimizer is taken without it", async () => {
    const theirs = layersModel();
    theirs.compile({ optimizer: "adam", loss: "meanSquaredError" });
    await theirs.fit(tf.ones([4, 2]), tf.ones([4, 1]), { epochs: 1 });
    await theirs.save(NAME, { includeOptimizer: true });
    expect(farthest(await predictions(theirs, (await fileOf(NAME))!))).toBe(0);
  });

  test("is found among others, and one that is not there is missing beside them", async () => {
    const mine = layersModel();
    await layersModel().save("indexeddb://a/b c");
    await mine.save(NAME);
    expect(await savedModels()).toEqual(["indexeddb://a/b c", NAME]);
    expect(farthest(await predictions(mine, (await fileOf(NAME))!))).toBe(0);
    const error = await refusal(fileOf("indexeddb://yours"));
    expect(error.code).toBe("missing");
    expect(error.message).toContain(`indexeddb://a/b c, ${NAME}`);
  });

  test.each<[string, string, (artifacts: tf.io.ModelArtifacts) => unknown, string]>([
    ["a shape that is not its weights'", "corrupt", (it) => (it.weightSpecs![0]!.shape = [2, 7]), "bytes"],
    ["weights cut", "corrupt", (it) => (it.weightData = new ArrayBuffer(8)), "bytes"],
    ["no weights", "corrupt", (it) => delete it.weightData, "no weights"],
    ["no list of weights", "corrupt", (it) => delete it.weightSpecs, "weights is not a list"],
    ["no topology", "corrupt", (it) => delete it.modelTopology, `${NAME}.modelTopology`],
    [
      "a topology in a ring",
      "corrupt",
      (it) => Object.assign(it.modelTopology!, { itself: it.modelTopology }),
      "no model",
    ],
    [
      "weights of another type",
      "unsupported",
      (it) => (it.weightSpecs![0]!.dtype = "complex64"),
      "complex64",
    ],
    [
      "another class",
      "invalid",
      (it) => Object.assign(it.modelTopology!, { class_name: "Functional" }),
      "Functional",
    ],
  ])("with %s is %s", async (_what, code, change, word) => {
    await layersModel().save(NAME);
    await spoiled(({ modelArtifacts }) => change(modelArtifacts));
    const error = await refusal(fileOf(NAME));
    expect(error.code).toBe(code);
    expect(error.message).toContain(word);
  });

  test("in an entry without a model is missing", async () => {
    await layersModel().save(NAME);
    await spoiled((row) => delete (row as Partial<Row>).modelArtifacts);
    expect((await refusal(fileOf(NAME))).code).toBe("missing");
  });

  test("of another width, type or depth is refused by name", async () => {
    await layersModel().save(NAME);
    const file = (await fileOf(NAME))!;
    const { model, shape } = modelOf({ ...CONFIG, width: 7 });
    const error = await refusal(firstState(file, shape));
    expect(error.message).toContain('"hidden0/weight" is [2, 6] where the model has [2, 7]');
    expect(error.message).toContain(NAME);
    model.dispose();
    expect((await refusal(fileOf(NAME, withDefaults(SPIRALS, { layers: 3 })))).message).toContain(
      "3 Dense layers",
    );
    await spoiled(({ modelArtifacts }) => (modelArtifacts.weightSpecs![0]!.dtype = "int32"));
    const whole = modelOf();
    expect((await refusal(firstState((await fileOf(NAME))!, whole.shape))).message).toContain("I32");
    whole.model.dispose();
  });

  test("is not for a task that is no stack of Dense layers", async () => {
    await layersModel().save(NAME);
    const error = await refusal(weightsFile({ model: NAME, name: NAME }, text, {}));
    expect(error.code).toBe("unsupported");
  });
});
