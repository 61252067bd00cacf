/** Files that a person brought, unpacked: a ZIP archive is the files in it, a gzipped file is what it was before. */
import { unzipSync } from "fflate";
import { HoldfastError } from "../errors";
import type { GivenFile } from "../format/dataset";
import type { DataFile } from "./protocol";

const MIB = 2 ** 20;
const ZIP_MAGIC = [0x50, 0x4b, 0x03, 0x04];
const GZIP_MAGIC = [0x1f, 0x8b];
/** What systems put beside a person's files. */
const HIDDEN = /(^|\/)(__MACOSX|\.[^/]*|Thumbs\.db|desktop\.ini)(\/|$)/i;

/** Sorted by path. `invalid` where there is nothing, where an archive is broken, or beyond `maxBytes` in all, unpacked. */
export async function unpacked(files: readonly DataFile[], maxBytes: number): Promise<readonly GivenFile[]> {
  const room = new Room(maxBytes);
  const given: GivenFile[] = [];
  for (const { path, file } of files) {
    if (HIDDEN.test(path)) continue;
    room.check(file.size, path);
    const bytes = new Uint8Array(await file.arrayBuffer());
    if (begins(bytes, ZIP_MAGIC)) given.push(...entriesOf(path, bytes, room));
    else if (begins(bytes, GZIP_MAGIC)) given.push(await gunzipped(path, bytes, room));
    else {
      room.take(bytes.length, path);
      given.push({ path, bytes });
    }
  }
  if (given.length === 0)
    throw new HoldfastError("invalid", "There is no file in it; choose files with data.");
  return given.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** What may still be unpacked: an archive of a few bytes can be one of gigabytes. */
class Room {
  readonly #max: number;
  #taken = 0;

  constructor(max: number) {
    this.#max = max;
  }

  check(bytes: number, path: string): void {
    if (this.#taken + bytes <= this.#max) return;
    throw new HoldfastError(
      "invalid",
      `The data is more than ${this.#max / MIB} MiB at "${path}", unpacked; that is the limit of this task, which holds all of it in memory. Choose a part of it.`,
    );
  }

  take(bytes: number, path: string): void {
    this.check(bytes, path);
    this.#taken += bytes;
  }
}

function entriesOf(archive: string, bytes: Uint8Array<ArrayBuffer>, room: Room): readonly GivenFile[] {
  try {
    const entries = unzipSync(bytes, {
      // A stored entry is as long as it lies there, whatever it says of its length unpacked.
      filter: ({ name, size, originalSize, compression }) => {
        if (name.endsWith("/") || HIDDEN.test(name)) return false;
        room.take(compression === 0 ? size : originalSize, `${archive}/${name}`);
        return true;
      },
    });
    return Object.entries(entries).map(([name, content]) => ({
      path: name,
      // Of its own buffer: it may be transferred or kept, and the archive not with it.
      bytes: new Uint8Array(content),
    }));
  } catch (cause) {
    if (cause instanceof HoldfastError) throw cause;
    throw new HoldfastError(
      "invalid",
      `"${archive}" is a ZIP archive that cannot be unpacked. Pack it anew, without a password, or choose the files themselves.`,
      { cause },
    );
  }
}

async function gunzipped(path: string, bytes: Uint8Array<ArrayBuffer>, room: Room): Promise<GivenFile> {
  const name = path.replace(/\.gz$/i, "");
  const parts: Uint8Array<ArrayBuffer>[] = [];
  try {
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    const reader = stream.getReader();
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      room.take(read.value.length, path);
      parts.push(read.value);
    }
  } catch (cause) {
    if (cause instanceof HoldfastError) throw cause;
    throw new HoldfastError("invalid", `"${path}" is gzipped, but damaged or cut off. Fetch it again.`, {
      cause,
    });
  }
  return { path: name, bytes: new Uint8Array(await new Blob(parts).arrayBuffer()) };
}

function begins(bytes: Uint8Array, magic: readonly number[]): boolean {
  return magic.every((byte, i) => bytes[i] === byte);
}
