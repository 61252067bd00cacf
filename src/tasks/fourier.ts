/** How much of a periodic table is in each frequency. */

/**
 * Of a table with one row for each of `rows` numbers on a circle, `columns` values in each, row by row: the share of
 * frequency 1 … ⌊rows / 2⌋ in its power, all columns together, without the mean. Plain sums, O(rows² · columns): a few
 * million for the largest.
 */
export function spectrum(table: Float32Array, rows: number, columns: number): Float32Array<ArrayBuffer> {
  const frequencies = Math.floor(rows / 2);
  const power = new Float64Array(frequencies);
  const angle = (2 * Math.PI) / rows;
  const cosines = Float64Array.from({ length: rows }, (_, i) => Math.cos(angle * i));
  const sines = Float64Array.from({ length: rows }, (_, i) => Math.sin(angle * i));
  for (let k = 1; k <= frequencies; k++) {
    for (let column = 0; column < columns; column++) {
      let real = 0;
      let imaginary = 0;
      for (let row = 0; row < rows; row++) {
        const value = table[row * columns + column] ?? 0;
        real += value * (cosines[(k * row) % rows] ?? 0);
        imaginary += value * (sines[(k * row) % rows] ?? 0);
      }
      // Every frequency but the highest of an even circle stands for itself and its mirror image.
      const times = 2 * k === rows ? 1 : 2;
      power[k - 1] = (power[k - 1] ?? 0) + times * (real * real + imaginary * imaginary);
    }
  }
  const whole = power.reduce((sum, one) => sum + one, 0);
  return Float32Array.from(power, (one) => (whole === 0 ? 0 : one / whole));
}
