/** A run's losses in at most 60 numbers, kept up to date without looking back. */

const MAX_POINTS = 60;

export interface Sparkline {
  /** Steps from one point to the next; a power of two. */
  readonly every: number;
  readonly values: readonly number[];
}

export const EMPTY_SPARKLINE: Sparkline = { every: 1, values: [] };

/**
 * Takes in the losses of the steps after `done`, counted from the first step of the run. Points stand at each
 * `every`-th step; when there are too many, every second one goes and the spacing doubles.
 */
export function extendSparkline(line: Sparkline, done: number, losses: Float32Array): Sparkline {
  let { every } = line;
  let values = [...line.values];
  for (const [index, loss] of losses.entries()) {
    if ((done + index) % every !== 0) continue;
    values.push(loss);
    if (values.length <= MAX_POINTS) continue;
    values = values.filter((_, at) => at % 2 === 0);
    every *= 2;
  }
  return { every, values };
}
