/** Entries of the audit log as the health screen finds them and hands them out. */
import type { AuditEntry } from "../worker/protocol";
import { csv } from "./csv";

/** Names of runs by id; of one that was deleted for good only its id is left. */
export type Names = ReadonlyMap<string, string>;

/** What one line of the log tells: an entry, or many that say the same. */
export interface AuditLine {
  /** Newest first, of one run and tab. */
  readonly entries: readonly [AuditEntry, ...AuditEntry[]];
  readonly what: string;
}

/** A look after a longer while is another one. */
const TOGETHER_MS = 3_600_000;
const LOOKED_AT = "looked at";

/**
 * The log as it is read, newest first. A comparison restores the same states for each of its pictures: looks at a run with
 * nothing else done to it between them are one line.
 */
export function auditLines(entries: readonly AuditEntry[]): readonly AuditLine[] {
  const lines: { entries: [AuditEntry, ...AuditEntry[]]; what: string }[] = [];
  /** By run, the line of what was done to it next. */
  const next = new Map<string, (typeof lines)[number]>();
  for (const entry of entries.toReversed()) {
    const later = next.get(entry.run);
    const isLook = entry.what === "restored" && entry.why === "" && later?.what !== "resumed";
    const oldest = later?.entries.at(-1);
    const isSame =
      later?.what === LOOKED_AT && oldest?.tab === entry.tab && oldest.time - entry.time < TOGETHER_MS;
    if (isLook && isSame) {
      later.entries.push(entry);
      continue;
    }
    const line = { entries: [entry] as [AuditEntry], what: isLook ? LOOKED_AT : entry.what };
    next.set(entry.run, line);
    lines.push(line);
  }
  return lines;
}

/** Lines in which every word occurs: as they are read, and as they were recorded. */
export function matching(lines: readonly AuditLine[], names: Names, wanted: string): readonly AuditLine[] {
  const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return lines;
  return lines.filter(({ entries, what: told }) => {
    const [{ run, what, why, tab }] = entries;
    const steps = entries.map(({ step }) => step ?? "").join(" ");
    const text = `${names.get(run) ?? run} ${told} ${what} ${steps} ${why} ${tab}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

const COLUMNS = ["time", "run", "name", "seq", "what", "step", "why", "ms", "tab", "hash"] as const;

/** A line to an entry. */
export function auditCsv(entries: readonly AuditEntry[], names: Names): string {
  const rows = entries.map(({ time, run, seq, what, step, why, ms, tab, hash }) => [
    new Date(time).toISOString(),
    run,
    names.get(run) ?? "",
    seq,
    what,
    step ?? "",
    why,
    ms ?? "",
    tab,
    hash,
  ]);
  return csv([COLUMNS, ...rows]);
}
