/**
 * The learning rate of each step, as a function of the settings alone.
 *
 * Only sums, products and quotients of float64 are used here, so that a rate is the same bits in every browser
 * engine; replay takes the journaled bits all the same.
 */
import { HoldfastError } from "../errors";
import type { OptimizerConfig, ScheduleConfig } from "../format/run";
import { wholePower } from "./power";

/** The rate, a float32 value, of the update that makes S_(step + 1). */
export function rateAt(optimizer: OptimizerConfig, step: number): number {
  return Math.fround(
    optimizer.learningRate * warmupAt(optimizer.schedule, step) * shapeAt(optimizer.schedule, step),
  );
}

/** Linear as in nanoGPT: the first update has 1 / (warmup + 1) of the rate, the one at step `warmup` all of it. */
function warmupAt({ warmup }: ScheduleConfig, step: number): number {
  return step < warmup ? (step + 1) / (warmup + 1) : 1;
}

function shapeAt(schedule: ScheduleConfig, step: number): number {
  switch (schedule.kind) {
    case "constant":
      return 1;
    case "cosine": // Loshchilov and Hutter, "SGDR", ICLR 2017, without restarts.
      return schedule.floor + ((1 - schedule.floor) * (1 + cosineOfPi(progressAt(schedule, step)))) / 2;
    case "linear":
      return 1 - (1 - schedule.floor) * progressAt(schedule, step);
    case "step": // As PyTorch's StepLR.
      return wholePower(schedule.factor, Math.floor(step / schedule.every));
    default:
      schedule.kind satisfies never;
      throw new HoldfastError("invalid", `There is no schedule "${String(schedule.kind)}".`);
  }
}

/** 0 at the end of the warm-up, 1 from the horizon on. */
function progressAt({ warmup, horizon }: ScheduleConfig, step: number): number {
  if (step >= horizon) return 1;
  return step <= warmup ? 0 : (step - warmup) / (horizon - warmup);
}

/** Terms of the cosine's series that float64 can see on [0, π/2]. */
const COSINE_TERMS = 11;

/**
 * cos(πx) for 0 ≤ x ≤ 1, to 1e-15, by its series. `Math.cos` is not the same in every browser engine.
 */
function cosineOfPi(x: number): number {
  if (x > 0.5) return -cosineOfPi(1 - x);
  const squared = (Math.PI * x) ** 2;
  let sum = 1;
  for (let term = COSINE_TERMS; term > 0; term--) sum = 1 - (sum * squared) / (2 * term * (2 * term - 1));
  return sum;
}
