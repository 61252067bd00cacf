/** IDX files, the format of MNIST: images and their labels, in two files. Format: http://yann.lecun.com/exdb/mnist */
import { HoldfastError } from "../errors";
import type { GivenFile } from "../format/dataset";
import { MOST_CLASSES, type ImageSet } from "./image-set";

/** Third byte 8: unsigned bytes; fourth: how many dimensions. */
const IMAGES_MAGIC = 0x0803;
const LABELS_MAGIC = 0x0801;
const IMAGES_HEADER = 16;
const LABELS_HEADER = 8;

export function isIdx({ bytes }: GivenFile): boolean {
  return [IMAGES_MAGIC, LABELS_MAGIC].includes(magicOf(bytes));
}

/** Pairs of files joined in the order of their paths; the classes are the numbers from 0 to the largest label. */
export function imagesOfIdx(files: readonly GivenFile[]): ImageSet {
  const images = files.filter(({ bytes }) => magicOf(bytes) === IMAGES_MAGIC);
  const labels = files.filter(({ bytes }) => magicOf(bytes) === LABELS_MAGIC);
  if (images.length === 0 || images.length !== labels.length) {
    throw new HoldfastError(
      "invalid",
      `There are ${images.length} IDX files of images and ${labels.length} of labels (${files.map(({ path }) => `"${path}"`).join(", ")}); choose both of each pair together.`,
    );
  }
  const parts = images.map((file, i) => pairOf(file, labels[i] ?? file));
  const [{ width, height } = { width: 0, height: 0 }] = parts;
  const other = parts.findIndex((part) => part.width !== width || part.height !== height);
  if (other !== -1) {
    throw new HoldfastError(
      "invalid",
      `The images of "${images[other]?.path}" are ${parts[other]?.width} × ${parts[other]?.height}, those of "${images[0]?.path}" ${width} × ${height}; choose files of one size.`,
    );
  }
  const all = Uint16Array.from(parts.flatMap((part) => [...part.labels]));
  const largest = all.reduce((most, label) => Math.max(most, label), 0);
  if (largest + 1 > MOST_CLASSES)
    throw new HoldfastError("invalid", `The largest label is ${largest}; ${MOST_CLASSES - 1} is the limit.`);
  const pixels = new Uint8Array(all.length * width * height);
  let at = 0;
  for (const part of parts) {
    pixels.set(part.pixels, at);
    at += part.pixels.length;
  }
  const classes = Array.from({ length: largest + 1 }, (_, i) => String(i));
  return { width, height, channels: 1, classes, labels: all, pixels };
}

interface Part {
  readonly width: number;
  readonly height: number;
  readonly labels: Uint8Array;
  readonly pixels: Uint8Array;
}

function pairOf(images: GivenFile, labels: GivenFile): Part {
  const view = new DataView(images.bytes.buffer, images.bytes.byteOffset, images.bytes.byteLength);
  if (images.bytes.length < IMAGES_HEADER) throw cutOff(images, IMAGES_HEADER);
  const [count, height, width] = [view.getUint32(4), view.getUint32(8), view.getUint32(12)];
  const wanted = IMAGES_HEADER + count * width * height;
  if (images.bytes.length !== wanted) throw cutOff(images, wanted);
  if (width === 0 || height === 0 || width > 128 || height > 128) {
    throw new HoldfastError(
      "invalid",
      `The images of "${images.path}" are ${width} × ${height}; from 1 × 1 to 128 × 128 can be used. Scale them first.`,
    );
  }
  const named = new DataView(labels.bytes.buffer, labels.bytes.byteOffset, labels.bytes.byteLength);
  if (labels.bytes.length < LABELS_HEADER) throw cutOff(labels, LABELS_HEADER);
  const labelled = named.getUint32(4);
  if (labels.bytes.length !== LABELS_HEADER + labelled) throw cutOff(labels, LABELS_HEADER + labelled);
  if (labelled !== count) {
    throw new HoldfastError(
      "invalid",
      `"${images.path}" has ${count} images and "${labels.path}" ${labelled} labels; choose the pair that belongs together.`,
    );
  }
  return {
    width,
    height,
    labels: labels.bytes.subarray(LABELS_HEADER),
    pixels: images.bytes.subarray(IMAGES_HEADER),
  };
}

function cutOff({ path, bytes }: GivenFile, wanted: number): HoldfastError {
  return new HoldfastError(
    "invalid",
    `The IDX file "${path}" is ${bytes.length} bytes long and says that it has ${wanted}. Fetch it again.`,
  );
}

function magicOf(bytes: Uint8Array): number {
  return bytes.length < 4 ? 0 : new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0);
}
