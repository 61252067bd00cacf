import { expect, suite, test } from "vitest";
import type { AuditEntry } from "../../src/format/stored";
import { auditCsv, auditLines, matching, whatWords, whyWords } from "../../src/ui/audit-entries";

const LINK = { seq: 1, tab: "k3f9", before: "", hash: "ab", ms: null };
const ENTRIES: readonly AuditEntry[] = [
  { ...LINK, run: "r1", time: 1, what: "saved", step: 5, why: "policy" },
  { ...LINK, run: "r1", time: 2, what: "pruned", step: null, why: "steps 5, 6" },
  { ...LINK, run: "r2", time: 3, what: "saved", step: 9, why: "pause" },
];
const NAMES = new Map([["r1", "Rings"]]);

/** Of run `run` from its first entry on: a letter for each, `l` for a restoring. */
function chain(run: string, letters: string, { tab = "k3f9", apart = 1000 } = {}): readonly AuditEntry[] {
  const kinds = { l: "restored", s: "saved", r: "resumed" } as const;
  return Array.from(letters, (letter, seq) => ({
    ...{ ...LINK, run, seq, tab, time: seq * apart, step: 10 * seq, why: "" },
    what: kinds[letter as keyof typeof kinds],
  }));
}

const told = (entries: readonly AuditEntry[]) =>
  auditLines(entries).map((line) => `${line[0].what}${line.length === 1 ? "" : ` ${line.length}`}`);

suite("entries of the audit log", () => {
  const lines = auditLines(ENTRIES);

  test("are found by every word, in whatever column, newest first", () => {
    const times = (wanted: string) => matching(lines, NAMES, wanted).map(([{ time }]) => time);
    expect(times("")).toEqual([3, 2, 1]);
    expect(times("rings saved")).toEqual([1]);
    expect(times("K3F9 pause")).toEqual([3]);
    expect(times("nothing")).toEqual([]);
  });

  test("are told in plain words, by which they are found as by those of the log", () => {
    expect(ENTRIES.map(({ what }) => whatWords(what))).toEqual(["saved", "thinned out", "saved"]);
    expect(ENTRIES.map(whyWords)).toEqual(["on schedule", "steps 5, 6", "at a pause"]);
    expect(whyWords({ what: "resumed", why: "pause" })).toBe("pause");
    for (const wanted of ["schedule", "policy"]) expect(matching(lines, NAMES, wanted)).toHaveLength(1);
  });

  test("leave as lines that a spreadsheet reads", () => {
    const found = matching(lines, NAMES, "r2").flat();
    expect(auditCsv(found, NAMES).split("\r\n").slice(1)).toEqual([
      "1970-01-01T00:00:00.003Z,r2,,1,saved,9,pause,,k3f9,ab",
      "",
    ]);
    expect(auditCsv(ENTRIES, NAMES)).toContain('r1,Rings,1,pruned,,"steps 5, 6",,k3f9,ab\r\n');
  });
});

suite("restorings of a run", () => {
  test("are one line, also where another run was restored between them", () => {
    const two = [...chain("a", "llll"), ...chain("b", "llll")].sort((x, y) => x.time - y.time);
    expect(told(two)).toEqual(["restored 4", "restored 4"]);
  });

  test("are told apart by what was done to the run, by tab and by an hour", () => {
    expect(told(chain("a", "llsllr"))).toEqual(["resumed", "restored 2", "saved", "restored 2"]);
    const [first, second] = chain("a", "ll");
    expect(told([first!, { ...second!, tab: "other" }])).toEqual(["restored", "restored"]);
    expect(told(chain("a", "ll", { apart: 3_600_000 }))).toEqual(["restored", "restored"]);
  });

  test("that met damage stand alone, with what they met", () => {
    const [first, second, third] = chain("a", "lll");
    const met = { ...second!, why: "1 newer ones are damaged" };
    expect(told([first!, met, third!])).toEqual(["restored", "restored", "restored"]);
  });

  test("lose no entry, and are found by each of their steps", () => {
    const entries = chain("a", "lllsll");
    const found = (wanted: string) => matching(auditLines(entries), NAMES, wanted).flat();
    expect(found("")).toEqual(entries.toReversed());
    expect(found("restored 20")).toEqual(entries.slice(0, 3).toReversed());
    expect(found("restored 40")).toEqual(entries.slice(4).toReversed());
  });
});
