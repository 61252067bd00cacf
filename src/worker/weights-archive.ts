/** Weights that come in an archive: the model for TensorFlow.js that Holdfast deploys is one, and others are told what they are. */
import { HoldfastError } from "../errors";
import { BUNDLE_EXTENSION, BUNDLE_INDEX } from "../format/bundle";
import { ZipReader, type ByteSource } from "../format/zip";
import { noSafetensors, read, type WeightsFile } from "./first-state";

const ZIP = [0x50, 0x4b, 0x03, 0x04];
const START_BYTES = 128;
const PIECE_BYTES = 1024 * 1024;
const MODEL = "model.json";

/**
 * The files of a model for TensorFlow.js, where this is an archive that Holdfast deployed it as; null where it is no
 * archive at all. Nothing is copied. `invalid` for a bundle, `corrupt` for any other archive.
 */
export async function unpacked({ file, name }: WeightsFile): Promise<readonly WeightsFile[] | null> {
  const start = await read(file, name, 0, START_BYTES);
  if (ZIP.some((byte, at) => start[at] !== byte)) return null;
  if (name.endsWith(`.${BUNDLE_EXTENSION}`)) throw isBundle(name);
  if (String.fromCharCode(...start).includes("/data.pkl"))
    throw noSafetensors(name, "it is PyTorch's own. Write it with `safetensors.torch.save_file` there");
  const zip = await ZipReader.open(sourceOf(file, name)).catch((cause: unknown) => {
    throw noSafetensors(
      name,
      "it is a ZIP archive. Unpack it, and choose the files of the model in it",
      cause,
    );
  });
  const has = (wanted: string): boolean => zip.entries.some((entry) => entry.name === wanted);
  if (has(BUNDLE_INDEX)) throw isBundle(name);
  if (!has(MODEL)) throw noSafetensors(name, `it is a ZIP archive, and has no ${MODEL} in it`);
  const contents = zip.entries.map((entry) => ({
    name: entry.name,
    file: file.slice(entry.offset, entry.offset + entry.bytes),
  }));
  // Read through once: only then is it known to be whole.
  for (const entry of zip.entries) {
    const pieces = zip.pieces(entry);
    try {
      while ((await pieces.next()).done !== true);
    } catch (cause) {
      throw new HoldfastError(
        "corrupt",
        `"${name}" is damaged: "${entry.name}" fails its checksum. Copy it again.`,
        { cause },
      );
    }
  }
  return contents;
}

/** The trainer loads nothing of the store, which has one as well. */
function sourceOf(file: Blob, name: string): ByteSource {
  return {
    size: file.size,
    read: (offset, length) => read(file, name, offset, offset + length),
    async *pieces(offset, length) {
      const end = offset + length;
      for (let at = offset; at < end; at += PIECE_BYTES)
        yield await read(file, name, at, Math.min(at + PIECE_BYTES, end));
    },
  };
}

function isBundle(name: string): HoldfastError {
  return new HoldfastError(
    "invalid",
    `"${name}" is a Holdfast bundle: import it, and fork the run at the step whose weights you want.`,
  );
}
