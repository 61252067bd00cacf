/** A chart as a picture that stands alone: its canvas has neither a ground nor a word of what it shows. */
import { HoldfastError } from "../errors";

const TITLE_PX = 13;
const MARGIN_PX = 12;
const KEY_PX = 12;
const LINE_PX = 20;
/** Of a colour, beside its name. */
const SWATCH_PX = 16;
const SWATCH_HEIGHT_PX = 3;
const GAP_PX = 7;
const FONT = "system-ui, sans-serif";

export interface ChartImage {
  readonly canvas: HTMLCanvasElement;
  readonly title: string;
  /** What each colour stands for. */
  readonly key: readonly { readonly name: string; readonly colour: string }[];
  readonly ink: string;
  readonly ground: string;
}

/** PNG, at the resolution of the screen. */
export async function chartImage({ canvas, title, key, ink, ground }: ChartImage): Promise<Blob> {
  const scale = devicePixelRatio;
  const width = canvas.width / scale;
  const measuring = contextOf(new OffscreenCanvas(1, 1));
  measuring.font = `${KEY_PX}px ${FONT}`;
  const room = width - SWATCH_PX - GAP_PX;
  const names = key.map(({ name }) => fitted(name, room, (text) => measuring.measureText(text).width));
  const widths = names.map((name) => SWATCH_PX + GAP_PX + measuring.measureText(name).width);
  const places = keyPlaces(widths, width, 2 * GAP_PX);
  const top = TITLE_PX + 2 * MARGIN_PX + LINE_PX * (places.length === 0 ? 0 : 1 + (places.at(-1)?.line ?? 0));
  const height = canvas.height / scale + top + MARGIN_PX;

  const picture = new OffscreenCanvas((width + 2 * MARGIN_PX) * scale, height * scale);
  const context = contextOf(picture);
  context.scale(scale, scale);
  context.fillStyle = ground;
  context.fillRect(0, 0, width + 2 * MARGIN_PX, height);
  context.fillStyle = ink;
  context.font = `600 ${TITLE_PX}px ${FONT}`;
  context.fillText(
    fitted(title, width, (text) => context.measureText(text).width),
    MARGIN_PX,
    MARGIN_PX + TITLE_PX,
  );
  context.font = `${KEY_PX}px ${FONT}`;
  context.textBaseline = "middle";
  for (const [index, { x, line }] of places.entries()) {
    const left = MARGIN_PX + x;
    const middle = TITLE_PX + 2 * MARGIN_PX + LINE_PX * line + KEY_PX / 2;
    context.fillStyle = key[index]?.colour ?? ink;
    context.fillRect(left, middle - SWATCH_HEIGHT_PX / 2, SWATCH_PX, SWATCH_HEIGHT_PX);
    context.fillStyle = ink;
    context.fillText(names[index] ?? "", left + SWATCH_PX + GAP_PX, middle);
  }
  context.drawImage(canvas, MARGIN_PX, top, width, canvas.height / scale);
  return picture.convertToBlob({ type: "image/png" });
}

/** Where each entry of a key begins, from left to right and line by line. */
export function keyPlaces(
  widths: readonly number[],
  width: number,
  gap: number,
): readonly { readonly x: number; readonly line: number }[] {
  let x = 0;
  let line = 0;
  return widths.map((wide) => {
    if (x > 0 && x + wide > width) {
      x = 0;
      line += 1;
    }
    const place = { x, line };
    x += wide + gap;
    return place;
  });
}

/** As much of a text as there is room for, as `measure` has it. */
export function fitted(text: string, room: number, measure: (text: string) => number): string {
  if (measure(text) <= room) return text;
  const characters = Array.from(text);
  const cut = (length: number) => `${characters.slice(0, length).join("").trimEnd()}…`;
  const most = characters.findLastIndex((_, length) => measure(cut(length)) <= room);
  return cut(Math.max(most, 0));
}

function contextOf(canvas: OffscreenCanvas): OffscreenCanvasRenderingContext2D {
  const context = canvas.getContext("2d");
  if (context === null)
    throw new HoldfastError("internal", "A canvas gave no context, so nothing can be drawn.");
  return context;
}
