/**
 * Numbers as byte planes, plane k with byte k of every element; as differences from a reference; and planes in fewer
 * bytes. The loops are WebAssembly (`assembly/`): 128 bits at a time, four symbols at once.
 *
 * The high bytes of neighbouring floats (sign, exponent) are alike, and the low ones are noise; of the difference
 * from what a float was some steps ago, more bytes are alike. For a difference, bit patterns become integers in the
 * order of the numbers they stand for (so that small changes of a value are small differences, across zero and
 * exponents too), are subtracted modulo 2^32, and folded so that small negative ones are small as well (zig-zag).
 * Every step of that is one-to-one on all bit patterns: NaN payloads, -0 and denormals come back as they were.
 *
 * What is left in a plane has no repeats to speak of, only some bytes more often than others: range asymmetric numeral
 * systems (Duda, arXiv:1311.2540) come within a percent of its order-0 entropy, several times faster than a search for
 * matches would.
 */
import { HoldfastError, messageOf } from "../errors";
import type { Bytes } from "./bytes";
import { CHUNK_BYTES, elementBytes, type ElementKind } from "./chunks";
import { PLANES_WASM } from "./planes-wasm";

/** Numbers of the kinds, in stored chunks as well. */
export const KIND_IDS: Readonly<Record<ElementKind, number>> = { byte: 1, int32: 2, float32: 3 };

/** Addresses and lengths in bytes, counts in elements. */
interface Exports {
  readonly memory: WebAssembly.Memory;
  freeFrom(): number;
  split(words: number, count: number, planes: number, stride: number): void;
  join(planes: number, stride: number, count: number, words: number): void;
  subtract(kind: number, words: number, reference: number, count: number): void;
  add(kind: number, words: number, reference: number, count: number): void;
  subtractBytes(bytes: number, reference: number, count: number): void;
  addBytes(bytes: number, reference: number, count: number): void;
  survey(kind: number, words: number, reference: number, count: number, stride: number, into: number): void;
  surveyBytes(bytes: number, reference: number, count: number, stride: number, into: number): void;
  encode(bytes: number, count: number, to: number, most: number): number;
  decode(bytes: number, length: number, to: number, count: number): number;
}

/** How far behind damaged bytes the decoder may read. */
const OVERREAD = 2 * 65_536;

/** Memory for one chunk, and what can be done with it there. */
class Planes {
  readonly #wasm: Exports;
  readonly #valuesAt: number;
  readonly #referenceAt: number;
  readonly #planesAt: number;
  readonly #packedAt: number;
  /** The elements of a chunk, or their differences. */
  readonly values: Bytes;
  readonly reference: Bytes;
  readonly #planes: Bytes;
  readonly #packed: Bytes;
  readonly #stride = CHUNK_BYTES / 4;

  constructor() {
    this.#wasm = instance();
    const { memory } = this.#wasm;
    this.#valuesAt = this.#wasm.freeFrom();
    this.#referenceAt = this.#valuesAt + CHUNK_BYTES;
    this.#planesAt = this.#referenceAt + CHUNK_BYTES;
    this.#packedAt = this.#planesAt + CHUNK_BYTES;
    const view = (at: number) => new Uint8Array(memory.buffer, at, CHUNK_BYTES);
    this.values = view(this.#valuesAt);
    this.reference = view(this.#referenceAt);
    this.#planes = view(this.#planesAt);
    this.#packed = new Uint8Array(memory.buffer, this.#packedAt, CHUNK_BYTES + OVERREAD);
  }

  /** Plane `index` of a chunk of `count` elements. */
  plane(index: number, count: number): Bytes {
    return this.#planes.subarray(index * this.#stride, index * this.#stride + count);
  }

  /**
   * How often each byte occurs in each plane of every `stride`-th of `count` values, or of its difference from the
   * reference. Valid until the next call.
   */
  survey(kind: ElementKind, count: number, stride: number, apart: boolean): readonly Uint32Array[] {
    const reference = apart ? this.#referenceAt : 0;
    if (kind === "byte") this.#wasm.surveyBytes(this.#valuesAt, reference, count, stride, this.#packedAt);
    else this.#wasm.survey(KIND_IDS[kind], this.#valuesAt, reference, count, stride, this.#packedAt);
    return Array.from(
      { length: elementBytes(kind) },
      (_, plane) => new Uint32Array(this.#packed.buffer, this.#packedAt + plane * 1024, 256),
    );
  }

  /** `count` values become their differences from the reference. */
  subtract(kind: ElementKind, count: number): void {
    if (kind === "byte") this.#wasm.subtractBytes(this.#valuesAt, this.#referenceAt, count);
    else this.#wasm.subtract(KIND_IDS[kind], this.#valuesAt, this.#referenceAt, count);
  }

  /** Undoes `subtract`. */
  add(kind: ElementKind, count: number): void {
    if (kind === "byte") this.#wasm.addBytes(this.#valuesAt, this.#referenceAt, count);
    else this.#wasm.add(KIND_IDS[kind], this.#valuesAt, this.#referenceAt, count);
  }

  /** `count` values become planes, one for each of their bytes. */
  split(kind: ElementKind, count: number): readonly Bytes[] {
    if (elementBytes(kind) === 1) this.#planes.set(this.values.subarray(0, count));
    else this.#wasm.split(this.#valuesAt, count, this.#planesAt, this.#stride);
    return Array.from({ length: elementBytes(kind) }, (_, index) => this.plane(index, count));
  }

  /** Undoes `split`. */
  join(kind: ElementKind, count: number): void {
    if (elementBytes(kind) === 1) this.values.set(this.plane(0, count));
    else this.#wasm.join(this.#planesAt, this.#stride, count, this.#valuesAt);
  }

  /** A plane in fewer bytes than it has, valid until the next one; null where there are none. */
  pack(plane: Bytes): Bytes | null {
    const length = this.#wasm.encode(plane.byteOffset, plane.length, this.#packedAt, plane.length - 1);
    return length === 0 ? null : this.#packed.subarray(0, length);
  }

  /** Fills the plane from what `pack` made of it. False where it did not make that. */
  unpack(packed: Bytes, plane: Bytes): boolean {
    if (packed.length > CHUNK_BYTES) return false;
    this.#packed.set(packed);
    return this.#wasm.decode(this.#packedAt, packed.length, plane.byteOffset, plane.length) === 1;
  }
}

let planes: Planes | undefined;

/** One for all: every use of it begins and ends without anybody else getting a turn. `unsupported` without wasm SIMD. */
export function thePlanes(): Planes {
  return (planes ??= new Planes());
}

function instance(): Exports {
  try {
    const bytes = Uint8Array.from(atob(PLANES_WASM), (char) => char.charCodeAt(0));
    return new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports as unknown as Exports;
  } catch (error) {
    throw new HoldfastError(
      "unsupported",
      `The codec did not start: ${messageOf(error)}. Use a browser that has WebAssembly with SIMD.`,
      { cause: error },
    );
  }
}
