import { dispose, keep, scalar, type Scalar } from "@tensorflow/tfjs-core";

/**
 * Scalars that stay on the device. `mul(x, 0.9)` would make and upload a new one at each call.
 * One is kept for each value asked for, so ask only for what does not change from step to step.
 */
export class Constants {
  readonly #scalars = new Map<number, Scalar>();

  of(value: number): Scalar {
    const known = this.#scalars.get(value);
    if (known !== undefined) return known;
    const made = keep(scalar(value, "float32"));
    this.#scalars.set(value, made);
    return made;
  }

  dispose(): void {
    dispose([...this.#scalars.values()]);
    this.#scalars.clear();
  }
}
