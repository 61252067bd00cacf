/** A drawing as a small picture: centred and scaled, as a model that learns from drawings is shown them when it is asked. */
import { HoldfastError } from "../errors";
import { centred } from "../tasks/centred";
import { IMAGE_SIDE } from "../tasks/infos/digits";

const SIDE = { width: IMAGE_SIDE, height: IMAGE_SIDE };

/** `pixels` (width × height, grey) as a PNG, a `data:` address; null where nothing is drawn. */
export function drawingImage(pixels: Uint8Array, width: number, height: number): string | null {
  const grey = centred(pixels, width, height, SIDE);
  if (grey === null) return null;
  const canvas = document.createElement("canvas");
  canvas.width = IMAGE_SIDE;
  canvas.height = IMAGE_SIDE;
  const context = canvas.getContext("2d");
  if (context === null) throw new HoldfastError("unsupported", "This browser gives no canvas to draw on.");
  const image = context.createImageData(IMAGE_SIDE, IMAGE_SIDE);
  for (const [i, value] of grey.entries()) image.data.set([value, value, value, 255], 4 * i);
  context.putImageData(image, 0, 0);
  return canvas.toDataURL("image/png");
}
