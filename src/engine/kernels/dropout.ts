/**
 * Dropout as one WebGPU kernel: makes its mask while it multiplies, so no mask is uploaded or stored.
 *
 * A thread makes one Philox4x32-10 block (see random.ts for the layout of key and counter) and applies its four
 * words to four neighbouring elements; the reference is `keepMask`. What differs from step to step comes in as
 * uniforms: tfjs caches pipelines by `shaderKey`, and a seed in the source would be the seed for ever.
 */
import type { WebGPUProgram } from "@tensorflow/tfjs-backend-webgpu";

const ELEMENTS_PER_THREAD = 4;
const WORKGROUP_SIZE = 64;

/** WGSL of Philox4x32-10. WGSL has no 64-bit product, so the high half is made from 16-bit halves. */
export const PHILOX_WGSL = `
  fn highProduct(a : u32, b : u32) -> u32 {
    let aLow = a & 0xffffu;
    let aHigh = a >> 16u;
    let bLow = b & 0xffffu;
    let bHigh = b >> 16u;
    let middle = aHigh * bLow + ((aLow * bLow) >> 16u);
    let carry = aLow * bHigh + (middle & 0xffffu);
    return aHigh * bHigh + (middle >> 16u) + (carry >> 16u);
  }

  fn philox4x32(start : vec4<u32>, seed : vec2<u32>) -> vec4<u32> {
    var c = start;
    var k = seed;
    for (var round = 0; round < 10; round++) {
      c = vec4<u32>(
        highProduct(0xcd9e8d57u, c.z) ^ c.y ^ k.x,
        0xcd9e8d57u * c.z,
        highProduct(0xd2511f53u, c.x) ^ c.w ^ k.y,
        0xd2511f53u * c.x);
      k += vec2<u32>(0x9e3779b9u, 0xbb67ae85u);
    }
    return c;
  }
`;

/** Multiplies a flat float32 tensor of `size` elements by its dropout mask. */
export class DropoutProgram implements WebGPUProgram {
  readonly variableNames = ["x"];
  readonly uniforms = "key : vec2<u32>, step : u32, stream : u32, threshold : u32, scale : f32,";
  readonly workgroupSize: [number, number, number] = [WORKGROUP_SIZE, 1, 1];
  readonly size = true;
  readonly dispatchLayout = { x: [0] };
  readonly outputShape: number[];
  dispatch: [number, number, number];
  shaderKey = "counterDropout";
  readonly #philox: string;

  /** `philox`: for tests that plant a fault in it. */
  constructor(size: number, philox = PHILOX_WGSL) {
    this.outputShape = [size];
    this.dispatch = [Math.ceil(size / (ELEMENTS_PER_THREAD * WORKGROUP_SIZE)), 1, 1];
    this.#philox = philox;
  }

  getUserCode(): string {
    return `
      ${this.#philox}
      fn main(block : i32) {
        let first = block * ${ELEMENTS_PER_THREAD};
        if (first >= uniforms.size) {
          return;
        }
        let words = philox4x32(vec4<u32>(u32(block), 0u, uniforms.step, uniforms.stream), uniforms.key);
        let mask = select(vec4<f32>(0.0), vec4<f32>(uniforms.scale), words >= vec4<u32>(uniforms.threshold));
        for (var i = 0; i < min(${ELEMENTS_PER_THREAD}, uniforms.size - first); i++) {
          result[first + i] = x[first + i] * mask[i];
        }
      }
    `;
  }
}
