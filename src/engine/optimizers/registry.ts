import { HoldfastError } from "../../errors";
import type { OptimizerConfig } from "../../format/run";
import { adam, adamw } from "./adam";
import { checkOptimizer } from "./check";
import type { Optimizer } from "./optimizer";
import { rmsprop } from "./rmsprop";
import { momentum, sgd } from "./sgd";

/** The optimizer of a config. Throws `invalid`, naming the field, for one that is out of range. */
export function optimizerOf(config: OptimizerConfig): Optimizer {
  checkOptimizer(config);
  switch (config.kind) {
    case "sgd":
      return sgd(config);
    case "momentum":
      return momentum(config);
    case "rmsprop":
      return rmsprop(config);
    case "adam":
      return adam(config);
    case "adamw":
      return adamw(config);
    default:
      config.kind satisfies never;
      throw new HoldfastError("invalid", `There is no optimizer "${String(config.kind)}".`);
  }
}
