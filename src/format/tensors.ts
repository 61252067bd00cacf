/** A state as plain data: named typed arrays and scalars. Everything that the next step reads is in it. */

/** What the elements are. */
export type DType = "float32" | "int32" | "uint8" | "bool";

/** The elements, in C order. */
export type TensorValues = Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>;

/** One tensor of a state. `values` has as many elements as the product of `shape`; `bool` is 0 or 1 in a Uint8Array. */
export interface NamedTensor {
  /** `param/<name>` for a parameter, `slot/<slot>/<name>` for an optimizer's slot of that parameter. */
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly values: TensorValues;
}

/** What a state holds beside its tensors. */
export interface Scalars {
  /** Optimizer updates done so far. */
  readonly step: number;
  /** Samples drawn so far; the data position. */
  readonly samples: number;
  /** Counters of the optimizer by name, such as Adam's `t`. */
  readonly counters: Readonly<Record<string, number>>;
}

/** Everything that the next step reads. Two that are equal have the same digest. */
export interface State {
  readonly tensors: readonly NamedTensor[];
  readonly scalars: Scalars;
}

/** Bytes of one element. */
export const ELEMENT_BYTES: Readonly<Record<DType, number>> = { float32: 4, int32: 4, uint8: 1, bool: 1 };
