/**
 * Reading a pack without an index: every frame that is whole, and the stretches that are not.
 *
 * After damage the scan looks for the next magic. A file that a person brought may itself hold frames (a pack, say,
 * used as data), so a frame whose payload is damaged is stepped over as a whole where the next frame stands right
 * behind it, and what lies inside is not taken for ours.
 */
import { hasCode } from "../errors";
import type { Bytes } from "./bytes";
import { frameBytes, nextMagic, parseFrameHeader, payloadFault, type FrameHeader } from "./frame";

export interface FoundFrame {
  readonly offset: number;
  /** Bytes of the whole frame. */
  readonly length: number;
  readonly header: FrameHeader;
}

export interface DamagedRange {
  readonly offset: number;
  readonly length: number;
}

export interface Scan {
  readonly frames: readonly FoundFrame[];
  /** Stretches that hold no whole frame; a torn last write is one. Zeros at the end are free space, not damage. */
  readonly damaged: readonly DamagedRange[];
}

/**
 * Scans `bytes` from `start`. Checks header, payload CRC and trailer, not the content's SHA-256: `verifyFrame`
 * does that before anything is used. `unsupported` where a frame is of a newer version.
 */
export function scanFrames(bytes: Bytes, start = 0): Scan {
  const frames: FoundFrame[] = [];
  const damaged: DamagedRange[] = [];
  const end = usedLength(bytes);
  let at = start;
  while (at < end) {
    const header = headerAt(bytes, at);
    const length = header === undefined ? 0 : frameBytes(header.storedLength);
    if (header !== undefined && payloadFault(bytes, at, header) === undefined) {
      frames.push({ offset: at, length, header });
      at += length;
      continue;
    }
    const declared = at + length;
    const next =
      length > 0 && headerAt(bytes, declared) !== undefined ? declared : nextMagic(bytes, at + 1, start);
    const until = Math.min(next, end);
    addRange(damaged, at, until);
    at = Math.max(until, at + 1);
  }
  return { frames, damaged };
}

function headerAt(bytes: Bytes, offset: number): FrameHeader | undefined {
  try {
    return parseFrameHeader(bytes, offset);
  } catch (error) {
    if (hasCode(error, "corrupt")) return undefined;
    throw error;
  }
}

function addRange(ranges: DamagedRange[], from: number, to: number): void {
  const last = ranges.at(-1);
  if (last !== undefined && last.offset + last.length === from) {
    ranges[ranges.length - 1] = { offset: last.offset, length: to - last.offset };
    return;
  }
  ranges.push({ offset: from, length: to - from });
}

/** Length without the zeros at the end. */
function usedLength(bytes: Bytes): number {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  return end;
}
