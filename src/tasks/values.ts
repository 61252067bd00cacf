import * as tf from "@tensorflow/tfjs-core";
import type { Tensor } from "@tensorflow/tfjs-core";

/** The values of what `compute` returns; every tensor made on the way is freed. Never holds this thread for the device. */
export async function valuesOf(compute: () => Tensor): Promise<Float32Array<ArrayBuffer>> {
  const tensor = tf.tidy(compute);
  try {
    return Float32Array.from(await tensor.data());
  } finally {
    tensor.dispose();
  }
}
