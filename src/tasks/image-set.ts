/**
 * Images with a class each, as the bytes that are stored and hashed.
 *
 * Little-endian: "HFIM", version (u32), width, height, channels, classes (u16 each), images (u32), length of the names
 * (u32), the names of the classes as a JSON list in UTF-8, the class of each image (u16), the pixels (u8) of each, row by
 * row, channels together.
 */
import { HoldfastError } from "../errors";

export interface ImageSet {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  readonly classes: readonly string[];
  /** A place in `classes` for each image. */
  readonly labels: Uint16Array<ArrayBuffer>;
  readonly pixels: Uint8Array<ArrayBuffer>;
}

const MAGIC = 0x4d494648;
const VERSION = 1;
const HEADER_BYTES = 24;
/** A network takes this many at most. */
export const MOST_CLASSES = 1000;

export function writeImageSet({
  width,
  height,
  channels,
  classes,
  labels,
  pixels,
}: ImageSet): Uint8Array<ArrayBuffer> {
  const names = new TextEncoder().encode(JSON.stringify(classes));
  const bytes = new Uint8Array(HEADER_BYTES + names.length + 2 * labels.length + pixels.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, VERSION, true);
  for (const [i, value] of [width, height, channels, classes.length].entries())
    view.setUint16(8 + 2 * i, value, true);
  view.setUint32(16, labels.length, true);
  view.setUint32(20, names.length, true);
  bytes.set(names, HEADER_BYTES);
  const first = HEADER_BYTES + names.length;
  for (const [i, label] of labels.entries()) view.setUint16(first + 2 * i, label, true);
  bytes.set(pixels, first + 2 * labels.length);
  return bytes;
}

/** Throws `invalid` where the bytes are not such a set, to the last one. The pixels are a view of them. */
export function readImageSet(bytes: Uint8Array<ArrayBuffer>): ImageSet {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < HEADER_BYTES || view.getUint32(0, true) !== MAGIC)
    throw notImages("they do not begin as images do");
  if (view.getUint32(4, true) !== VERSION) throw notImages(`version ${view.getUint32(4, true)} is not known`);
  const [width = 0, height = 0, channels = 0, named = 0] = [0, 1, 2, 3].map((i) =>
    view.getUint16(8 + 2 * i, true),
  );
  const count = view.getUint32(16, true);
  const first = HEADER_BYTES + view.getUint32(20, true);
  if (channels !== 1 && channels !== 3) throw notImages(`${channels} channels are neither 1 nor 3`);
  if (width === 0 || height === 0) throw notImages(`an image of ${width} × ${height} has no pixel`);
  if (bytes.length !== first + count * (2 + width * height * channels))
    throw notImages(
      `${count} images of ${width} × ${height} × ${channels} are not ${bytes.length} bytes long`,
    );
  const classes = namesIn(bytes.subarray(HEADER_BYTES, first), named);
  const labels = Uint16Array.from({ length: count }, (_, i) => view.getUint16(first + 2 * i, true));
  const beyond = labels.findIndex((label) => label >= classes.length);
  if (beyond !== -1)
    throw notImages(`image ${beyond} is of class ${labels[beyond]}, and there are ${classes.length}`);
  return { width, height, channels, classes, labels, pixels: bytes.subarray(first + 2 * count) };
}

function namesIn(bytes: Uint8Array, count: number): readonly string[] {
  let names: unknown;
  try {
    names = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw notImages("the names of the classes cannot be read");
  }
  if (!Array.isArray(names) || names.length !== count || !names.every(isText))
    throw notImages(`there are not ${count} names of classes`);
  return names;
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function notImages(why: string): HoldfastError {
  return new HoldfastError("invalid", `These bytes are no set of images: ${why}. Add the images again.`);
}
