/** Cyclic redundancy checks: they find damage, and prove no origin. */

/** Bytes taken per round: a table each ("slicing by 8"). */
const SLICES = 8;

/** A CRC of 32 bits, reflected; `seed` is the CRC of what came before. */
export type Crc = (bytes: Uint8Array, seed?: number) => number;

/** Castagnoli's polynomial, bits reversed (RFC 3720, appendix B.4): of frames and packs. */
export const crc32c: Crc = crcOf(0x82f63b78);

/** The polynomial of ISO 3309, bits reversed: of ZIP archives (APPNOTE.TXT 4.4.7). */
export const crc32: Crc = crcOf(0xedb88320);

function crcOf(polynomial: number): Crc {
  const tables = new Uint32Array(SLICES * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
    tables[byte] = crc;
  }
  for (let at = 256; at < tables.length; at++) {
    const before = tables[at - 256]!;
    tables[at] = (before >>> 8) ^ tables[before & 255]!;
  }
  return (bytes, seed = 0) => {
    let crc = ~seed;
    let at = 0;
    for (const end = bytes.length - (SLICES - 1); at < end; at += SLICES) {
      const low =
        crc ^ (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24));
      crc =
        tables[0x700 | (low & 255)]! ^
        tables[0x600 | ((low >>> 8) & 255)]! ^
        tables[0x500 | ((low >>> 16) & 255)]! ^
        tables[0x400 | (low >>> 24)]! ^
        tables[0x300 | bytes[at + 4]!]! ^
        tables[0x200 | bytes[at + 5]!]! ^
        tables[0x100 | bytes[at + 6]!]! ^
        tables[bytes[at + 7]!]!;
    }
    for (; at < bytes.length; at++) crc = (crc >>> 8) ^ tables[(crc ^ bytes[at]!) & 255]!;
    return ~crc >>> 0;
  };
}
