/** What a model says of each held-out example, as plain data: the page tells two states apart by it, without knowing the task. */
export interface Answers {
  /** Names of the classes. */
  readonly classes: readonly string[];
  /** Each example, in as many words as tell it from others. */
  readonly examples: readonly string[];
  /** Place of the right class, and of the one that the model gives, example by example. */
  readonly right: Int32Array<ArrayBuffer>;
  readonly given: Int32Array<ArrayBuffer>;
}
