/** Entries of the audit log as the health screen finds them and hands them out. */
import type { AuditEntry } from "../worker/protocol";
import { csv } from "./csv";
import { SAVED_WHY } from "./step-words";

/** What was done, where the log's own word says little to who has not read its code. */
const PLAIN: Partial<Readonly<Record<AuditEntry["what"], string>>> = {
  restored: "loaded",
  rehearsed: "restored as a test",
  verified: "read back",
  pruned: "thinned out",
  described: "notes changed",
  policy: "policy changed",
};
const WHY: Readonly<Record<string, string>> = SAVED_WHY;

/** What was done, in words a person would say. */
export function whatWords(what: AuditEntry["what"]): string {
  return PLAIN[what] ?? what;
}

/** Why, in such words: a save has one of the reasons of checkpoints. */
export function whyWords({ what, why }: Pick<AuditEntry, "what" | "why">): string {
  return (what === "saved" ? WHY[why] : undefined) ?? why;
}

/** Names of runs by id; of one that was deleted for good only its id is left. */
export type Names = ReadonlyMap<string, string>;

/** What one line of the log tells: an entry, or many that say the same; newest first, of one run and tab. */
export type AuditLine = readonly [AuditEntry, ...AuditEntry[]];

/** What is restored after a longer while is restored for something else. */
const TOGETHER_MS = 3_600_000;

/**
 * The log as it is read, newest first. A comparison restores the same states for each of its pictures: restorings of a run
 * with nothing else done to it between them, and nothing else to say of them, are one line.
 */
export function auditLines(entries: readonly AuditEntry[]): readonly AuditLine[] {
  const lines: [AuditEntry, ...AuditEntry[]][] = [];
  /** By run, the line of what was done to it next. */
  const next = new Map<string, (typeof lines)[number]>();
  const isPlain = ({ what, why }: AuditEntry) => what === "restored" && why === "";
  for (const entry of entries.toReversed()) {
    const line = next.get(entry.run);
    const later = line?.at(-1);
    const isSame =
      later !== undefined &&
      isPlain(later) &&
      isPlain(entry) &&
      later.tab === entry.tab &&
      later.time - entry.time < TOGETHER_MS;
    if (isSame) {
      line?.push(entry);
      continue;
    }
    const other: [AuditEntry] = [entry];
    next.set(entry.run, other);
    lines.push(other);
  }
  return lines;
}

/** Lines in which every word occurs. */
export function matching(lines: readonly AuditLine[], names: Names, wanted: string): readonly AuditLine[] {
  const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return lines;
  return lines.filter((line) => {
    const [entry] = line;
    const { run, what, why, tab } = entry;
    const steps = line.map(({ step }) => step ?? "").join(" ");
    const text =
      `${names.get(run) ?? run} ${what} ${whatWords(what)} ${steps} ${why} ${whyWords(entry)} ${tab}`.toLowerCase();
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
