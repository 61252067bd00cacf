/**
 * ZIP archives of stored entries: what every system opens, and nothing else of the format.
 *
 * There is one way to write a list of entries, byte for byte: local headers with sizes and CRC, contents as they are, no
 * times, no extras but ZIP64's where a number needs it, the central directory, the end. The reader believes nothing: it
 * reads the central directory, writes the whole structure again from what it read, and compares. So no entry can
 * overlap another, hide, stand twice, or say one thing here and another there; and nothing is ever inflated.
 * Format: PKWARE APPNOTE.TXT 6.3.10.
 */
import { HoldfastError } from "../errors";
import { ByteReader, ByteWriter } from "./byte-cursor";
import { equalBytes, type Bytes } from "./bytes";
import { crc32 } from "./crc";

/** One stored file. */
export interface ZipEntry {
  /** As `isEntryName` says. */
  readonly name: string;
  readonly bytes: number;
  /** CRC-32 of its content. */
  readonly crc: number;
}

/** Where an archive is written to. */
export interface ZipOutput {
  /** The bytes are the caller's again when it resolves. */
  readonly append: (bytes: Bytes) => Promise<void>;
  /** Leaves room for so many bytes; what is returned fills it. */
  readonly reserve: (bytes: number) => Promise<(content: Bytes) => Promise<void>>;
}

/** Writes an archive, an entry after the other. */
export class ZipWriter {
  readonly #out: ZipOutput;
  readonly #entries: ZipEntry[] = [];

  constructor(out: ZipOutput) {
    this.#out = out;
  }

  /** Returns how long the content is. Only whether it has 4 GB or more must be known before; if not so, `internal`. */
  async add(
    name: string,
    pieces: Iterable<Bytes> | AsyncIterable<Bytes>,
    isLong: boolean = false,
  ): Promise<number> {
    const room = localHeader({ name, bytes: isLong ? WIDE : 0, crc: 0 }).length;
    const fill = await this.#out.reserve(room);
    let crc = 0;
    let bytes = 0;
    for await (const piece of pieces) {
      crc = crc32(piece, crc);
      bytes += piece.length;
      await this.#out.append(piece);
    }
    if (isLong !== isLongEntry(bytes))
      throw new HoldfastError("internal", `The file "${name}" has ${bytes} bytes, which was not announced.`);
    const entry = { name, bytes, crc };
    await fill(localHeader(entry));
    this.#entries.push(entry);
    return bytes;
  }

  async finish(): Promise<void> {
    await this.#out.append(zipEnd(this.#entries));
  }
}

/** Something that bytes can be read from at any place, as a `Blob`. */
export interface ByteSource {
  readonly size: number;
  /** All of these bytes; less only where the source ends. */
  readonly read: (offset: number, length: number) => Promise<Bytes>;
  /** The same in pieces of any length, each valid until the next is asked for. */
  readonly pieces: (offset: number, length: number) => AsyncIterable<Bytes>;
}

/** Where the content of an entry lies in its archive. */
export interface PlacedEntry extends ZipEntry {
  readonly offset: number;
}

const MAX_ENTRIES = 100_000;
const MAX_NAME = 200;
const MAX_DIRECTORY_BYTES = 32 * 1024 * 1024;

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const END_64 = 0x06064b50;
const LOCATOR_64 = 0x07064b50;
const END_BYTES = 22;
const END_64_BYTES = 56;
const LOCATOR_64_BYTES = 20;
const EXTRA_64 = 0x0001;
const STORED = 0;
/** 1980-01-01, 00:00: equal contents are equal files, whenever they were written. */
const DATE = 0x0021;
const VERSION = 20;
const VERSION_64 = 45;
/** Numbers from here on do not fit 32 bits, of which all ones says "see the extra field". */
const WIDE = 0xffff_ffff;
const WIDE_COUNT = 0xffff;

/** Relative, of safe characters, without empty, hidden or climbing parts. */
export function isEntryName(name: string): boolean {
  return name.length <= MAX_NAME && /^[a-z0-9][a-z0-9._-]*(?:\/[a-z0-9][a-z0-9._-]*)*$/i.test(name);
}

/** Does a content of so many bytes need the fields of ZIP64? */
export function isLongEntry(bytes: number): boolean {
  return bytes >= WIDE;
}

/** What stands before the content of an entry. */
export function localHeader({ name, bytes, crc }: ZipEntry): Bytes {
  const isWide = isLongEntry(bytes);
  const out = new ByteWriter().u32(LOCAL).u16(isWide ? VERSION_64 : VERSION);
  facts(out, { name, bytes, crc }, isWide);
  out
    .u16(name.length)
    .u16(isWide ? 20 : 0)
    .bytes(ascii(name));
  if (isWide) out.u16(EXTRA_64).u16(16).u64(bytes).u64(bytes);
  return out.finish();
}

/** What follows the last content: the central directory, and the end. */
export function zipEnd(entries: readonly ZipEntry[]): Bytes {
  const out = new ByteWriter(64 * entries.length + END_BYTES);
  let offset = 0;
  for (const entry of entries) {
    directoryEntry(out, entry, offset);
    offset += localHeader(entry).length + entry.bytes;
  }
  const length = out.length;
  const count = entries.length;
  if (offset >= WIDE || count >= WIDE_COUNT) {
    out
      .u32(END_64)
      .u64(END_64_BYTES - 12)
      .u16(VERSION_64)
      .u16(VERSION_64)
      .u32(0)
      .u32(0);
    out.u64(count).u64(count).u64(length).u64(offset);
    out
      .u32(LOCATOR_64)
      .u32(0)
      .u64(offset + length)
      .u32(1);
  }
  const few = Math.min(count, WIDE_COUNT);
  out.u32(END).u16(0).u16(0).u16(few).u16(few);
  return out.u32(length).u32(Math.min(offset, WIDE)).u16(0).finish();
}

function directoryEntry(out: ByteWriter, entry: ZipEntry, offset: number): void {
  const { name, bytes } = entry;
  const isWide = isLongEntry(bytes);
  const isFar = offset >= WIDE;
  const extra = (isWide ? 16 : 0) + (isFar ? 8 : 0);
  const version = isWide || isFar ? VERSION_64 : VERSION;
  out.u32(CENTRAL).u16(version).u16(version);
  facts(out, entry, isWide);
  out
    .u16(name.length)
    .u16(extra === 0 ? 0 : extra + 4)
    .u16(0);
  out
    .u16(0)
    .u16(0)
    .u32(0)
    .u32(isFar ? WIDE : offset)
    .bytes(ascii(name));
  if (extra === 0) return;
  out.u16(EXTRA_64).u16(extra);
  if (isWide) out.u64(bytes).u64(bytes);
  if (isFar) out.u64(offset);
}

/** What local and central headers have in common: flags, method, time, date, CRC and sizes. */
function facts(out: ByteWriter, { bytes, crc }: ZipEntry, isWide: boolean): void {
  const size = isWide ? WIDE : bytes;
  out.u16(0).u16(STORED).u16(0).u16(DATE).u32(crc).u32(size).u32(size);
}

function ascii(name: string): Uint8Array {
  if (!isEntryName(name))
    throw new HoldfastError("invalid", `"${name}" is no name for a file in an archive.`);
  return Uint8Array.from(name, (letter) => letter.charCodeAt(0));
}

/** An archive that `zipEnd` and `localHeader` would write just so. */
export class ZipReader {
  readonly #source: ByteSource;
  /** In the order that they lie in. */
  readonly entries: readonly PlacedEntry[];

  private constructor(source: ByteSource, entries: readonly PlacedEntry[]) {
    this.#source = source;
    this.entries = entries;
  }

  /** `corrupt` for anything that Holdfast would not have written. Reads the directory alone. */
  static async open(source: ByteSource): Promise<ZipReader> {
    const { offset, length, count } = await findDirectory(source);
    const end = await read(source, offset, source.size - offset);
    const entries = parseDirectory(end.subarray(0, length), count);
    const names = new Set<string>();
    const placed: PlacedEntry[] = [];
    let at = 0;
    for (const entry of entries) {
      if (names.has(entry.name)) throw corrupt(`it has the file "${entry.name}" twice`);
      names.add(entry.name);
      const start = at + localHeader(entry).length;
      placed.push({ ...entry, offset: start });
      at = start + entry.bytes;
    }
    if (at !== offset || !equalBytes(end, zipEnd(entries)))
      throw foreign("its directory is not the one that its files make");
    return new ZipReader(source, placed);
  }

  /** Some bytes of the content, of which nothing is known. */
  part(entry: PlacedEntry, at: number, length: number): Promise<Bytes> {
    if (at < 0 || at + length > entry.bytes) throw corrupt(`the file "${entry.name}" ends too early`);
    return read(this.#source, entry.offset + at, length);
  }

  /** The content in pieces, each valid until the next, then its CRC checked: until the last one nothing is known of it. */
  async *pieces(entry: PlacedEntry): AsyncGenerator<Bytes> {
    const header = localHeader(entry);
    const found = await read(this.#source, entry.offset - header.length, header.length);
    if (!equalBytes(found, header))
      throw corrupt(`the file "${entry.name}" does not begin as its directory says`);
    let crc = 0;
    let bytes = 0;
    for await (const piece of this.#source.pieces(entry.offset, entry.bytes)) {
      crc = crc32(piece, crc);
      bytes += piece.length;
      yield piece;
    }
    if (bytes !== entry.bytes) throw corrupt("it ends too early");
    if (crc !== entry.crc) throw corrupt(`the file "${entry.name}" fails its checksum`);
  }
}

/** Where the central directory lies, and how many entries it has. */
interface Directory {
  readonly offset: number;
  readonly length: number;
  readonly count: number;
  /** Does its end have ZIP64's fields? */
  readonly isWide: boolean;
}

/** By the end of the archive. */
async function findDirectory(source: ByteSource): Promise<Directory> {
  const tail = Math.min(source.size, END_BYTES + LOCATOR_64_BYTES + END_64_BYTES);
  const bytes = await read(source, source.size - tail, tail);
  if (tail < END_BYTES) throw noArchive();
  const end = new ByteReader(bytes, "The archive", tail - END_BYTES);
  if (end.u32() !== END) throw noArchive();
  end.bytes(6);
  const count = end.u16();
  const length = end.u32();
  const offset = end.u32();
  const isWide = count === WIDE_COUNT || offset === WIDE;
  if (!isWide) return checked(source, { offset, length, count, isWide });
  if (tail < END_BYTES + LOCATOR_64_BYTES + END_64_BYTES) throw corrupt("its end is cut");
  const wide = new ByteReader(bytes, "The archive", 0);
  if (wide.u32() !== END_64) throw corrupt("its end is not where it belongs");
  wide.bytes(28);
  const [wideCount, wideLength, wideOffset] = [wide.u64(), wide.u64(), wide.u64()];
  return checked(source, { offset: wideOffset, length: wideLength, count: wideCount, isWide });
}

function checked(source: ByteSource, found: Directory): Directory {
  if (found.count > MAX_ENTRIES || found.length > MAX_DIRECTORY_BYTES) throw corrupt("it has too many files");
  const end = found.isWide ? END_BYTES + LOCATOR_64_BYTES + END_64_BYTES : END_BYTES;
  if (found.offset + found.length + end !== source.size)
    throw corrupt("its directory does not lie before its end");
  return found;
}

function parseDirectory(bytes: Bytes, count: number): ZipEntry[] {
  const reader = new ByteReader(bytes, "The directory of the archive");
  const entries: ZipEntry[] = [];
  // Only what is needed to write the entry again; whatever else was there differs then.
  for (let index = 0; index < count; index += 1) {
    reader.bytes(16);
    const crc = reader.u32();
    reader.u32();
    const size = reader.u32();
    const nameLength = reader.u16();
    const extraLength = reader.u16();
    reader.bytes(14);
    const name = String.fromCharCode(...reader.bytes(Math.min(nameLength, MAX_NAME + 1)));
    if (!isEntryName(name)) throw foreign("a name in it is none that Holdfast writes");
    const extra = new ByteReader(reader.bytes(extraLength), "The directory of the archive");
    entries.push({ name, crc, bytes: size === WIDE ? wideSize(extra) : size });
  }
  return entries;
}

function wideSize(extra: ByteReader): number {
  extra.u32();
  return extra.u64();
}

/** `corrupt` where the source ends before. */
async function read(source: ByteSource, offset: number, length: number): Promise<Bytes> {
  const bytes = await source.read(offset, length);
  if (bytes.length !== length) throw corrupt("it ends too early");
  return bytes;
}

function noArchive(): HoldfastError {
  return new HoldfastError(
    "corrupt",
    "This is no Holdfast bundle, or one that was cut off. Choose a .holdfast file as it was exported.",
  );
}

/** By its directory: most that are otherwise are archives of something else. */
function foreign(what: string): HoldfastError {
  return new HoldfastError(
    "corrupt",
    `No Holdfast bundle, or one that another program packed anew: ${what}. Choose a .holdfast file as it was exported.`,
  );
}

function corrupt(what: string): HoldfastError {
  return new HoldfastError(
    "corrupt",
    `The bundle is damaged, or was packed anew by another program: ${what}. Take the file as it was exported.`,
  );
}
