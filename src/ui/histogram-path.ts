/** A histogram as the outline of its bins. */

/**
 * Steps from the left to the right, closed along the bottom. Heights go by the square root of the count: where most values
 * fall into one bin, those beside it are still seen. `most`: the count that is as high as the box.
 */
export function histogramPath(
  counts: ArrayLike<number>,
  most: number,
  width: number,
  height: number,
): string {
  const bin = width / counts.length;
  const steps = Array.from({ length: counts.length }, (_, at) => {
    const y = most === 0 ? height : height * (1 - Math.sqrt((counts[at] ?? 0) / most));
    return `V${y.toFixed(1)}H${((at + 1) * bin).toFixed(1)}`;
  });
  return `M0 ${height}${steps.join("")}V${height}Z`;
}
