/** A drawing made ready for a model that learnt from centred digits. */

/** Share of the model's image that the drawing's longer side fills, as in the digits that are learnt from. */
const FILLS = 0.7;
/** Ink is at least this light, of 255. */
const INK = 64;
/** Samples along each side of a pixel: an edge without stairs. */
const FINER = 4;

/** `pixels` (width × height, grey) cut to its ink, scaled and centred on side × side; null where there is no ink. */
export function centred(
  pixels: Uint8Array,
  width: number,
  height: number,
  side: { readonly width: number; readonly height: number },
): Uint8Array<ArrayBuffer> | null {
  let [left, top, right, bottom] = [width, height, -1, -1];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if ((pixels[y * width + x] ?? 0) < INK) continue;
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y);
    }
  }
  if (right < 0) return null;
  const [inkWidth, inkHeight] = [right - left + 1, bottom - top + 1];
  const scale = Math.max(inkWidth / (FILLS * side.width), inkHeight / (FILLS * side.height));
  const [centreX, centreY] = [left + inkWidth / 2, top + inkHeight / 2];
  const out = new Uint8Array(side.width * side.height);
  for (let y = 0; y < side.height; y++) {
    for (let x = 0; x < side.width; x++) {
      let sum = 0;
      for (let i = 0; i < FINER ** 2; i++) {
        const u = x + ((i % FINER) + 0.5) / FINER - side.width / 2;
        const v = y + (Math.floor(i / FINER) + 0.5) / FINER - side.height / 2;
        const [fromX, fromY] = [Math.floor(centreX + u * scale), Math.floor(centreY + v * scale)];
        const isInside = fromX >= 0 && fromX < width && fromY >= 0 && fromY < height;
        sum += isInside ? (pixels[fromY * width + fromX] ?? 0) : 0;
      }
      out[y * side.width + x] = Math.round(sum / FINER ** 2);
    }
  }
  return out;
}
