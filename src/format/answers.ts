/**
 * What a model says of each held-out example, and what is right, as plain data: the page tells two states apart by it,
 * without knowing the task.
 */
export type Answers = {
  /** Each example, in as many words as tell it from others. */
  readonly examples: readonly string[];
} & (
  | {
      readonly kind: "classes";
      /** Their names. */
      readonly classes: readonly string[];
      /** Place of the right class, and of the one that the model gives, example by example. */
      readonly right: Int32Array<ArrayBuffer>;
      readonly given: Int32Array<ArrayBuffer>;
    }
  | {
      readonly kind: "amounts";
      /** What is predicted; the two are in its unit. */
      readonly of: string;
      readonly right: Float64Array<ArrayBuffer>;
      readonly given: Float64Array<ArrayBuffer>;
    }
);
