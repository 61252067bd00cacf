/** A model's state as tensors on the device, and its names as they stand in a checkpoint. */
import * as tf from "@tensorflow/tfjs-core";
import { HoldfastError } from "../errors";
import type { NamedTensor, Scalars, State, TensorValues } from "../format/tensors";
import type { Device } from "./device";
import { initialValues } from "./initialize";
import type { Optimizer, Slots } from "./optimizers/optimizer";
import type { ParameterSpec, Params } from "./task";

/** One parameter with its optimizer slots; kept tensors, never written to. */
export interface Held {
  readonly spec: ParameterSpec;
  readonly value: tf.Tensor;
  readonly slots: Slots;
}

export interface HeldState {
  readonly parameters: readonly Held[];
  readonly scalars: Scalars;
}

/** What of the optimizer gives a state its names. */
export type StateShape = Pick<Optimizer, "slots" | "counters">;

/** S_0: drawn parameters, slots and counters of zeros. */
export function initialState(
  device: Device,
  specs: readonly ParameterSpec[],
  { slots, counters }: StateShape,
  seed: number,
): HeldState {
  const parameters = specs.map((spec) => ({
    spec,
    value: upload(device, initialValues(spec, seed), spec.shape),
    slots: Object.fromEntries(
      slots.map((slot) => [slot, upload(device, new Float32Array(sizeOf(spec)), spec.shape)]),
    ),
  }));
  return {
    parameters,
    scalars: { step: 0, samples: 0, counters: Object.fromEntries(counters.map((name) => [name, 0])) },
  };
}

/** A stored state on the device. Throws `invalid` where it is not one of this model and optimizer. */
export function uploadState(
  device: Device,
  specs: readonly ParameterSpec[],
  { slots, counters }: StateShape,
  state: State,
): HeldState {
  const given = checkedTensors(state, specs, slots);
  const names = Object.keys(state.scalars.counters);
  if (names.length !== counters.length || !counters.every((name) => names.includes(name))) {
    throw new HoldfastError(
      "invalid",
      `The state has the counters [${names.join(", ")}] where the optimizer has [${counters.join(", ")}]: it is of another optimizer.`,
    );
  }
  const uploaded = (name: string, spec: ParameterSpec): tf.Tensor => upload(device, given(name), spec.shape);
  return {
    parameters: specs.map((spec) => ({
      spec,
      value: uploaded(paramName(spec), spec),
      slots: Object.fromEntries(slots.map((slot) => [slot, uploaded(slotName(slot, spec), spec)])),
    })),
    scalars: state.scalars,
  };
}

/** The parameters of a stored state, on the device; slots of any optimizer are passed over. The caller disposes them. */
export function uploadParams(device: Device, specs: readonly ParameterSpec[], state: State): Params {
  const params = state.tensors.filter(({ name }) => name.startsWith(PARAM_PREFIX));
  const given = checkedTensors({ ...state, tensors: params }, specs, []);
  return Object.fromEntries(
    specs.map((spec) => [spec.name, upload(device, given(paramName(spec)), spec.shape)]),
  );
}

/** Every tensor of a state with its name, in a fixed order. */
export function entriesOf({ parameters }: HeldState): (readonly [name: string, tensor: tf.Tensor])[] {
  return parameters.flatMap(({ spec, value, slots }) => [
    [paramName(spec), value] as const,
    ...Object.entries(slots).map(([slot, tensor]) => [slotName(slot, spec), tensor] as const),
  ]);
}

export function disposeState(state: HeldState): void {
  for (const [, tensor] of entriesOf(state)) tensor.dispose();
}

const PARAM_PREFIX = "param/";

function paramName({ name }: ParameterSpec): string {
  return `${PARAM_PREFIX}${name}`;
}

function slotName(slot: string, { name }: ParameterSpec): string {
  return `slot/${slot}/${name}`;
}

function sizeOf({ shape }: ParameterSpec): number {
  return tf.util.sizeFromShape([...shape]);
}

/** Every difference at once: a state of another model is told from one that lacks a tensor. */
function checkedTensors(
  state: State,
  specs: readonly ParameterSpec[],
  slots: readonly string[],
): (name: string) => Float32Array<ArrayBuffer> {
  const values = new Map<string, Float32Array<ArrayBuffer>>();
  const extra = new Map(state.tensors.map((tensor) => [tensor.name, tensor]));
  const problems = state.tensors.length === extra.size ? [] : ["some names are there twice"];
  for (const spec of specs) {
    for (const name of [paramName(spec), ...slots.map((slot) => slotName(slot, spec))]) {
      const tensor = extra.get(name);
      extra.delete(name);
      if (tensor === undefined) problems.push(`${name} is missing`);
      else if (!fits(tensor, spec))
        problems.push(`${name} is ${described(tensor)}, not float32 [${spec.shape.join(", ")}]`);
      else if (tensor.values instanceof Float32Array) values.set(name, tensor.values);
    }
  }
  for (const name of extra.keys()) problems.push(`${name} is unknown`);
  if (problems.length > 0) {
    throw new HoldfastError(
      "invalid",
      `The state does not fit this model and optimizer: ${problems.join("; ")}. Restore it in the run that made it.`,
    );
  }
  return (name) => {
    const found = values.get(name);
    if (found === undefined) throw new HoldfastError("internal", `The tensor ${name} was not checked.`);
    return found;
  };
}

function fits({ dtype, shape, values }: NamedTensor, spec: ParameterSpec): boolean {
  const sameShape =
    shape.length === spec.shape.length && shape.every((size, axis) => size === spec.shape[axis]);
  return dtype === "float32" && values instanceof Float32Array && sameShape && values.length === sizeOf(spec);
}

function described({ dtype, shape, values }: NamedTensor): string {
  return `${dtype} [${shape.join(", ")}] with ${values.length} values`;
}

/** A kept tensor that is on the device from the start: one that comes there by its first use may take another path. */
function upload(device: Device, values: TensorValues, shape: readonly number[]): tf.Tensor {
  // WebGPU copies at once; the other backends would go on to use the caller's array.
  const tensor = tf.keep(tf.tensor(device.webgpu === null ? values.slice() : values, [...shape], "float32"));
  device.webgpu?.uploadToGPU(tensor.dataId);
  return tensor;
}
