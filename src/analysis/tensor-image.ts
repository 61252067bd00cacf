/** A matrix or a bank of filters as a small picture: one cell to a value, or to the mean of a block of them. */
import type { NamedTensor } from "../format/tensors";

export interface TensorImage {
  readonly rows: number;
  readonly columns: number;
  /** Cells of one filter, rows and columns; null for a matrix. Filters stand input by output. */
  readonly tile: readonly [rows: number, columns: number] | null;
  /** Rows and columns of the tensor that one cell is the mean of; 1 where each value has its own. */
  readonly block: number;
  /** Whether filters were left out, for there are more than can be seen. */
  readonly isCut: boolean;
  /** The largest size of a finite cell on any side: colours go from −scale to scale. */
  readonly scale: number;
  /** rows × columns, side by side; null where a side has none of that tensor. */
  readonly sides: readonly (Float32Array<ArrayBuffer> | null)[];
}

/** Rows, and columns: a screen shows no more of them beside each other. */
const MOST_CELLS = 64;

/** Null where the tensor is neither a matrix nor a bank of filters [height, width, inputs, outputs]. All have one shape. */
export function imageOf(
  { shape }: Pick<NamedTensor, "shape">,
  sides: readonly (NamedTensor | null)[],
): TensorImage | null {
  const layout = shape.length === 2 ? matrixLayout(shape) : shape.length === 4 ? filterLayout(shape) : null;
  if (layout === null) return null;
  const painted = sides.map((tensor) => tensor && cellsOf(layout, tensor.values));
  let scale = 0;
  for (const cells of painted)
    for (const value of cells ?? []) if (Number.isFinite(value)) scale = Math.max(scale, Math.abs(value));
  const { rows, columns, tile, block, isCut } = layout;
  return { rows, columns, tile, block, isCut, scale, sides: painted };
}

interface Layout extends Pick<TensorImage, "rows" | "columns" | "tile" | "block" | "isCut"> {
  readonly cell: (values: ArrayLike<number>, row: number, column: number) => number;
}

function matrixLayout([height = 0, width = 0]: readonly number[]): Layout | null {
  // A row or a column alone is a list.
  if (height < 2 || width < 2) return null;
  const block = Math.ceil(Math.max(height, width) / MOST_CELLS);
  return {
    rows: Math.ceil(height / block),
    columns: Math.ceil(width / block),
    tile: null,
    block,
    isCut: false,
    cell: (values, row, column) => {
      let sum = 0;
      let count = 0;
      for (let y = row * block; y < Math.min(height, (row + 1) * block); y += 1) {
        for (let x = column * block; x < Math.min(width, (column + 1) * block); x += 1) {
          sum += values[y * width + x] ?? 0;
          count += 1;
        }
      }
      return sum / count;
    },
  };
}

/** The mean of filters says nothing, so the first of them are shown. */
function filterLayout([height = 0, width = 0, inputs = 0, outputs = 0]: readonly number[]): Layout | null {
  if (height * width < 2 || height > MOST_CELLS || width > MOST_CELLS) return null;
  const down = Math.min(inputs, Math.floor(MOST_CELLS / height));
  const across = Math.min(outputs, Math.floor(MOST_CELLS / width));
  return {
    rows: down * height,
    columns: across * width,
    tile: [height, width],
    block: 1,
    isCut: down < inputs || across < outputs,
    cell: (values, row, column) => {
      const [y, input] = [row % height, Math.floor(row / height)];
      const [x, output] = [column % width, Math.floor(column / width)];
      return values[((y * width + x) * inputs + input) * outputs + output] ?? 0;
    },
  };
}

function cellsOf({ rows, columns, cell }: Layout, values: ArrayLike<number>): Float32Array<ArrayBuffer> {
  const cells = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row += 1)
    for (let column = 0; column < columns; column += 1)
      cells[row * columns + column] = cell(values, row, column);
  return cells;
}
