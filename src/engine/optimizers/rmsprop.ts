import { add, div, mul, scalar, sqrt, sub } from "@tensorflow/tfjs-core";
import type { OptimizerConfig } from "../../format/run";
import { Constants } from "./constants";
import { runningMeanSquare } from "./moments";
import { slotOf, type Optimizer } from "./optimizer";
import { withPenalty } from "./penalty";

/**
 * RMSProp, as `torch.optim.RMSprop(alpha=decay)`, neither centred nor with momentum (Tieleman and Hinton, 2012):
 * with g the gradient plus `weightDecay` · p,
 *
 *     s ← decay · s + (1 − decay) · g²
 *     p ← p − rate · g / (√s + ε)
 *
 * ε is outside of the root; TensorFlow's is inside. 9 dispatches, 2 more with weight decay.
 */
export function rmsprop({ decay: alpha, epsilon, weightDecay }: OptimizerConfig): Optimizer {
  const constants = new Constants();
  return {
    slots: ["meanSquare"],
    counters: [],
    decays: weightDecay > 0,
    advance: (counters) => counters,
    rule(learningRate) {
      const rate = scalar(learningRate, "float32");
      return (value, gradient, slots, decay) => {
        const g = withPenalty(gradient, value, decay ? weightDecay : 0, constants);
        const meanSquare = runningMeanSquare(slotOf(slots, "meanSquare"), g, alpha, constants);
        const scaled = div(g, add(sqrt(meanSquare), constants.of(epsilon)));
        return { value: sub(value, mul(scaled, rate)), slots: { meanSquare } };
      };
    },
    dispose: () => constants.dispose(),
  };
}
