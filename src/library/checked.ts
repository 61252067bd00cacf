/**
 * What a page hands over, checked in one place: its compiler may not have seen it. By the parsers that read what is
 * stored, with `invalid` for their `corrupt`, and with what is right beside what is wrong.
 */
import { hasCode, HoldfastError, messageOf } from "../errors";
import type { Bytes } from "../format/bytes";
import {
  boolean,
  dictionary,
  fail,
  finite,
  integer,
  list,
  object,
  oneOf,
  text,
  type Parse,
} from "../format/parse";
import { config, MAX_NAME, optimizerConfig } from "../format/run-parse";
import { byteLength, checkTensor } from "../format/tensor-bytes";
import type { NamedTensor, State } from "../format/tensors";
import { policyOf, type Asked, type NamedBytes, type PolicyOptions } from "./record";
import type { Loss, Step } from "./journal";
import type { Contents } from "./trainer";

/** As many as a manifest has. */
const MAX_METRICS = 256;
const MAX_COUNTERS = 256;
const MAX_REASONS = 1000;
const MAX_DIMENSIONS = 32;

/** The same, with the remedy in what it throws. */
function told<T>(parse: Parse<T>, remedy: string): Parse<T> {
  return (value, path) => {
    try {
      return parse(value, path);
    } catch (error) {
      // A part of it said what is right.
      if (hasCode(error, "invalid")) throw error;
      throw new HoldfastError("invalid", `${messageOf(error)} ${remedy}`, { cause: error });
    }
  };
}

/** What is undefined is left out. */
function options<O extends object>(
  fields: Parameters<typeof object<object, O>>[1] & object,
): Parse<Partial<O>> {
  const parse = told(object<object, O>({}, fields), `It takes { ${Object.keys(fields).join(", ")} }.`);
  return (value, path) => {
    if (!isObject(value) || Array.isArray(value)) return parse(value, path);
    return parse(Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)), path);
  };
}

const loss: Parse<Loss> = (value, path) => {
  const isThere = typeof value === "number" || typeof Reflect.get(Object(value), "then") === "function";
  return isThere ? (value as Loss) : fail(path, `is ${kindOf(value)}, no number and no promise of one`);
};

const step = options<Required<Step>>({ loss, rate: finite, samples: integer(), mayEndHere: boolean });

/** One update, as `stepped` takes it. */
export function checkedStep(value: unknown): Step {
  // A name that is not there is more often a slip than a loss that nobody has.
  if (isObject(value) && "loss" in value)
    told(loss, "Leave it out where there is none.")(value.loss, "The step.loss");
  return step(value, "The step");
}

/** Metrics, as saves take them. */
export function checkedMetrics(value: unknown): Readonly<Record<string, number>> {
  const remedy = "Metrics are finite numbers by name, as { val_loss: 0.3 }.";
  return told(dictionary(finite, MAX_METRICS), remedy)(value, "metrics");
}

/** A copy only where they could not be handed on as they are. */
const bytes: Parse<Bytes> = (value, path) => {
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (!ArrayBuffer.isView(value)) return fail(path, `is ${kindOf(value)}, no ArrayBuffer and no view of one`);
  const { buffer, byteOffset, byteLength } = value;
  const view = new Uint8Array(buffer, byteOffset, byteLength);
  return buffer instanceof ArrayBuffer ? new Uint8Array(buffer, byteOffset, byteLength) : view.slice();
};

const data: Parse<NamedBytes> = (value, path) =>
  value instanceof ArrayBuffer || ArrayBuffer.isView(value) || value instanceof Blob
    ? fail(path, `is ${kindOf(value)} without a name`)
    : object<NamedBytes>({ bytes, name: text(MAX_NAME) })(value, path);

const listener: Parse<never> = (value, path) =>
  typeof value === "function" ? (value as never) : fail(path, `is ${kindOf(value)}, no function`);

const asItIs = (value: unknown): never => value as never;
const rules = options<Required<PolicyOptions>>({ save: asItIs, keep: asItIs, budget: asItIs });

const asked = options<Required<Asked>>({
  seed: integer(),
  settings: told(config, "Settings are finite numbers, texts and booleans by name."),
  data: told(data, "It takes { bytes, name }; the bytes of a Blob are `await blob.arrayBuffer()`."),
  optimizer: told(optimizerConfig, "It takes what `optimized` has as `config`."),
  steps: integer(),
  task: text(MAX_NAME),
  policy: (value, path) => policyOf(rules(value, path), path),
  takeOver: boolean,
  inexact: list(text(), MAX_REASONS),
  saved: listener,
  trouble: listener,
});

/** What `store.open` is asked for, before anything is written. */
export function checkedOptions(value: unknown): Asked {
  return asked(value, "options");
}

const name = told((value, path) => {
  const given = text(MAX_NAME)(value, path);
  return given === "" ? fail(path, "is empty") : given;
}, "A run has a name of its own in this store.");

/** What a run is opened by. */
export function checkedName(value: unknown): string {
  return name(value, "The name");
}

/** Throws `invalid` for what cannot give a state, or not take one back. */
export function checkTrainer(value: unknown): void {
  const remedy =
    "A trainer is what `arrays`, `layersModel`, `variables` or `optimized` returns, or has `read` and `restore`.";
  told((trainer, path) => {
    if (!isObject(trainer)) return fail(path, `is ${kindOf(trainer)}`);
    for (const method of ["read", "restore"])
      if (typeof Reflect.get(trainer, method) !== "function") fail(path, `has no function "${method}"`);
    const inexact: unknown = Reflect.get(trainer, "inexact");
    if (inexact !== undefined) list(text(), MAX_REASONS)(inexact, `${path}.inexact`);
  }, remedy)(value, "The trainer");
}

/** The id of a run, and a step of it. */
export function checkedId(value: unknown): string {
  return told(text(), "A run is asked for by its id, as `run.id`.")(value, "The run");
}

export function checkedAt(value: unknown): number {
  return told(integer(), "The steps of checkpoints are in `store.detail(run.id)`.")(value, "The step");
}

const dtype = oneOf("float32", "int32", "uint8", "bool");

const tensor: Parse<NamedTensor> = (value, path) => {
  if (!isObject(value)) return fail(path, `is ${kindOf(value)}`);
  const given = value as NamedTensor;
  const head = {
    name: text()(given.name, `${path}.name`),
    dtype: dtype(given.dtype, `${path}.dtype`),
    shape: list(integer(), MAX_DIMENSIONS)(given.shape, `${path}.shape`),
  };
  const values: unknown = given.values;
  if (!ArrayBuffer.isView(values)) return fail(`${path}.values`, `is ${kindOf(values)}, no typed array`);
  if (values.byteLength === 0 && byteLength(head.dtype, head.shape) !== 0)
    throw new HoldfastError(
      "invalid",
      `The tensor "${head.name}" has no values: \`read\` gave an array that it gave before, and that was transferred away. Give a copy each time, as by \`.slice()\`.`,
    );
  checkTensor({ ...head, values: given.values });
  return given;
};

/** What a trainer's `read` gave, at that position. */
export function checkedState(
  value: unknown,
  position: { readonly step: number; readonly samples: number },
): State {
  const remedy = "It gives { tensors: [{ name, dtype, shape, values }], counters }.";
  return told((given, path) => {
    if (!isObject(given)) return fail(path, `gave ${kindOf(given)}`);
    const { tensors, counters = {} } = given as Contents;
    list(tensor, Number.POSITIVE_INFINITY)(tensors, `${path}.tensors`);
    const known = dictionary(finite, MAX_COUNTERS)(counters, `${path}.counters`);
    return { tensors, scalars: { ...position, counters: known } };
  }, remedy)(value, "The trainer's read");
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function kindOf(value: unknown): string {
  if (typeof value === "string") return `the text "${value}"`;
  if (!isObject(value)) return typeof value === "function" ? "a function" : String(value);
  const name = Object.prototype.toString.call(value).slice("[object ".length, -1);
  return `${/^[AEIO]/.test(name) ? "an" : "a"} ${name}`;
}
