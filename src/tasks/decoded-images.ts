/** Image files, one folder for each class, as images of one size. */
import { HoldfastError } from "../errors";
import type { GivenFile } from "../format/dataset";
import { MOST_CLASSES, type ImageSet } from "./image-set";
import { IMAGE_SIDE as SIDE } from "./infos/digits";

const CHANNELS = 3;
/** Left-out files that are named one by one. */
const NAMED = 5;

/** RGBA, SIDE × SIDE; null where it is no image. */
type Decode = (bytes: Uint8Array<ArrayBuffer>) => Promise<Uint8ClampedArray | null>;

/** Throws `invalid` where there are not two classes with an image each. Files that are no image are left out, and named. */
export async function decodedImages(
  files: readonly GivenFile[],
  decode: Decode = decoded,
): Promise<{ readonly set: ImageSet; readonly notes: readonly string[] }> {
  const leftOut: string[] = [];
  const found: { readonly name: string; readonly rgba: Uint8ClampedArray }[] = [];
  for (const { path, bytes } of files) {
    const rgba = await decode(bytes);
    if (rgba === null) leftOut.push(path);
    else found.push({ name: folderOf(path), rgba });
  }
  const classes = [...new Set(found.map(({ name }) => name))].sort();
  if (classes.length < 2 || classes.length > MOST_CLASSES) throw wrongClasses(classes, found.length, leftOut);
  const isGrey = found.every(({ rgba }) => isGreyImage(rgba));
  const channels = isGrey ? 1 : CHANNELS;
  const pixels = new Uint8Array(found.length * SIDE * SIDE * channels);
  for (const [i, { rgba }] of found.entries()) {
    const first = i * SIDE * SIDE * channels;
    for (let pixel = 0; pixel < SIDE * SIDE; pixel++) {
      for (let channel = 0; channel < channels; channel++)
        pixels[first + channels * pixel + channel] = rgba[4 * pixel + channel] ?? 0;
    }
  }
  const place = new Map(classes.map((name, i) => [name, i]));
  const labels = Uint16Array.from(found, ({ name }) => place.get(name) ?? 0);
  return {
    set: { width: SIDE, height: SIDE, channels, classes, labels, pixels },
    notes: [
      `Scaled to ${SIDE} × ${SIDE}, whole, on black${isGrey ? ", grey" : ""}.`,
      ...leftOut
        .slice(0, NAMED)
        .map((path) => `“${path}” is left out: it is no image that this browser can read.`),
      ...(leftOut.length > NAMED ? [`So are ${leftOut.length - NAMED} more.`] : []),
    ],
  };
}

/** Of "pets/cats/1.png": cats. */
function folderOf(path: string): string {
  return path.split("/").at(-2) ?? "";
}

function wrongClasses(classes: readonly string[], images: number, leftOut: readonly string[]): HoldfastError {
  const [first] = leftOut;
  if (images === 0)
    return new HoldfastError(
      "invalid",
      `None of the files is an image that this browser can read, “${first}” the first. Choose PNG, JPEG or WebP images in one folder for each class, or a pair of IDX files.`,
    );
  return new HoldfastError(
    "invalid",
    `There are ${images} images of ${classes.length === 1 ? `one class (“${classes[0]}”)` : `${classes.length} classes`}; from 2 to ${MOST_CLASSES} are needed. The folder that an image is in is its class: choose the folder above them, or a ZIP archive of it.`,
  );
}

function isGreyImage(rgba: Uint8ClampedArray): boolean {
  for (let i = 0; i < rgba.length; i += 4)
    if (rgba[i] !== rgba[i + 1] || rgba[i] !== rgba[i + 2]) return false;
  return true;
}

/** What the browser makes of it, which is why the pixels are stored and not the file. */
async function decoded(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8ClampedArray | null> {
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(new Blob([bytes]));
  } catch {
    return null;
  }
  const canvas = new OffscreenCanvas(SIDE, SIDE);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (context === null)
    throw new HoldfastError("unsupported", "This browser gives a worker no canvas to scale images on.");
  context.fillStyle = "black";
  context.fillRect(0, 0, SIDE, SIDE);
  context.imageSmoothingQuality = "high";
  const scale = Math.min(SIDE / bitmap.width, SIDE / bitmap.height);
  const [width, height] = [bitmap.width * scale, bitmap.height * scale];
  context.drawImage(bitmap, (SIDE - width) / 2, (SIDE - height) / 2, width, height);
  bitmap.close();
  return context.getImageData(0, 0, SIDE, SIDE).data;
}
