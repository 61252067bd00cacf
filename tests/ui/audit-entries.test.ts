import { expect, suite, test } from "vitest";
import type { AuditEntry } from "../../src/format/stored";
import { auditCsv, matching } from "../../src/ui/audit-entries";

const LINK = { seq: 1, tab: "k3f9", before: "", hash: "ab", ms: null };
const ENTRIES: readonly AuditEntry[] = [
  { ...LINK, run: "r1", time: 1, what: "saved", step: 5, why: "policy" },
  { ...LINK, run: "r1", time: 2, what: "pruned", step: null, why: "steps 5, 6" },
  { ...LINK, run: "r2", time: 3, what: "saved", step: 9, why: "pause" },
];
const NAMES = new Map([["r1", "Rings"]]);

suite("entries of the audit log", () => {
  test("are found by every word, in whatever column, newest first", () => {
    const times = (wanted: string) => matching(ENTRIES, NAMES, wanted).map(({ time }) => time);
    expect(times("")).toEqual([3, 2, 1]);
    expect(times("rings saved")).toEqual([1]);
    expect(times("K3F9 pause")).toEqual([3]);
    expect(times("nothing")).toEqual([]);
  });

  test("leave as lines that a spreadsheet reads", () => {
    expect(
      auditCsv(matching(ENTRIES, NAMES, "r2"), NAMES)
        .split("\r\n")
        .slice(1),
    ).toEqual(["1970-01-01T00:00:00.003Z,r2,,1,saved,9,pause,,k3f9,ab", ""]);
    expect(auditCsv(ENTRIES, NAMES)).toContain('r1,Rings,1,pruned,,"steps 5, 6",,k3f9,ab\r\n');
  });
});
