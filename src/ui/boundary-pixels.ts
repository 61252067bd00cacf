/** The colours of a decision boundary. */

export type Rgb = readonly [red: number, green: number, blue: number];

/** Class 0 and class 1 of the two schemes, and the ground between them. Blue and orange: told apart by all eyes. */
export const BOUNDARY_COLOURS = {
  light: { ground: [250, 250, 248], zero: [11, 114, 133], one: [217, 119, 40] },
  dark: { ground: [24, 25, 28], zero: [76, 194, 212], one: [251, 138, 90] },
} as const satisfies Record<string, Record<"ground" | "zero" | "one", Rgb>>;

/** How strongly the grid is coloured, so that the points stand out from it. */
const STRENGTH = 0.55;

/** RGBA of a size × size grid of probabilities of class 1: full colour where the model is sure, ground where it is torn. */
export function boundaryPixels(
  grid: Float32Array,
  colours: { readonly ground: Rgb; readonly zero: Rgb; readonly one: Rgb },
): Uint8ClampedArray<ArrayBuffer> {
  const pixels = new Uint8ClampedArray(grid.length * 4);
  for (const [at, probability] of grid.entries()) {
    const sure = Math.min(1, Math.abs(probability - 0.5) * 2) * STRENGTH;
    const side = probability < 0.5 ? colours.zero : colours.one;
    for (let channel = 0; channel < 3; channel++) {
      const ground = colours.ground[channel] ?? 0;
      pixels[at * 4 + channel] = ground + ((side[channel] ?? 0) - ground) * sure;
    }
    pixels[at * 4 + 3] = 255;
  }
  return pixels;
}
