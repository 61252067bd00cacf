/** One step of all parameters: pack, clip, apply the rule, unpack. */
import { mul, type Tensor } from "@tensorflow/tfjs-core";
import { clipCoefficient } from "./clip";
import { Constants } from "./constants";
import { slotOf, type Counters, type Optimizer, type Rule, type Slots, type Updated } from "./optimizer";
import { groupsOf, joined, parted } from "./pack";

/** One parameter before the step. */
export interface ParameterState {
  /** Stable, as in the task's `ParameterSpec`. */
  readonly name: string;
  readonly value: Tensor;
  readonly gradient: Tensor;
  /** By the names in `Optimizer.slots`, each of the value's shape; zeros in S_0. */
  readonly slots: Slots;
  /** Does weight decay apply to it? */
  readonly decay: boolean;
}

export interface StepOptions {
  /** A float32 value. */
  readonly learningRate: number;
  /** 0 means off. */
  readonly clipNorm: number;
  /** Before the step. */
  readonly counters: Counters;
}

export interface StepResult {
  /** By the parameters' names. */
  readonly updated: ReadonlyMap<string, Updated>;
  /** After the step. */
  readonly counters: Counters;
}

/** Applies an optimizer to a whole model. One per run: its constants stay on the device until `dispose`. */
export class Updater {
  readonly #optimizer: Optimizer;
  readonly #packBelow: number | undefined;
  readonly #constants = new Constants();

  /** `packBelow`: elements from which on a tensor is updated alone; another value than the default is for tests. */
  constructor(optimizer: Optimizer, packBelow?: number) {
    this.#optimizer = optimizer;
    this.#packBelow = packBelow;
  }

  /**
   * Call it inside `tidy` and `keep` what it returns; the tensors given are left alone. The order of the parameters
   * is a part of the arithmetic (of the global norm, and of the packs): give them in the same order at every step.
   */
  step(parameters: readonly ParameterState[], { learningRate, clipNorm, counters }: StepOptions): StepResult {
    const { decays } = this.#optimizer;
    const advanced = this.#optimizer.advance(counters);
    const rule = this.#optimizer.rule(learningRate, advanced);
    const groups = groupsOf(
      parameters.map((parameter) => ({ ...parameter, decay: parameter.decay && decays })),
      this.#packBelow,
    );
    const gradients = groups.map((group) => joined(group.map(({ gradient }) => gradient)));
    const clipped = clipNorm > 0 ? this.#clipped(gradients, clipNorm) : gradients;

    const updated = new Map<string, Updated>();
    for (const [index, group] of groups.entries()) {
      const gradient = clipped[index];
      if (gradient !== undefined) this.#update(group, gradient, rule, updated);
    }
    return { updated, counters: advanced };
  }

  /** Frees the constants, the optimizer's too. */
  dispose(): void {
    this.#optimizer.dispose();
    this.#constants.dispose();
  }

  #clipped(gradients: readonly Tensor[], clipNorm: number): Tensor[] {
    const coefficient = clipCoefficient(gradients, clipNorm, this.#constants);
    return gradients.map((gradient) => mul(gradient, coefficient));
  }

  /** Writes the results of one group to `updated`. All of it have the same `decay`. */
  #update(
    group: readonly ParameterState[],
    gradient: Tensor,
    rule: Rule,
    updated: Map<string, Updated>,
  ): void {
    const values = group.map(({ value }) => value);
    const names = this.#optimizer.slots;
    const before = mapSlots(names, (name) => joined(group.map(({ slots }) => slotOf(slots, name))));
    const result = rule(joined(values), gradient, before, group[0]?.decay ?? false);
    const after = names.map((name) => parted(slotOf(result.slots, name), values));
    for (const [place, value] of parted(result.value, values).entries()) {
      const parameter = group[place];
      if (parameter === undefined) break;
      updated.set(parameter.name, { value, slots: mapSlots(names, (_name, slot) => after[slot]?.[place]) });
    }
  }
}

function mapSlots(
  names: readonly string[],
  tensorOf: (name: string, index: number) => Tensor | undefined,
): Slots {
  const slots: Record<string, Tensor> = {};
  for (const [index, name] of names.entries()) {
    const tensor = tensorOf(name, index);
    if (tensor !== undefined) slots[name] = tensor;
  }
  return slots;
}
