/** Frames that lie in packs beyond what the catalogue knows. */
import { hasCode, HoldfastError, messageOf } from "../errors";
import { toHex, type Bytes } from "../format/bytes";
import {
  contentOf,
  FRAME_HEADER_BYTES,
  openFrame,
  parseFrameHeader,
  type FrameHeader,
} from "../format/frame";
import { PACK_HEADER_BYTES, parsePackHeader } from "../format/pack-header";
import { scanFrames, type DamagedRange } from "../format/scan";
import type { Place } from "../format/stored";
import type { PackFile, PackStore } from "../store/pack-store";
import type { PackFacts } from "../store/tables";
import { codeOfDamage } from "./read";

/** A whole frame in a stretch that the catalogue does not know. */
export interface FoundFrame {
  readonly place: Place;
  readonly header: FrameHeader;
  /** Null for chunks and data, which are read when they are needed. */
  readonly raw: Bytes | null;
}

/** A pack with more in it than the catalogue knows. */
export interface ScannedPack extends PackFacts {
  readonly frames: readonly FoundFrame[];
  /** Stretches that hold nothing whole, its header among them. */
  readonly damaged: readonly DamagedRange[];
}

/** Why a pack was not looked at: somebody has it open, or it cannot be read, now or by this version. */
export type Unseen = "held" | { readonly unreadable: string };

/** Whole frames of a pack, from its beginning. */
export async function scanPack(packs: PackStore, name: string): Promise<ScannedPack | Unseen> {
  const held = await packs.open(name);
  if (held === null) return "held";
  try {
    const { size } = held;
    const bytes = await packs.read(name, 0, size);
    const { frames, damaged } = scanFrames(bytes, PACK_HEADER_BYTES);
    const bad = [...damaged];
    const created = createdIn(name, bytes);
    if (size > 0 && created === null) bad.push({ offset: 0, length: PACK_HEADER_BYTES });
    const found: FoundFrame[] = [];
    for (const { offset, length, header } of frames) {
      const bulk = header.type === "chunk" || header.type === "data";
      const raw = bulk ? null : await contentOrNull(bytes.subarray(offset, offset + length));
      if (bulk || raw !== null) found.push({ place: { pack: name, offset, length }, header, raw });
      else bad.push({ offset, length });
    }
    return { name, size, created, frames: found, damaged: bad };
  } catch (error) {
    if (codeOfDamage(error) === null) throw error;
    return { unreadable: `Pack ${name} cannot be read: ${messageOf(error)}` };
  } finally {
    await held.close();
  }
}

/** When the header says that this pack was begun; null where it is damaged, or gone by now. */
export async function readCreated(
  packs: PackStore,
  { name, size }: PackFile,
): Promise<number | null | Unseen> {
  if (size < PACK_HEADER_BYTES) return null;
  try {
    return createdIn(name, await packs.read(name, 0, PACK_HEADER_BYTES));
  } catch (error) {
    if (hasCode(error, "corrupt") || hasCode(error, "missing")) return null;
    if (codeOfDamage(error) === null) throw error;
    return { unreadable: `Pack ${name} cannot be read: ${messageOf(error)}` };
  }
}

/** What the first frame of a pack says of itself; null where there is none, or none that is whole. */
export async function firstFrame(packs: PackStore, { name }: PackFile): Promise<FrameHeader | null> {
  try {
    return parseFrameHeader(await packs.read(name, PACK_HEADER_BYTES, FRAME_HEADER_BYTES));
  } catch (error) {
    if (codeOfDamage(error) === null) throw error;
    return null;
  }
}

function createdIn(name: string, bytes: Bytes): number | null {
  try {
    const { pack, created } = parsePackHeader(bytes);
    return pack === name ? created : null;
  } catch (error) {
    if (hasCode(error, "corrupt")) return null;
    throw error;
  }
}

async function contentOrNull(frame: Bytes): Promise<Bytes | null> {
  try {
    return await contentOf(openFrame(frame));
  } catch (error) {
    if (hasCode(error, "corrupt")) return null;
    throw error;
  }
}

/** SHA-256 of a frame's content, hex. */
export function hashOf({ header }: FoundFrame): string {
  return toHex(header.hash);
}

/** What a frame of the log says; `corrupt` for one that was not read. */
export function rawOf({ raw, place }: FoundFrame): Bytes {
  if (raw !== null) return raw;
  throw new HoldfastError("corrupt", `Pack ${place.pack} has no content at byte ${place.offset}.`);
}
