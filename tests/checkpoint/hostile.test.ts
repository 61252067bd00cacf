import { expect, suite, test } from "vitest";
import { codeOf } from "../support/run-samples";
import { hostileFiles, type Parts } from "../support/hostile-files";
import { emptyStore, honestParts, meets } from "../support/hostile";
import { rawZip } from "../support/raw-zip";
import { importBundle } from "../../src/checkpoint/import";

const parts: Parts = await honestParts();

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

  test.each(hostileFiles(parts))("$name", async (hostile) => {
    expect(await meets(hostile)).toEqual({ code: hostile.code, traces: [] });
  });
});
