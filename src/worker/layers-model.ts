/** What a person names to begin with, as the one safetensors file that a run begins with. */
import type { Task } from "../engine/task";
import { HoldfastError } from "../errors";
import type { Bytes } from "../format/bytes";
import { MAX_LAYERS_MODEL_BYTES, parseLayersModel, type DenseLayer } from "../format/layers-model";
import { dictionary, fail } from "../format/parse";
import { safetensorsHead } from "../format/safetensors";
import type { Config } from "../format/run";
import { read, type WeightsFile } from "./first-state";
import type { SavedModel, StartSpec } from "./protocol";
import { readSavedModel } from "./saved-models";
import { unpacked } from "./weights-archive";

/** Of an entry in IndexedDB; tfjs writes eight. */
const MAX_FIELDS = 100;

/** Null where the weights are drawn from the seed. */
export async function weightsFile(
  from: StartSpec["from"],
  task: Task,
  config: Config,
): Promise<WeightsFile | null> {
  if ("model" in from) return savedModel(from, task, config);
  return from.length === 0 ? null : oneFile(from, task, config);
}

/** A single file is one already; more are a `model.json` and what it names. Nothing is copied: the parts stay where they are. */
export async function oneFile(
  files: readonly WeightsFile[],
  task: Task,
  config: Config,
): Promise<WeightsFile> {
  const [only] = files;
  const inside = files.length === 1 && only !== undefined ? await unpacked(only) : null;
  if (inside !== null && only !== undefined)
    return { ...(await oneFile(inside, task, config)), name: only.name };
  const model = files.find(({ name }) => name.endsWith(".json"));
  if (model === undefined && only !== undefined && files.length === 1) return only;
  if (model === undefined)
    throw new HoldfastError(
      "invalid",
      "Give one safetensors file, or a model.json of TensorFlow.js together with its weight files.",
    );
  const layers = layersOf(task, config);
  // One byte more than it may have, so that a longer one is refused and not cut.
  const json = await read(model.file, model.name, 0, MAX_LAYERS_MODEL_BYTES + 1);
  const file = assembled(json, layers, { path: (path) => named(files, path) });
  return { name: model.name, file };
}

/** A model that is in IndexedDB whole. It is another program's as files are, and held against the same rules. */
async function savedModel({ model, name }: SavedModel, task: Task, config: Config): Promise<WeightsFile> {
  const layers = layersOf(task, config);
  const artifacts = dictionary((each) => each, MAX_FIELDS)(await readSavedModel(model), name);
  const { modelTopology, weightSpecs, weightData } = artifacts;
  // One buffer as tfjs saves it; its types allow for several.
  const pieces: unknown[] = [weightData].flat();
  if (!pieces.every((piece) => piece instanceof ArrayBuffer)) return fail(name, "has no weights");
  const json = encoded(name, {
    modelTopology,
    weightsManifest: [{ paths: [name], weights: weightSpecs }],
  });
  return { name, file: assembled(json, layers, { what: name, path: () => new Blob(pieces) }) };
}

function layersOf(task: Task, config: Config): readonly DenseLayer[] {
  const layers = task.layers?.(config);
  if (layers !== undefined) return layers;
  throw new HoldfastError(
    "unsupported",
    `${task.info.title} is no stack of Dense layers, so no LayersModel fits it. Give its weights as a safetensors file.`,
  );
}

/** `path`: the weights that the JSON names so. */
function assembled(
  json: Bytes,
  layers: readonly DenseLayer[],
  { what, path: weightsAt }: { readonly what?: string; readonly path: (path: string) => Blob },
): Blob {
  const { tensors, groups } = parseLayersModel(json, layers, what);
  const data = groups.map(({ paths, bytes }) => {
    const group = new Blob(paths.map(weightsAt));
    if (group.size === bytes) return group;
    throw new HoldfastError(
      "corrupt",
      `The weights in ${paths.join(" and ")} should have ${bytes} bytes, and have ${group.size}. Save or copy the model again.`,
    );
  });
  const parts = tensors.map(({ group, from, bytes }) => data[group]?.slice(from, from + bytes) ?? "");
  return new Blob([safetensorsHead(tensors, {}), ...parts]);
}

function encoded(what: string, model: object): Bytes {
  try {
    return new TextEncoder().encode(JSON.stringify(model));
  } catch {
    // IndexedDB holds more than JSON does: rings, and whole numbers without an end.
    return fail(what, "is no model");
  }
}

function named(files: readonly WeightsFile[], path: string): Blob {
  const base = path.slice(path.lastIndexOf("/") + 1);
  const found = files.find(({ name }) => name === base);
  if (found !== undefined) return found.file;
  throw new HoldfastError(
    "invalid",
    `model.json names the weight file "${base}", which is not among those chosen. Choose it together with model.json.`,
  );
}
