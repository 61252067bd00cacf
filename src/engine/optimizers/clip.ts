import { add, addN, div, minimum, sqrt, square, sum, type Scalar, type Tensor } from "@tensorflow/tfjs-core";
import type { Constants } from "./constants";

/** Keeps the quotient finite where all gradients are zero; PyTorch's value. */
const NORM_EPSILON = 1e-6;

/**
 * What to multiply each gradient by so that their global norm is at most `maxNorm`, as
 * `torch.nn.utils.clip_grad_norm_`: min(1, maxNorm / (norm + 1e-6)). It stays on the device: no read-back.
 *
 * 2 dispatches per tensor (3 for matrices) and 5 more.
 */
export function clipCoefficient(gradients: readonly Tensor[], maxNorm: number, constants: Constants): Scalar {
  const norm = sqrt(addN(gradients.map(squaredNorm)));
  return minimum(constants.of(1), div(constants.of(maxNorm), add(norm, constants.of(NORM_EPSILON))));
}

/** In two stages where the shape allows: a reduction to one number runs in one workgroup, which is slow and rounds more. */
function squaredNorm(gradient: Tensor): Scalar {
  const squares = square(gradient);
  return gradient.rank < 2 ? sum(squares) : sum(sum(squares, -1));
}
