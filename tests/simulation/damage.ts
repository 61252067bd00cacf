/** What a failing device makes of bytes that were stored long ago: bits flip, sectors go, writes land elsewhere. */
import { scanFrames } from "../../src/format/scan";
import { PACK_HEADER_BYTES } from "../../src/format/pack-header";
import type { Image } from "./disk";
import type { Choices } from "./random";

const SECTOR = 512;

/** The image with one file damaged in one place; the same where there are no files. */
export function damagedImage(image: Image, choices: Choices): Image {
  const names = [...image.files].filter(([, bytes]) => bytes.length > 0).map(([name]) => name);
  if (names.length === 0) return image;
  const name = choices.of(names);
  const bytes = (image.files.get(name) ?? new Uint8Array(0)).slice();
  switch (choices.below(3)) {
    case 0: {
      const at = choices.below(bytes.length);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << choices.below(8));
      break;
    }
    case 1: {
      const at = choices.below(Math.ceil(bytes.length / SECTOR)) * SECTOR;
      bytes.fill(0, at, at + SECTOR);
      break;
    }
    default:
      misdirect(bytes, choices);
  }
  return { ...image, files: new Map(image.files).set(name, bytes) };
}

/** A whole frame stands where another one of its length was written. */
function misdirect(bytes: Uint8Array<ArrayBuffer>, choices: Choices): void {
  const { frames } = scanFrames(bytes, PACK_HEADER_BYTES);
  if (frames.length === 0) return;
  const source = choices.of(frames);
  const target = choices.of(frames.filter(({ length }) => length === source.length));
  bytes.set(bytes.slice(source.offset, source.offset + source.length), target.offset);
}
