import { add, mul, square, type Tensor } from "@tensorflow/tfjs-core";
import type { Constants } from "./constants";

/** β · mean + (1 − β) · sample, a running mean. 3 dispatches. */
export function runningMean(mean: Tensor, sample: Tensor, beta: number, constants: Constants): Tensor {
  return add(mul(mean, constants.of(beta)), mul(sample, constants.of(1 - beta)));
}

/** β · mean + (1 − β) · sample². 4 dispatches. */
export function runningMeanSquare(mean: Tensor, sample: Tensor, beta: number, constants: Constants): Tensor {
  return runningMean(mean, square(sample), beta, constants);
}
