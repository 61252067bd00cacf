import { expect, suite, test } from "vitest";
import type { AuditEntry } from "../../src/format/stored";
import { auditOf, noted, notedAsDeleted, notedAsPruned, problemOf, STORE } from "../../src/store/audit";
import { MemoryCatalog } from "../../src/store/memory-catalog";

const NOTE = { run: "r1", time: 1, what: "saved", step: 5, why: "policy", ms: 3 } as const;

async function written(
  count: number,
): Promise<{ readonly catalog: MemoryCatalog; chain: readonly AuditEntry[] }> {
  const catalog = new MemoryCatalog();
  for (let index = 0; index < count; index += 1)
    await catalog.write("strict", (tx) => noted(tx, { ...NOTE, time: index, step: index }));
  return { catalog, chain: await catalog.read((tx) => tx.of("audit", "r1")) };
}

function chainsIn(catalog: MemoryCatalog, ...runs: string[]) {
  return catalog.read((tx) => Promise.all(runs.map((run) => tx.of("audit", run))));
}

suite("the audit log", () => {
  test("is a chain in the order of what was done", async () => {
    const { chain } = await written(5);
    expect(chain.map(({ seq, step }) => [seq, step])).toEqual([
      [1, 0],
      [2, 1],
      [3, 2],
      [4, 3],
      [5, 4],
    ]);
    expect(problemOf(chain)).toBeNull();
  });

  const FORGED: Partial<Record<keyof AuditEntry, unknown>> = {
    run: "r2",
    seq: 9,
    time: 99,
    tab: "none",
    what: "pruned",
    step: 99,
    why: "other",
    ms: null,
    before: "",
    hash: "0".repeat(64),
  };
  test.each(Object.entries(FORGED))("shows a changed %s", async (field, value) => {
    const { chain } = await written(5);
    const forged = chain.map((entry, index) => (index === 2 ? { ...entry, [field]: value } : entry));
    expect(problemOf(forged)).not.toBeNull();
  });

  test("shows an entry that was taken out, put in, or moved", async () => {
    const { chain } = await written(5);
    expect(problemOf(chain.toSpliced(2, 1))).toContain("does not follow on entry 2");
    expect(problemOf(chain.toSpliced(2, 0, chain[2]!))).not.toBeNull();
    expect(problemOf([chain[0]!, chain[2]!, chain[1]!, ...chain.slice(3)])).not.toBeNull();
    expect(problemOf(chain.slice(2))).toContain("follows on one that is missing");
    // The newest can go unseen: that is what noting the last hash elsewhere is for.
    expect(problemOf(chain.slice(0, -1))).toBeNull();
  });

  test("keeps the newest entries, and the chain holds without the oldest", async () => {
    const { chain } = await written(4100);
    expect(chain).toHaveLength(4096);
    expect(chain[0]?.seq).toBe(5);
    expect(problemOf(chain)).toBeNull();
  });

  test("is not written where what it tells was undone", async () => {
    const { catalog } = await written(1);
    const failing = catalog.write("strict", async (tx) => {
      await noted(tx, NOTE);
      throw new Error("undone");
    });
    await expect(failing).rejects.toThrow("undone");
    expect(await catalog.read((tx) => tx.of("audit", "r1"))).toHaveLength(1);
  });

  test("goes with its run, and the store's own says in which hash it ended", async () => {
    const { catalog, chain } = await written(3);
    await catalog.write("strict", (tx) => notedAsDeleted(tx, "r1", "Rings", 9));
    const { entries, broken } = await auditOf(await chainsIn(catalog, STORE, "r1"));
    expect(entries).toHaveLength(1);
    expect(entries[0]?.why).toContain(chain.at(-1)!.hash);
    expect(broken).toEqual([]);
  });

  test("names checkpoints that were let go of, and says nothing where none were", async () => {
    const { catalog } = await written(0);
    await catalog.write("strict", (tx) => notedAsPruned(tx, "r1", 1, []));
    await catalog.write("strict", (tx) =>
      notedAsPruned(
        tx,
        "r1",
        1,
        Array.from({ length: 22 }, (_, i) => i),
      ),
    );
    const { entries } = await auditOf(await chainsIn(catalog, "r1"));
    expect(entries.map(({ why }) => why)).toEqual([expect.stringMatching(/^steps 0, 1, .*19 and 2 more$/)]);
  });

  test("of all runs stands in the order of time, and each broken chain is named", async () => {
    const { catalog } = await written(2);
    await catalog.write("strict", (tx) => noted(tx, { ...NOTE, run: STORE, time: 0.5, what: "verified" }));
    const [first] = await catalog.read((tx) => tx.of("audit", "r1"));
    await catalog.write("strict", (tx) => tx.put("audit", { ...first!, why: "forged" }));
    const { entries, broken } = await auditOf(await chainsIn(catalog, STORE, "r1"));
    expect(entries.map(({ time }) => time)).toEqual([0, 0.5, 1]);
    expect(broken).toEqual([expect.stringContaining("entry 1 of run r1 was changed")]);
  });
});
