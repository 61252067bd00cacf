/**
 * Numbers of other dtypes as float32: F32 as it is, F16 and BF16 exactly, F64 rounded to the nearest (ties to even).
 * The rest is no number that weights are kept in.
 */
import type { Bytes } from "./bytes";

const HALF_FRACTION_BITS = 10;
const HALF_BIAS = 15;
const HALF_SPECIAL = 31;

const READERS: ReadonlyMap<string, (bytes: Bytes) => Float32Array<ArrayBuffer>> = new Map([
  ["F32", (bytes: Bytes) => new Float32Array(aligned(bytes))],
  ["F64", (bytes: Bytes) => Float32Array.from(new Float64Array(aligned(bytes)))],
  ["F16", (bytes: Bytes) => Float32Array.from(new Uint16Array(aligned(bytes)), fromHalf)],
  [
    "BF16",
    (bytes: Bytes) =>
      new Float32Array(Uint32Array.from(new Uint16Array(aligned(bytes)), (bits) => bits << 16).buffer),
  ],
]);

/** Dtypes that can be read as float32. */
export const FLOAT_DTYPES: readonly string[] = [...READERS.keys()];

/** The values of a tensor of that dtype; undefined where it is none of `FLOAT_DTYPES`. Copies. */
export function float32Of(dtype: string, bytes: Bytes): Float32Array<ArrayBuffer> | undefined {
  return READERS.get(dtype)?.(bytes);
}

/** In a buffer of their own: in a file they may begin at any byte. */
function aligned(bytes: Bytes): ArrayBuffer {
  return bytes.slice().buffer;
}

function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> HALF_FRACTION_BITS) & HALF_SPECIAL;
  const fraction = bits & (2 ** HALF_FRACTION_BITS - 1);
  if (exponent === HALF_SPECIAL) return fraction === 0 ? sign * Infinity : Number.NaN;
  const leading = exponent === 0 ? 0 : 2 ** HALF_FRACTION_BITS;
  return sign * (leading + fraction) * 2 ** (Math.max(exponent, 1) - HALF_BIAS - HALF_FRACTION_BITS);
}
