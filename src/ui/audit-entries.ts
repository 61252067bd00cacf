/** Entries of the audit log as the health screen finds them and hands them out. */
import type { AuditEntry } from "../worker/protocol";
import { csv } from "./csv";

/** Names of runs by id; of one that was deleted for good only its id is left. */
export type Names = ReadonlyMap<string, string>;

/** Entries in which every word occurs, newest first. */
export function matching(entries: readonly AuditEntry[], names: Names, wanted: string): AuditEntry[] {
  const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
  return entries
    .filter(({ run, what, step, why, tab }) => {
      const text = `${names.get(run) ?? run} ${what} ${step ?? ""} ${why} ${tab}`.toLowerCase();
      return words.every((word) => text.includes(word));
    })
    .toReversed();
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
