/** Journal rows as bytes: the bits of loss, rate and time of each step, without a gap. */
import { HoldfastError } from "../errors";
import { ByteReader, ByteWriter } from "./byte-cursor";
import { bytesOf, type Bytes } from "./bytes";
import type { JournalRows } from "./run";

const JOURNAL_VERSION = 1;
const ROW_BYTES = 12;

/** u32 version, u64 first step, u32 rows, then all losses, all rates, all times as float32 bits. */
export function encodeJournal(rows: JournalRows): Bytes {
  const count = rows.loss.length;
  if (rows.rate.length !== count || rows.ms.length !== count) {
    throw new HoldfastError("invalid", "Journal rows have columns of different lengths.");
  }
  return new ByteWriter(16 + count * ROW_BYTES)
    .u32(JOURNAL_VERSION)
    .u64(rows.from)
    .u32(count)
    .bytes(bytesOf(rows.loss))
    .bytes(bytesOf(rows.rate))
    .bytes(bytesOf(rows.ms))
    .finish();
}

/** `corrupt` for any other length than the header says. */
export function parseJournal(bytes: Bytes): JournalRows {
  const reader = new ByteReader(bytes, "The journal");
  const version = reader.u32();
  if (version > JOURNAL_VERSION)
    throw new HoldfastError("unsupported", "The journal was written by a newer version. Use that one.");
  const from = reader.u64();
  const count = reader.u32();
  if (version < JOURNAL_VERSION || from < 1 || reader.remaining !== count * ROW_BYTES) {
    throw new HoldfastError("corrupt", "The journal is damaged: its header does not fit its rows.");
  }
  // Copies, because a column need not begin where a Float32Array may.
  const column = () => new Float32Array(reader.bytes(4 * count).slice().buffer);
  return { from, loss: column(), rate: column(), ms: column() };
}
