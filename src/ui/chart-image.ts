/** A chart as a picture that stands alone: its canvas has neither a ground nor a word of what it shows. */
import { HoldfastError } from "../errors";

const TITLE_PX = 13;
const MARGIN_PX = 12;

/** PNG, at the resolution of the screen. */
export async function chartImage(
  canvas: HTMLCanvasElement,
  title: string,
  ink: string,
  ground: string,
): Promise<Blob> {
  const scale = devicePixelRatio;
  const top = (TITLE_PX + 2 * MARGIN_PX) * scale;
  const picture = new OffscreenCanvas(
    canvas.width + 2 * MARGIN_PX * scale,
    canvas.height + top + MARGIN_PX * scale,
  );
  const context = picture.getContext("2d");
  if (context === null)
    throw new HoldfastError("internal", "A canvas gave no context, so nothing can be drawn.");
  context.fillStyle = ground;
  context.fillRect(0, 0, picture.width, picture.height);
  context.fillStyle = ink;
  context.font = `600 ${TITLE_PX * scale}px system-ui, sans-serif`;
  context.fillText(title, MARGIN_PX * scale, (MARGIN_PX + TITLE_PX) * scale);
  context.drawImage(canvas, MARGIN_PX * scale, top);
  return picture.convertToBlob({ type: "image/png" });
}
