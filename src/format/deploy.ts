/**
 * Weights to be used elsewhere, without what a resume needs: as float32, as float16, or as int8 with a scale for each
 * output channel. Int8 is symmetric and linear, a scale to each index of the last axis, and for matrices alone: what has
 * fewer axes (biases, gains) is little and matters much (Krishnamoorthi 2018, arXiv:1806.08342, section 3).
 */
import { HoldfastError } from "../errors";
import { bytesOf, type Bytes } from "./bytes";
import { halvesOf, float32Of } from "./float-values";
import { layersModelJson, type DenseLayer } from "./layers-model";
import type { DeployDtype } from "./stored";
import { headOfStored, type StoredShape } from "./safetensors";
import type { NamedTensor } from "./tensors";
import { localHeader, zipEnd, type ZipEntry } from "./zip";
import { crc32 } from "./crc";

const PARAM = "param/";
/** Of the 256 numbers, −128 is not used, so that the numbers are as many on both sides. */
const INT8_MOST = 127;

/** A tensor as it is deployed. */
interface Deployed extends StoredShape {
  readonly bytes: Bytes;
}

export interface DeployedWeights {
  readonly stored: readonly Deployed[];
  /** What they are when they are read again, under the names that they have in the state. */
  readonly values: readonly NamedTensor[];
}

/** The parameters among those tensors. `invalid` where a number is too large for that dtype. */
export function deployed(tensors: readonly NamedTensor[], dtype: DeployDtype): DeployedWeights {
  const each = tensors.filter(({ name }) => name.startsWith(PARAM)).map((tensor) => one(tensor, dtype));
  const stored = each.flatMap((weights) => weights.stored);
  const width = ({ dtype: name }: Deployed) => ["F32", "F16", "I8"].indexOf(name);
  // Widest first, so that each tensor is aligned.
  return {
    stored: stored.toSorted((a, b) => width(a) - width(b)),
    values: each.flatMap((weights) => weights.values),
  };
}

function one(tensor: NamedTensor, dtype: DeployDtype): DeployedWeights {
  const { values, shape } = tensor;
  const name = tensor.name.slice(PARAM.length);
  if (!(values instanceof Float32Array))
    throw new HoldfastError("unsupported", `"${name}" is no float32, so it cannot be deployed.`);
  const whole = { name, dtype: "F32", shape, bytes: bytesOf(values) };
  switch (dtype) {
    case "float32":
      return { stored: [whole], values: [tensor] };
    case "float16": {
      const halves = new Uint8Array(halvesOf(values).buffer);
      const again = float32Of("F16", halves) ?? values;
      const bad = again.findIndex((value, at) => !Number.isFinite(value) && Number.isFinite(values[at]));
      if (bad >= 0)
        throw new HoldfastError(
          "invalid",
          `"${name}" has ${values[bad] ?? ""} at place ${bad}, and float16 ends at 65504. Deploy it as float32.`,
        );
      return {
        stored: [{ name, dtype: "F16", shape, bytes: halves }],
        values: [{ ...tensor, values: again }],
      };
    }
    case "int8":
      return shape.length < 2 ? { stored: [whole], values: [tensor] } : inChannels(tensor, name, values);
    default:
      return dtype satisfies never;
  }
}

function inChannels(tensor: NamedTensor, name: string, values: Float32Array): DeployedWeights {
  const { shape } = tensor;
  const channels = shape.at(-1) ?? 1;
  const scales = new Float32Array(channels);
  for (let at = 0; at < values.length; at++) {
    const channel = at % channels;
    scales[channel] = Math.max(scales[channel]!, Math.abs(values[at]!) / INT8_MOST);
  }
  const numbers = new Int8Array(values.length);
  const again = new Float32Array(values.length);
  for (let at = 0; at < values.length; at++) {
    const scale = scales[at % channels]!;
    // A channel of zeros has no scale.
    const number = scale === 0 ? 0 : Math.round(values[at]! / scale);
    numbers[at] = Math.max(-INT8_MOST, Math.min(INT8_MOST, number));
    again[at] = numbers[at]! * scale;
  }
  return {
    stored: [
      { name: `${name}.scale`, dtype: "F32", shape: [channels], bytes: bytesOf(scales) },
      { name, dtype: "I8", shape, bytes: new Uint8Array(numbers.buffer) },
    ],
    values: [{ ...tensor, values: again }],
  };
}

/** The parts of a safetensors file. */
export function deployedSafetensors(
  { stored }: DeployedWeights,
  metadata: Readonly<Record<string, string>>,
): readonly Bytes[] {
  return [headOfStored(stored, metadata), ...stored.map(({ bytes }) => bytes)];
}

/**
 * The parts of a ZIP archive with a LayersModel of TensorFlow.js: `model.json` and `weights.bin`. `unsupported` for int8,
 * which TensorFlow.js stores in another way.
 */
export function deployedLayersModel(
  { stored }: DeployedWeights,
  layers: readonly DenseLayer[],
): readonly Bytes[] {
  if (stored.some(({ dtype }) => dtype === "I8"))
    throw new HoldfastError(
      "unsupported",
      "A model for TensorFlow.js can be deployed as float32 or float16.",
    );
  const byName = new Map(stored.map((tensor) => [tensor.name, tensor]));
  const ordered = layers.flatMap(({ name }) =>
    [`${name}/weight`, `${name}/bias`].flatMap((tensor) => byName.get(tensor) ?? []),
  );
  const json = new TextEncoder().encode(layersModelJson(layers, ordered));
  const files: readonly (readonly [string, readonly Bytes[]])[] = [
    ["model.json", [json]],
    ["weights.bin", ordered.map(({ bytes }) => bytes)],
  ];
  const entries: ZipEntry[] = [];
  const parts: Bytes[] = [];
  for (const [name, contents] of files) {
    const bytes = contents.reduce((sum, { length }) => sum + length, 0);
    const entry = { name, bytes, crc: contents.reduce((crc, content) => crc32(content, crc), 0) };
    entries.push(entry);
    parts.push(localHeader(entry), ...contents);
  }
  return [...parts, zipEnd(entries)];
}
