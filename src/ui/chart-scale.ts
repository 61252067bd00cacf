/** What uPlot leaves to us of the y-axis: its range on a log scale, and the words beside its ticks. */
import { rate } from "./format";

/**
 * From the round number below to the one above. uPlot's own choice, whole decades, leaves most of the chart empty.
 * Null where there is nothing to show.
 */
export function logRange(low: number | null, high: number | null): [low: number, high: number] {
  if (low === null || high === null || low <= 0) return [0.1, 1];
  const below = 10 ** Math.floor(Math.log10(low));
  const above = 10 ** Math.floor(Math.log10(high));
  const bottom = Math.floor(low / below) * below;
  const top = Math.ceil(high / above) * above;
  return [bottom, top > bottom ? top : bottom + below];
}

/** Keeps 0.1, whose logarithm is not exactly −1, from getting a second decimal. */
const ROUNDING = 1e-9;

/** As many decimals as the stride between ticks needs; on a log scale, as the value itself needs. */
export function tickWords(value: number, stride: number, log: boolean): string {
  if (log || Math.abs(value) >= 1000) return rate(value);
  return value.toFixed(decimalsOf(stride));
}

/** Two for 0.25, one for 0.5. */
function decimalsOf(stride: number): number {
  const first = Math.max(0, Math.ceil(-Math.log10(stride) - ROUNDING));
  const scaled = stride * 10 ** first;
  return Math.abs(scaled - Math.round(scaled)) < ROUNDING * scaled ? first : first + 1;
}
