/** Where the files of a bundle lie: in an archive, or in a folder. Nothing that is read here is known to be right. */
import { HoldfastError } from "../errors";
import {
  BUNDLE_INDEX,
  MAX_INDEX_BYTES,
  parseBundleIndex,
  type BundleFile,
  type BundleIndex,
} from "../format/bundle";
import { concat, type Bytes } from "../format/bytes";
import { ZipReader, type PlacedEntry } from "../format/zip";
import { blobSource } from "./blob-source";

export interface BundleFiles {
  /** The content in pieces, each valid until the next is asked for. */
  readonly pieces: (file: BundleFile) => AsyncGenerator<Bytes>;
  readonly part: (file: BundleFile, at: number, length: number) => Promise<Bytes>;
}

/** The files of an archive, and what its index says of them: `corrupt` unless it has all of them, and no other. */
export async function zipFiles(
  blob: Blob,
): Promise<{ readonly index: BundleIndex; readonly files: BundleFiles }> {
  const zip = await ZipReader.open(blobSource(blob));
  const entries = zip.entries.slice(0, -1);
  const last = zip.entries.at(-1);
  if (zip.entries.every(({ name }) => name !== BUNDLE_INDEX))
    throw new HoldfastError(
      "corrupt",
      "It is a ZIP archive, but no Holdfast bundle. Choose a .holdfast file as it was exported.",
    );
  if (last?.name !== BUNDLE_INDEX) throw corrupt(`it does not end in ${BUNDLE_INDEX}`);
  const index = parseBundleIndex(await wholeOf(zip, last));
  const placed = new Map<string, PlacedEntry>();
  for (const [at, file] of index.files.entries()) {
    const entry = entries[at];
    if (entry?.name !== file.name || entry.bytes !== file.bytes)
      throw corrupt(`"${file.name}" is not in it as its index says`);
    placed.set(file.name, entry);
  }
  if (entries.length !== index.files.length) throw corrupt("it has files that its index does not name");
  const entryOf = ({ name }: BundleFile): PlacedEntry => {
    const entry = placed.get(name);
    if (entry === undefined) throw new HoldfastError("internal", `The archive was asked for "${name}".`);
    return entry;
  };
  const files: BundleFiles = {
    pieces: (file) => zip.pieces(entryOf(file)),
    part: (file, at, length) => zip.part(entryOf(file), at, length),
  };
  return { index, files };
}

async function wholeOf(zip: ZipReader, entry: PlacedEntry): Promise<Bytes> {
  if (entry.bytes > MAX_INDEX_BYTES) throw corrupt(`its ${BUNDLE_INDEX} is longer than it may be`);
  const pieces: Bytes[] = [];
  for await (const piece of zip.pieces(entry)) pieces.push(piece.slice());
  return concat(pieces);
}

function corrupt(what: string): HoldfastError {
  return new HoldfastError("corrupt", `The bundle is damaged: ${what}. Export it again.`);
}
