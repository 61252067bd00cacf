/**
 * What a person says of a table's columns, as the settings of a run have it: `target`, `problem`, and `columns`, which is written
 * as `year=category, "length, mm"=ignored`.
 */
import { excerpt } from "../excerpt";
import type { ColumnKind } from "../format/dataset";

/** Characters of what was written that a problem names. */
const QUOTED = 60;

export const TARGET = "target";
export const PROBLEM = "problem";
export const COLUMNS = "columns";
/** Settings that speak of one table: a preset leaves them as they are, another table does not. */
export const COLUMN_SETTINGS: ReadonlySet<string> = new Set([TARGET, PROBLEM, COLUMNS]);

export const COLUMN_KINDS: readonly ColumnKind[] = ["number", "category", "ignored"];

export type KindsByName = ReadonlyMap<string, ColumnKind>;

export type Corrections =
  { readonly ok: true; readonly kinds: KindsByName } | { readonly ok: false; readonly problem: string };

/** A name, in quotes where it holds one of `,="` or begins or ends with a space, and a word after `=`. */
const ENTRY = /\s*(?:"((?:[^"]|"")+)"|([^,="]*[^,="\s]))\s*=\s*([^,="\s]*)\s*(?:,|$)/y;

/** Reads the setting `columns`. */
export function correctionsOf(text: string): Corrections {
  const kinds = new Map<string, ColumnKind>();
  ENTRY.lastIndex = 0;
  for (let at = 0; text.slice(at).trim() !== ""; at = ENTRY.lastIndex) {
    const found = ENTRY.exec(text);
    const [all = "", quoted, plain = "", word = ""] = found ?? [];
    if (found === null)
      return {
        ok: false,
        problem: `“${excerpt(text.slice(at).trim(), QUOTED)}” is not NAME=KIND; write year=category, id=ignored.`,
      };
    const name = quoted?.replaceAll('""', '"') ?? plain;
    const kind = COLUMN_KINDS.find((known) => known === word);
    if (kind === undefined)
      return {
        ok: false,
        problem: `“${excerpt(all.trim(), QUOTED)}”: a column is one of ${COLUMN_KINDS.join(", ")}.`,
      };
    if (kinds.has(name)) return { ok: false, problem: `The column “${name}” stands there twice.` };
    kinds.set(name, kind);
  }
  return { ok: true, kinds };
}

/** The inverse of `correctionsOf`. */
export function correctionsText(kinds: KindsByName): string {
  return [...kinds]
    .map(([name, kind]) => {
      const isPlain = /^[^,="\s](?:[^,="]*[^,="\s])?$/.test(name);
      return `${isPlain ? name : `"${name.replaceAll('"', '""')}"`}=${kind}`;
    })
    .join(", ");
}

/** What is learned where nobody chose: the last column that is not ignored. */
export function usualTarget(
  columns: readonly { readonly name: string; readonly kind: ColumnKind }[],
): string | null {
  return columns.findLast(({ kind }) => kind !== "ignored")?.name ?? null;
}
