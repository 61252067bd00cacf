/** Between a tensor and its bytes: how many there are, and what they are again. */
import { HoldfastError } from "../errors";
import type { Bytes } from "./bytes";
import { fail } from "./parse";
import { ELEMENT_BYTES, type DType, type NamedTensor, type TensorValues } from "./tensors";

/** Bytes of a tensor, the product checked at each factor; undefined where a size or the product is no safe integer. */
export function byteLength(dtype: DType, shape: readonly number[]): number | undefined {
  let bytes = ELEMENT_BYTES[dtype];
  for (const size of shape) {
    if (!Number.isSafeInteger(size) || size < 0) return undefined;
    bytes *= size;
    if (!Number.isSafeInteger(bytes)) return undefined;
  }
  return bytes;
}

/** A copy of `view` as values of the dtype. `corrupt` for a `bool` that is neither 0 nor 1, and for half an element. */
export function valuesOf(dtype: DType, view: Bytes, path: string): TensorValues {
  return valuesIn(dtype, view.slice(), path);
}

/** The same without a copy: `bytes` is a whole buffer, and is the values' own from now on. */
export function valuesIn(dtype: DType, bytes: Bytes, path: string): TensorValues {
  if (bytes.length % ELEMENT_BYTES[dtype] !== 0) return fail(path, "ends within an element");
  switch (dtype) {
    case "float32":
      return new Float32Array(bytes.buffer);
    case "int32":
      return new Int32Array(bytes.buffer);
    case "uint8":
      return bytes;
    case "bool":
      if (bytes.some((value) => value > 1)) return fail(path, "holds a truth value that is neither 0 nor 1");
      return bytes;
    default:
      return dtype satisfies never;
  }
}

/** `invalid` where the values do not fit dtype and shape: such a tensor has no meaning to hash or to store. */
export function checkTensor(tensor: NamedTensor): void {
  const kind = tensor.dtype === "float32" ? Float32Array : tensor.dtype === "int32" ? Int32Array : Uint8Array;
  if (!(tensor.values instanceof kind)) {
    throw new HoldfastError(
      "invalid",
      `The tensor "${tensor.name}" says ${tensor.dtype} but holds another kind of array.`,
    );
  }
  if (tensor.dtype === "bool" && tensor.values.some((value) => value > 1)) {
    throw new HoldfastError(
      "invalid",
      `The tensor "${tensor.name}" holds a truth value that is neither 0 nor 1.`,
    );
  }
  if (tensor.values.byteLength !== byteLength(tensor.dtype, tensor.shape)) {
    throw new HoldfastError(
      "invalid",
      `The tensor "${tensor.name}" has ${tensor.values.length} values; its shape [${tensor.shape.join(", ")}] asks for another number.`,
    );
  }
}

/** Tensors with these values, which they take over. */
export function tensorsIn(
  shapes: readonly Omit<NamedTensor, "values">[],
  bytes: readonly Bytes[],
): readonly NamedTensor[] {
  return shapes.map(({ name, dtype, shape }, index) => ({
    name,
    dtype,
    shape,
    values: valuesIn(dtype, bytes[index] ?? new Uint8Array(0), `The tensor "${name}"`),
  }));
}
