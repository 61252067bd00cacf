/**
 * What an optimizer is: a rule for one tensor, given what is the same for all tensors of a step.
 *
 * A rule reads and writes nothing but its arguments. State lives with the caller, under the name of each
 * parameter: slots are tensors of the parameter's shape, zero at first, counters are numbers. What a step needs of
 * the counters (bias corrections and the like) is computed once, in float64 on the CPU, and sent as scalars.
 *
 * Every tfjs operation is one dispatch on a GPU, and a dispatch costs more than the arithmetic of a small tensor:
 * the rules are arranged to need few, as each docstring says.
 */
import type { Tensor } from "@tensorflow/tfjs-core";
import { HoldfastError } from "../../errors";

/** Slots of one parameter, by the names in `Optimizer.slots`. */
export type Slots = Readonly<Record<string, Tensor>>;
/** Counters of a state, by the names in `Optimizer.counters`; 0 in S_0. */
export type Counters = Readonly<Record<string, number>>;

/** New value and slots of one tensor, of the old ones' shapes. */
export interface Updated {
  readonly value: Tensor;
  readonly slots: Slots;
}

/** Element by element, so tensors may be joined before it and parted after it. `decay`: does weight decay apply? */
export type Rule = (value: Tensor, gradient: Tensor, slots: Slots, decay: boolean) => Updated;

export interface Optimizer {
  readonly slots: readonly string[];
  readonly counters: readonly string[];
  /** Is there weight decay at all? If not, `decay` means nothing to the rule. */
  readonly decays: boolean;
  /** The counters after an update. */
  advance(counters: Counters): Counters;
  /**
   * The rule of one step. `counters` are the advanced ones; `learningRate` is a float32 value. Uploads the step's
   * scalars; call it inside `tidy`.
   */
  rule(learningRate: number, counters: Counters): Rule;
  /** Frees the constants. */
  dispose(): void;
}

/** A slot that the rule declared; a caller that leaves one out has a fault. */
export function slotOf(slots: Slots, name: string): Tensor {
  const slot = slots[name];
  if (slot === undefined)
    throw new HoldfastError("internal", `The optimizer was called without its slot "${name}".`);
  return slot;
}

/**
 * Raised when any optimizer, the clipping or the packing gives other bits than before; a part of the environment.
 * `tests/engine/optimizers.test.ts` holds golden digests that force it.
 */
export const OPTIMIZER_MATH_VERSION = 1;
