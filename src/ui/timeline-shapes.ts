/** The marks of the timeline as paths: one path draws all marks of a shape, whatever their number. */

export type Shape = "bar" | "dot" | "pin" | "ring" | "more";

/** One mark of that shape about a place, CSS pixels. Straight edges fall between pixels, or they blur. */
const SHAPES: Readonly<Record<Shape, (x: number, y: number) => string>> = {
  bar: (x, y) => `M${Math.round(x - 1.5)} ${y - 7.5}h3v15h-3z`,
  dot: (x, y) => circle(x, y, 4.5),
  pin: (x, y) => `M${tenth(x)} ${y - 6.4}l6.4 6.4l-6.4 6.4l-6.4-6.4z`,
  ring: (x, y) => circle(x, y, 3.2),
  more: (x, y) => `M${Math.round(x - 3.5)} ${y - 1}h7v2h-7z`,
};

function circle(x: number, y: number, radius: number): string {
  return `M${tenth(x - radius)} ${y}a${radius} ${radius} 0 1 0 ${2 * radius} 0a${radius} ${radius} 0 1 0 ${-2 * radius} 0z`;
}

/** Finer, nobody sees it. */
function tenth(value: number): number {
  return Math.round(value * 10) / 10;
}

/** A path of marks of one shape, all as high as each other. */
export function marksPath(shape: Shape, places: readonly { readonly at: number }[], y: number): string {
  return places.map(({ at }) => SHAPES[shape](at, y)).join("");
}
