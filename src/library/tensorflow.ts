/**
 * What of TensorFlow.js the adapters use, by its shape: they take the page's own `tf`, however it was loaded, and import
 * nothing. So there is never a second copy, and no version is bundled.
 */
import { EXACT_FLAGS } from "../engine/exact-flags";
import { HoldfastError } from "../errors";
import type { Environment } from "../format/run";
import type { DType, NamedTensor, TensorValues } from "../format/tensors";
import type { Contents, Machine } from "./trainer";

/** A `tf.Tensor`. */
export interface TensorLike {
  readonly shape: number[];
  readonly dtype: string;
  data(): Promise<Float32Array | Int32Array | Uint8Array | string[]>;
  clone(): TensorLike;
  dispose(): void;
}

/** A `tf.Variable`. */
export interface VariableLike extends TensorLike {
  readonly name: string;
}

/** The module `@tensorflow/tfjs` or `@tensorflow/tfjs-core`. */
export interface TensorFlow {
  readonly version_core: string;
  getBackend(): string;
  env(): { set(flag: string, value: number | boolean): void };
  // Parameters of methods are compared both ways, so that the module's own narrower types fit.
  keep(tensor: TensorLike): TensorLike;
  tidy(work: () => void): void;
  tensor(values: TensorValues, shape: number[], dtype: "float32" | "int32" | "bool"): TensorLike;
  variable(initial: TensorLike, trainable: boolean): VariableLike;
}

/** A variable by the name that it has in a state. */
export interface Named {
  readonly name: string;
  readonly variable: VariableLike;
}

interface NamedTensorLike {
  readonly name: string;
  readonly variable: TensorLike;
}

const BACKENDS: readonly string[] = ["webgpu", "webgl", "cpu"] satisfies Environment["backend"][];

/**
 * Sets the flags that exactness needs, and says where the numbers come from. Before the first step, in every run: a page
 * that never saves has to compute as one that does.
 */
export function exactMachine(tf: TensorFlow): Machine {
  if (typeof Reflect.get(Object(tf), "getBackend") !== "function")
    throw new HoldfastError(
      "invalid",
      "The first argument is not the module of TensorFlow.js. It comes first: `layersModel(tf, model)`, `variables(tf, …)`.",
    );
  const name = tf.getBackend();
  if (name === "")
    throw new HoldfastError("invalid", "TensorFlow.js has no backend yet: `await tf.ready()` comes first.");
  const backend = BACKENDS.includes(name) ? (name as Environment["backend"]) : "cpu";
  const flags = Object.entries(EXACT_FLAGS[backend]);
  for (const [flag, value] of flags) tf.env().set(flag, value);
  return {
    backend,
    adapter: backend === name ? {} : { backend: name },
    tfjs: tf.version_core,
    flags: Object.fromEntries(flags.map(([flag, value]) => [flag, String(value)])),
  };
}

/**
 * The values of live variables. Clones are taken before this returns: they keep what they share, while steps go on to
 * give the variables new values; a variable that is read while steps go on is torn.
 */
export function readVariables(
  tf: TensorFlow,
  named: readonly NamedTensorLike[],
  counters: Readonly<Record<string, number>>,
): Promise<Contents> {
  const clones = named.map(({ variable }) => tf.keep(variable.clone()));
  return Promise.all(clones.map((clone) => clone.data()))
    .then((all) => ({
      counters,
      tensors: named.map(({ name, variable: { shape, dtype } }, index) => ({
        name,
        dtype: dtypeOf(name, dtype),
        shape: [...shape],
        values: ownValues(name, all[index]),
      })),
    }))
    .finally(() => {
      for (const clone of clones) clone.dispose();
    });
}

/** What a variable looks like in a state. */
export function shapeOf({ name, variable }: NamedTensorLike): Omit<NamedTensor, "values"> {
  return { name, dtype: dtypeOf(name, variable.dtype), shape: variable.shape };
}

/** A tensor of these values, for `tidy` to free. */
export function upload(tf: TensorFlow, values: TensorValues, shape: readonly number[]): TensorLike {
  const dtype = values instanceof Float32Array ? "float32" : values instanceof Int32Array ? "int32" : "bool";
  return tf.tensor(values, [...shape], dtype);
}

/** Gives a variable another value, past the constraints of its layer: they were applied before it was saved. */
export function assign(variable: VariableLike, value: TensorLike): void {
  if (!isAssignable(variable)) throw notAVariable(variable.name);
  variable.assign(value);
}

function isAssignable(variable: object): variable is { assign(value: TensorLike): void } {
  return "assign" in variable && typeof variable.assign === "function";
}

function notAVariable(name: string): HoldfastError {
  return new HoldfastError(
    "unsupported",
    `"${name}" is no tf.Variable, so it cannot be given another value. This version of TensorFlow.js is not known.`,
  );
}

function dtypeOf(name: string, dtype: string): DType {
  if (dtype === "float32" || dtype === "int32" || dtype === "bool") return dtype;
  throw new HoldfastError("unsupported", `${name} is of type ${dtype}; a state has float32, int32 and bool.`);
}

/** A copy: some backends give the very array that they go on to use. */
function ownValues(name: string, values: unknown): TensorValues {
  if (values instanceof Float32Array) return new Float32Array(values);
  if (values instanceof Int32Array) return new Int32Array(values);
  if (values instanceof Uint8Array) return new Uint8Array(values);
  throw new HoldfastError("internal", `The values of ${name} are no numbers.`);
}
