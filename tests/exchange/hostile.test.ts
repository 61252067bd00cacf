import { expect, suite, test } from "vitest";
import { codeOf } from "../support/run-samples";
import { hostileFiles, type Parts } from "../support/hostile-files";
import { largeFiles } from "../support/hostile-large";
import { emptyStore, honestParts, meets } from "../support/hostile";
import { rawZip } from "../support/raw-zip";
import { importBundle } from "../../src/exchange/import";
import { HoldfastError } from "../../src/errors";
import { importRuns } from "../support/bundles";

const parts: Parts = await honestParts();
const large = await largeFiles();

suite("hostile files", () => {
  test("are at least two hundred, by different names", () => {
    const names = hostileFiles(parts).map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names.length).toBeGreaterThanOrEqual(200);
  });

  test("control: what they are made of comes in", async () => {
    const { manager, parts: store } = emptyStore();
    const file = rawZip(Array.from(parts, ([name, content]) => ({ name, content })));
    expect(await codeOf(importBundle(manager, store, new Blob([file])))).toBe("no error");
  });

  test("control: a large one that is refused, or that comes in as another, shows", async () => {
    const [honest] = large;
    expect(honest?.honest).toBe("whole");
    const refused = await meets(honest!, () => Promise.reject(new HoldfastError("corrupt", "it ends")));
    expect(refused.code).toBe("corrupt");
    const other = await meets(honest!, async (manager, store, file) => {
      const imported = await importRuns(manager, store, file);
      for (const { run } of imported) await manager.describe(run, { note: "changed" });
      return imported;
    });
    expect(other.traces).toEqual(["other bytes when it is exported again"]);
  });

  test.each([...hostileFiles(parts), ...large])("$name", async (hostile) => {
    expect(await meets(hostile)).toEqual({ code: hostile.code, traces: [] });
  });
});
