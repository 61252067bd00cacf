/** Files that a person picked together, as the one safetensors file that a run begins with. */
import type { Task } from "../engine/task";
import { HoldfastError } from "../errors";
import { MAX_LAYERS_MODEL_BYTES, parseLayersModel } from "../format/layers-model";
import { safetensorsHead } from "../format/safetensors";
import type { Config } from "../format/run";
import { read, type WeightsFile } from "./first-state";

/** A single file is one already; more are a `model.json` and what it names. Nothing is copied: the parts stay where they are. */
export async function oneFile(
  files: readonly WeightsFile[],
  task: Task,
  config: Config,
): Promise<WeightsFile> {
  const [only] = files;
  const model = files.find(({ name }) => name.endsWith(".json"));
  if (model === undefined && only !== undefined && files.length === 1) return only;
  if (model === undefined)
    throw new HoldfastError(
      "invalid",
      "Give one safetensors file, or a model.json of TensorFlow.js together with its weight files.",
    );
  const layers = task.layers?.(config);
  if (layers === undefined)
    throw new HoldfastError(
      "unsupported",
      `${task.info.title} is no stack of Dense layers, so no LayersModel fits it. Give its weights as a safetensors file.`,
    );
  // One byte more than it may have, so that a longer one is refused and not cut.
  const json = await read(model.file, model.name, 0, MAX_LAYERS_MODEL_BYTES + 1);
  const { tensors, groups } = parseLayersModel(json, layers);
  const data = groups.map(({ paths, bytes }) => {
    const group = new Blob(paths.map((path) => named(files, path)));
    if (group.size === bytes) return group;
    throw new HoldfastError(
      "corrupt",
      `${paths.join(" and ")} should have ${bytes} bytes, and has ${group.size}. Copy the model again.`,
    );
  });
  const parts = tensors.map(({ group, from, bytes }) => data[group]?.slice(from, from + bytes) ?? "");
  return { name: model.name, file: new Blob([safetensorsHead(tensors, {}), ...parts]) };
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
