import { add, mul, type Tensor } from "@tensorflow/tfjs-core";
import type { Constants } from "./constants";

/** L2 decay as in PyTorch: the gradient of `weight` / 2 · ‖value‖², added to `gradient`. 2 dispatches, none at 0. */
export function withPenalty(gradient: Tensor, value: Tensor, weight: number, constants: Constants): Tensor {
  return weight === 0 ? gradient : add(gradient, mul(value, constants.of(weight)));
}
