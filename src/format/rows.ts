/** Stretches of the journal as values: cut, joined, never changed. */
import type { JournalRows } from "./run";

/** Step of the last row; `from - 1` where there is none. */
export function lastStep(rows: JournalRows): number {
  return rows.from + rows.loss.length - 1;
}

/** The rows of steps `from` … `to`, both included; null where there is none. Shares memory only when all are meant. */
export function cutRows(rows: JournalRows, from: number, to: number): JournalRows | null {
  const start = Math.max(0, from - rows.from);
  const end = Math.min(rows.loss.length, to - rows.from + 1);
  if (start >= end) return null;
  if (start === 0 && end === rows.loss.length) return rows;
  return {
    from: rows.from + start,
    loss: rows.loss.slice(start, end),
    rate: rows.rate.slice(start, end),
    ms: rows.ms.slice(start, end),
  };
}

/** The same rows, at most so many to a piece; none of nothing. */
export function piecesOf(rows: JournalRows | null, most: number): readonly JournalRows[] {
  const pieces: JournalRows[] = [];
  for (let from = rows?.from ?? 0; rows !== null && from <= lastStep(rows); from += most) {
    const piece = cutRows(rows, from, from + most - 1);
    if (piece !== null) pieces.push(piece);
  }
  return pieces;
}

/** Parts that follow each other, as one. */
export function joinRows(parts: readonly JournalRows[]): JournalRows {
  const [first] = parts;
  if (first !== undefined && parts.length === 1) return first;
  const length = parts.reduce((sum, rows) => sum + rows.loss.length, 0);
  const joined = {
    from: first?.from ?? 1,
    loss: new Float32Array(length),
    rate: new Float32Array(length),
    ms: new Float32Array(length),
  };
  let at = 0;
  for (const rows of parts) {
    joined.loss.set(rows.loss, at);
    joined.rate.set(rows.rate, at);
    joined.ms.set(rows.ms, at);
    at += rows.loss.length;
  }
  return joined;
}
