/**
 * `base` to a whole power ≥ 0, by squaring: products of float64 only. `Math.pow` may differ in the last bit from one
 * browser engine to the next, and a run would then have other rates there.
 */
export function wholePower(base: number, exponent: number): number {
  let result = 1;
  let square = base;
  for (let left = exponent; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) result *= square;
    square *= square;
  }
  return result;
}
