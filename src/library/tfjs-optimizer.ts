/**
 * The whole state of an optimizer of TensorFlow.js.
 *
 * Its own `getWeights` and `setWeights` cannot do this: they leak a tensor for each call, know slots by their position
 * only, and `Adam.setWeights` computes the powers of beta anew, which a run multiplies step by step: the numbers differ
 * from the second step on. So the fields are read, which are private: each is checked, and `unsupported` thrown where it
 * is not what it was in 4.22.
 */
import { HoldfastError } from "../errors";
import type { NamedTensor, State } from "../format/tensors";
import { assign, upload, type Named, type TensorFlow, type VariableLike } from "./tensorflow";
import { matched } from "./trainer";

/** Any `tf.Optimizer`. */
export interface OptimizerLike {
  getClassName(): string;
  readonly iterations: number;
}

interface Layout {
  /** Lists of slots, one for each variable: field, and what follows the variable's name in theirs. */
  readonly slots: readonly (readonly [field: string, suffix: string])[];
  /** Scalars that are variables. */
  readonly scalars: readonly string[];
}

const LAYOUTS: Readonly<Record<string, Layout>> = {
  SGD: { slots: [], scalars: [] },
  Momentum: { slots: [["accumulations", "momentum"]], scalars: [] },
  RMSProp: {
    slots: [
      ["accumulatedMeanSquares", "rms"],
      ["accumulatedMoments", "momentum"],
      ["accumulatedMeanGrads", "mg"],
    ],
    scalars: [],
  },
  Adagrad: { slots: [["accumulatedGrads", "accumulator"]], scalars: [] },
  Adadelta: {
    slots: [
      ["accumulatedGrads", "accum_grad"],
      ["accumulatedUpdates", "accum_var"],
    ],
    scalars: [],
  },
  Adam: {
    slots: [
      ["accumulatedFirstMoment", "m"],
      ["accumulatedSecondMoment", "v"],
    ],
    scalars: ["accBeta1", "accBeta2"],
  },
  Adamax: {
    slots: [
      ["accumulatedFirstMoment", "m"],
      ["accumulatedWeightedInfNorm", "v"],
    ],
    scalars: ["accBeta1", "iteration"],
  },
};

interface Slot {
  readonly originalName: string;
  readonly variable: VariableLike;
}

/**
 * Slots and scalars by the names of the parameters that they belong to: `slot/<slot>/<parameter>`, `optimizer/<scalar>`.
 * `parameters`: what is trained, in the order in which the optimizer gets it; named without a prefix.
 */
export function optimizerVariables(optimizer: OptimizerLike, parameters: readonly Named[]): readonly Named[] {
  const { slots, scalars } = layoutOf(optimizer);
  return [
    ...slots.flatMap(([field, suffix]) =>
      slotsOf(optimizer, field).map(({ originalName, variable }, index) => {
        const parameter = parameters[index];
        // A slot belongs to the variable at its place in the list: another order would mix up moments in silence.
        if (parameter === undefined || originalName !== `${parameter.variable.name}/${suffix}`) {
          throw new HoldfastError(
            "unsupported",
            `Slot ${index} of ${field} is "${originalName}", where "${parameter?.name ?? "none"}" is trained: layers were frozen or thawed since training began. Compile the model with a new optimizer then, under another name.`,
          );
        }
        return { name: `slot/${suffix}/${parameter.name}`, variable };
      }),
    ),
    ...scalars.map((field) => ({
      name: `optimizer/${field}`,
      variable: variableOf(optimizer, field, Reflect.get(optimizer, field)),
    })),
  ];
}

/** Puts the optimizer's part of a state back. `invalid` where it is that of another one. */
export function restoreOptimizer(
  tf: TensorFlow,
  optimizer: OptimizerLike,
  parameters: readonly Named[],
  { tensors, scalars: { counters } }: State,
): void {
  const { slots, scalars } = layoutOf(optimizer);
  const expected: Omit<NamedTensor, "values">[] = scalars.map((field) => ({
    name: `optimizer/${field}`,
    dtype: "float32",
    shape: [],
  }));
  // A state from before the first step has no slots yet.
  const begun = slots.filter(([, suffix]) => tensors.some(({ name }) => name.startsWith(`slot/${suffix}/`)));
  for (const [, suffix] of begun)
    for (const { name, variable } of parameters)
      expected.push({ name: `slot/${suffix}/${name}`, dtype: "float32", shape: variable.shape });
  const given = matched(tensors, expected);
  tf.tidy(() => {
    for (const field of scalars) {
      const variable = variableOf(optimizer, field, Reflect.get(optimizer, field));
      assign(variable, upload(tf, given(`optimizer/${field}`), []));
    }
    for (const [field] of slots) {
      for (const { variable } of slotsOf(optimizer, field)) variable.dispose();
      Reflect.set(optimizer, field, []);
    }
    for (const [field, suffix] of begun) {
      const made = parameters.map(({ name, variable }) => ({
        originalName: `${variable.name}/${suffix}`,
        variable: tf.variable(upload(tf, given(`slot/${suffix}/${name}`), variable.shape), false),
      }));
      Reflect.set(optimizer, field, made);
    }
  });
  Reflect.set(optimizer, "iterations_", counters["iterations"] ?? 0);
}

function layoutOf(optimizer: OptimizerLike): Layout {
  const kind = optimizer.getClassName();
  const layout = LAYOUTS[kind];
  if (layout !== undefined) return layout;
  throw new HoldfastError(
    "unsupported",
    `What the optimizer ${kind} keeps is not known here; known are ${Object.keys(LAYOUTS).join(", ")}.`,
  );
}

function slotsOf(optimizer: OptimizerLike, field: string): readonly Slot[] {
  const list: unknown = Reflect.get(optimizer, field);
  if (!Array.isArray(list)) throw unknownField(optimizer, field);
  return list.map((slot: unknown) => {
    const originalName: unknown =
      typeof slot === "object" && slot !== null ? Reflect.get(slot, "originalName") : undefined;
    if (typeof slot !== "object" || slot === null || typeof originalName !== "string")
      throw unknownField(optimizer, field);
    return { originalName, variable: variableOf(optimizer, field, Reflect.get(slot, "variable")) };
  });
}

function variableOf(optimizer: OptimizerLike, field: string, value: unknown): VariableLike {
  if (isVariable(value)) return value;
  throw unknownField(optimizer, field);
}

function isVariable(value: unknown): value is VariableLike {
  return typeof value === "object" && value !== null && "assign" in value && "dataId" in value;
}

function unknownField(optimizer: OptimizerLike, field: string): HoldfastError {
  return new HoldfastError(
    "unsupported",
    `${optimizer.getClassName()}.${field} is not what it is in TensorFlow.js 4.22, so its state cannot be kept. Use that version, or an optimizer of holdfast/optimizers.`,
  );
}
