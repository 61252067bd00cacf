import type { Initializer, ParameterSpec } from "./task";
import { normals, uniforms } from "./random";

/**
 * First values of a parameter: a function of the seed and its name, so that adding a parameter or changing their
 * order leaves the others' values as they were.
 */
export function initialValues({ name, shape, init }: ParameterSpec, seed: number): Float32Array<ArrayBuffer> {
  const count = shape.reduce((product, size) => product * size, 1);
  return drawn(init, seed, `init/${name}`, count);
}

function drawn(init: Initializer, seed: number, stream: string, count: number): Float32Array<ArrayBuffer> {
  switch (init.kind) {
    case "zeros":
      return new Float32Array(count);
    case "ones":
      return new Float32Array(count).fill(1);
    case "normal":
      return normals(seed, stream, 0, count).map((value) => value * init.std);
    case "uniform":
      return uniforms(seed, stream, 0, count).map((value) => (2 * value - 1) * init.bound);
    default:
      init satisfies never;
      return init;
  }
}
