import { add, div, mul, scalar, sqrt, sub } from "@tensorflow/tfjs-core";
import type { OptimizerConfig } from "../../format/run";
import { wholePower } from "../power";
import { Constants } from "./constants";
import { runningMean, runningMeanSquare } from "./moments";
import { slotOf, type Optimizer } from "./optimizer";
import { withPenalty } from "./penalty";

/**
 * Adam, as `torch.optim.Adam` (Kingma and Ba, ICLR 2015): with g the gradient plus `weightDecay` · p, and t the
 * number of updates, this one included,
 *
 *     m ← β₁ · m + (1 − β₁) · g
 *     v ← β₂ · v + (1 − β₂) · g²
 *     p ← p − rate / (1 − β₁ᵗ) · m / (√v / √(1 − β₂ᵗ) + ε)
 *
 * 12 dispatches, 2 more with weight decay; `tf.train.adam` has 14.
 */
export function adam(config: OptimizerConfig): Optimizer {
  return adamOf(config, false);
}

/**
 * AdamW, as `torch.optim.AdamW` (Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019): Adam on
 * the bare gradient, after
 *
 *     p ← p · (1 − rate · weightDecay)
 *
 * 12 dispatches, 1 more with weight decay.
 */
export function adamw(config: OptimizerConfig): Optimizer {
  return adamOf(config, true);
}

function adamOf({ beta1, beta2, epsilon, weightDecay }: OptimizerConfig, decoupled: boolean): Optimizer {
  const constants = new Constants();
  return {
    slots: ["firstMoment", "secondMoment"],
    counters: ["t"],
    decays: weightDecay > 0,
    advance: ({ t = 0 }) => ({ t: t + 1 }),
    rule(learningRate, { t = 0 }) {
      // Both sides of the fraction times √(1 − β₂ᵗ): one dispatch less than dividing v by it.
      const root = Math.sqrt(1 - wholePower(beta2, t));
      const rate = scalar((learningRate * root) / (1 - wholePower(beta1, t)), "float32");
      const scaledEpsilon = scalar(epsilon * root, "float32");
      const shrink = decoupled && weightDecay > 0 ? scalar(1 - learningRate * weightDecay, "float32") : null;
      return (value, gradient, slots, decay) => {
        const g = withPenalty(gradient, value, decay && !decoupled ? weightDecay : 0, constants);
        const firstMoment = runningMean(slotOf(slots, "firstMoment"), g, beta1, constants);
        const secondMoment = runningMeanSquare(slotOf(slots, "secondMoment"), g, beta2, constants);
        const step = mul(div(firstMoment, add(sqrt(secondMoment), scaledEpsilon)), rate);
        const kept = decay && shrink !== null ? mul(value, shrink) : value;
        return { value: sub(kept, step), slots: { firstMoment, secondMoment } };
      };
    },
    dispose: () => constants.dispose(),
  };
}
