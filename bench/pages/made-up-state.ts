/** A large state that nobody trained, for benches of the store. */
import type { NamedTensor } from "../../src/format/tensors";

/** The parameters, and Adam's two moments of each. */
export const KINDS = ["param/", "slot/m/", "slot/v/"];
const LAYERS = 12;

/** Numbers as training leaves them: all bits of the mantissa in use, exponents near each other. */
export function madeUpTensors(parameters: number): NamedTensor[] {
  const size = Math.ceil(parameters / LAYERS);
  return KINDS.flatMap((kind) =>
    Array.from({ length: LAYERS }, (_, layer): NamedTensor => {
      const values = new Float32Array(size);
      let bits = 0x9e3779b9 ^ layer;
      for (let at = 0; at < size; at++) {
        bits ^= bits << 13;
        bits ^= bits >>> 17;
        bits ^= bits << 5;
        values[at] = bits / 2 ** 36;
      }
      return { name: `${kind}${String(layer).padStart(2, "0")}`, dtype: "float32", shape: [size], values };
    }),
  );
}

/** A step's worth of change. */
export function stepOn(tensors: readonly NamedTensor[]): void {
  for (const { values } of tensors)
    for (let at = 0; at < values.length; at++) values[at] = (values[at] ?? 0) * (1 + 1e-4 * Math.sin(at));
}
