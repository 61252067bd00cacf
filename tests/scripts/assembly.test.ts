import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { compilePlanes, PLANES_MODULE } from "../../scripts/lib/assembly.mjs";

test("the WebAssembly that is carried along is what its source compiles to", async () => {
  expect(await readFile(PLANES_MODULE, "utf8")).toBe(await compilePlanes());
}, 60_000);
