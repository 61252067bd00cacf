import { add, mul, scalar, sub } from "@tensorflow/tfjs-core";
import type { OptimizerConfig } from "../../format/run";
import { Constants } from "./constants";
import { slotOf, type Optimizer } from "./optimizer";
import { withPenalty } from "./penalty";

/**
 * Stochastic gradient descent, as `torch.optim.SGD`: with g the gradient plus `weightDecay` · p,
 *
 *     p ← p − rate · g
 *
 * 2 dispatches, 2 more with weight decay.
 */
export function sgd({ weightDecay }: OptimizerConfig): Optimizer {
  const constants = new Constants();
  return {
    slots: [],
    counters: [],
    decays: weightDecay > 0,
    advance: (counters) => counters,
    rule(learningRate) {
      const rate = scalar(learningRate, "float32");
      return (value, gradient, _slots, decay) => {
        const g = withPenalty(gradient, value, decay ? weightDecay : 0, constants);
        return { value: sub(value, mul(g, rate)), slots: {} };
      };
    },
    dispose: () => constants.dispose(),
  };
}

/**
 * Nesterov momentum, as `torch.optim.SGD(momentum=μ, nesterov=True)`, dampening 0 (Sutskever et al., ICML 2013, in
 * the form that PyTorch gives it): with g the gradient plus `weightDecay` · p,
 *
 *     b ← μ · b + g
 *     p ← p − rate · (g + μ · b)
 *
 * The rate is outside of b, so a change of rate counts at once. PyTorch starts b at the first g, which is what
 * zeros give too. 6 dispatches, 2 more with weight decay.
 */
export function momentum({ momentum: mu, weightDecay }: OptimizerConfig): Optimizer {
  const constants = new Constants();
  return {
    slots: ["momentum"],
    counters: [],
    decays: weightDecay > 0,
    advance: (counters) => counters,
    rule(learningRate) {
      const rate = scalar(learningRate, "float32");
      return (value, gradient, slots, decay) => {
        const g = withPenalty(gradient, value, decay ? weightDecay : 0, constants);
        const buffer = add(mul(slotOf(slots, "momentum"), constants.of(mu)), g);
        const ahead = add(g, mul(buffer, constants.of(mu)));
        return { value: sub(value, mul(ahead, rate)), slots: { momentum: buffer } };
      };
    },
    dispose: () => constants.dispose(),
  };
}
