/** Settings that are numbers, as a form changes them. */
import { CLIP_NORM, LEARNING_RATE } from "../tasks/training-fields";
import type { Field } from "../worker/protocol";

/** A setting, and what is in force. */
export interface Setting {
  readonly field: Field;
  readonly value: number;
}

/** Rate and clipping. */
export function rateSettings({
  learningRate,
  clipNorm,
}: {
  readonly learningRate: number;
  readonly clipNorm: number;
}): readonly Setting[] {
  return [
    { field: LEARNING_RATE, value: learningRate },
    { field: CLIP_NORM, value: clipNorm },
  ];
}
