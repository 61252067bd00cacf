/** The picture of a tensor as pixels: one to a cell, full colour at the largest size there is, ground at 0. */
import type { TensorImage } from "../analysis/tensor-image";

type Rgb = readonly [red: number, green: number, blue: number];

interface HeatColours {
  readonly ground: Rgb;
  readonly negative: Rgb;
  readonly positive: Rgb;
  /** Of a value that is no number. */
  readonly broken: Rgb;
}

/** Blue and orange: told apart by all eyes. */
export const HEAT_COLOURS: Readonly<Record<"light" | "dark", HeatColours>> = {
  light: { ground: [250, 250, 248], negative: [11, 114, 133], positive: [200, 80, 20], broken: [28, 29, 32] },
  dark: { ground: [24, 25, 28], negative: [76, 194, 212], positive: [251, 138, 90], broken: [236, 236, 234] },
};

export interface HeatPixels {
  readonly width: number;
  readonly height: number;
  /** RGBA, row by row; between filters there is nothing. */
  readonly pixels: Uint8ClampedArray<ArrayBuffer>;
}

/** `cells`: those of one side. A pixel is left free between filters, so that each can be told from the next. */
export function heatPixels(
  { rows, columns, tile, scale }: Omit<TensorImage, "sides">,
  cells: Float32Array,
  colours: HeatColours,
): HeatPixels {
  const [tileRows, tileColumns] = tile ?? [rows, columns];
  const width = columns + Math.ceil(columns / tileColumns) - 1;
  const height = rows + Math.ceil(rows / tileRows) - 1;
  const pixels = new Uint8ClampedArray(4 * width * height);
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      const at = (row + Math.floor(row / tileRows)) * width + column + Math.floor(column / tileColumns);
      pixels.set(colourOf(cells[row * columns + column] ?? Number.NaN, scale, colours), 4 * at);
    }
  }
  return { width, height, pixels };
}

function colourOf(value: number, scale: number, colours: HeatColours): readonly number[] {
  if (!Number.isFinite(value)) return [...colours.broken, 255];
  const share = scale === 0 ? 0 : Math.min(1, Math.abs(value) / scale);
  const towards = value < 0 ? colours.negative : colours.positive;
  return [...colours.ground.map((from, channel) => from + ((towards[channel] ?? 0) - from) * share), 255];
}
