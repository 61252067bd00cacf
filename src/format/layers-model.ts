/**
 * A LayersModel as TensorFlow.js saves it: `model.json`, and weight files that it names. Read as data: the topology says which
 * Dense layer is which, the manifest where its kernel and bias lie. Nothing of it is run, and tfjs-layers is not needed.
 */
import { HoldfastError } from "../errors";
import type { Bytes } from "./bytes";
import type { TensorShape } from "./chunks";
import { parseJson } from "./json";
import { dictionary, fail, integer, list, text } from "./parse";
import type { StoredShape } from "./safetensors";
import { byteLength } from "./tensor-bytes";
import type { DType } from "./tensors";

/** A layer of a model: `<name>/weight` and `<name>/bias` are its kernel and bias. */
export interface DenseLayer {
  readonly name: string;
  readonly activation: "tanh" | "relu" | "linear";
}

/** A tensor, and where it lies in the weight files of its group, one after the other. */
export interface LayersModelTensor extends TensorShape {
  readonly group: number;
  readonly from: number;
  readonly bytes: number;
}

export interface LayersModel {
  /** Under the names that `DenseLayer` gives. */
  readonly tensors: readonly LayersModelTensor[];
  readonly groups: readonly { readonly paths: readonly string[]; readonly bytes: number }[];
}

const WHAT = "model.json";
/** Of model.json, which has no weights in it. */
export const MAX_LAYERS_MODEL_BYTES = 16 * 1024 * 1024;
const MAX_ENTRIES = 10_000;
const MAX_RANK = 8;
const DTYPES: ReadonlyMap<unknown, DType> = new Map([
  ["float32", "float32"],
  ["int32", "int32"],
  ["bool", "bool"],
]);
/** Layers that change nothing where nothing is trained. */
const SILENT: ReadonlySet<unknown> = new Set(["InputLayer", "Dropout"]);

/**
 * A model whose Dense layers are these, in order. `invalid` and `unsupported` name what does not fit; `corrupt` is no model.
 * `what`: what the bytes are called.
 */
export function parseLayersModel(bytes: Bytes, layers: readonly DenseLayer[], what = WHAT): LayersModel {
  const model = fields(parseJson(bytes, what, MAX_LAYERS_MODEL_BYTES), what);
  const names = new Map(
    denseLayers(model["modelTopology"], `${what}.modelTopology`, layers).flatMap(([theirs, ours]) => [
      [`${theirs}/kernel`, `${ours}/weight`],
      [`${theirs}/bias`, `${ours}/bias`],
    ]),
  );
  const tensors: LayersModelTensor[] = [];
  const groups = list(fields, MAX_ENTRIES)(model["weightsManifest"], `${what}.weightsManifest`).map(
    ({ paths, weights }, group) => {
      const path = `${what}.weightsManifest[${group}]`;
      let from = 0;
      for (const [at, spec] of list(fields, MAX_ENTRIES)(weights, `${path}.weights`).entries()) {
        const tensor = tensorOf(spec, `${path}.weights[${at}]`);
        const size = byteLength(tensor.dtype, tensor.shape) ?? Number.NaN;
        const name = names.get(tensor.name) ?? tensor.name;
        // The optimizer's state is known by its place in a list there, which is nothing to rely on.
        if (spec["group"] !== "optimizer") tensors.push({ ...tensor, name, group, from, bytes: size });
        from += size;
      }
      return { paths: list(text(), MAX_ENTRIES)(paths, `${path}.paths`), bytes: from };
    },
  );
  return { tensors, groups };
}

function tensorOf(spec: Fields, path: string): TensorShape {
  const name = text()(spec["name"], `${path}.name`);
  if (spec["quantization"] !== undefined)
    throw new HoldfastError(
      "unsupported",
      `"${name}" is quantized, which loses digits. Save the model without quantization.`,
    );
  const dtype = DTYPES.get(spec["dtype"]);
  if (dtype === undefined)
    throw new HoldfastError(
      "unsupported",
      `"${name}" is ${String(spec["dtype"])}; only float32 can become weights.`,
    );
  return { name, dtype, shape: list(integer(), MAX_RANK)(spec["shape"], `${path}.shape`) };
}

/** Their name of each layer, and ours. */
function denseLayers(
  topology: unknown,
  path: string,
  wanted: readonly DenseLayer[],
): readonly (readonly [theirs: string, ours: string])[] {
  const outer = fields(topology, path);
  // Keras puts the model into a field of its own.
  const { class_name: kind, config } = fields(outer["model_config"] ?? outer, path);
  if (kind !== "Sequential") throw misfit(`it is a model of the class ${String(kind)}, not Sequential`);
  const inner = Array.isArray(config) ? config : fields(config, `${path}.config`)["layers"];
  const dense = list(fields, MAX_ENTRIES)(inner, `${path}.config.layers`).flatMap((layer) => {
    if (SILENT.has(layer["class_name"])) return [];
    const settings = fields(layer["config"], `${path}.config.layers.config`);
    if (layer["class_name"] === "Dense") return [settings];
    throw misfit(
      `its layer "${String(settings["name"])}" is ${String(layer["class_name"])}, not Dense or Dropout`,
    );
  });
  if (dense.length !== wanted.length)
    throw misfit(`it has ${dense.length} Dense layers where the model has ${wanted.length}`);
  return wanted.map(({ name, activation }, at) => {
    const settings = dense[at] ?? {};
    const theirs = text()(settings["name"], `${path}.config.layers.config.name`);
    if (settings["use_bias"] === false) throw misfit(`its layer "${theirs}" has no bias`);
    const given = text()(settings["activation"] ?? "linear", `${path}.config.layers.config.activation`);
    // Where the model gives logits, their sigmoid is the same model with its last step written out.
    if (given !== activation && !(given === "sigmoid" && activation === "linear"))
      throw misfit(`its layer "${theirs}" has the activation ${given} where the model has ${activation}`);
    return [theirs, name] as const;
  });
}

function misfit(what: string): HoldfastError {
  return new HoldfastError(
    "invalid",
    `The LayersModel does not fit: ${what}. Choose the settings that it was made with.`,
  );
}

type Fields = Readonly<Record<string, unknown>>;

/** Whatever else stands there is another program's. */
function fields(value: unknown, path: string): Fields {
  if (value === undefined) return fail(path, "is missing");
  return dictionary((each) => each, MAX_ENTRIES)(value, path);
}

/** What `model.json` says of such layers: their tensors follow each other in `weights.bin`, kernel and bias of each. */
export function layersModelJson(layers: readonly DenseLayer[], tensors: readonly StoredShape[]): string {
  const shapeOf = (name: string) => tensors.find((tensor) => tensor.name === name)?.shape ?? [];
  const topology = layers.map(({ name, activation }, at) => {
    const [inputs, units] = shapeOf(`${name}/weight`);
    const first = at === 0 ? { batch_input_shape: [null, inputs], dtype: "float32" } : {};
    return { class_name: "Dense", config: { name, units, activation, use_bias: true, ...first } };
  });
  const weights = tensors.map(({ name, dtype, shape }) => ({
    name: name.replace(/\/weight$/, "/kernel"),
    shape,
    dtype: "float32",
    ...(dtype === "F16" && { quantization: { dtype: "float16", original_dtype: "float32" } }),
  }));
  return JSON.stringify({
    format: "layers-model",
    generatedBy: "Holdfast",
    convertedBy: null,
    modelTopology: {
      class_name: "Sequential",
      config: { name: "holdfast", layers: topology },
      keras_version: "tfjs-layers 4.22.0",
      backend: "tensor_flow.js",
    },
    weightsManifest: [{ paths: ["weights.bin"], weights }],
  });
}
