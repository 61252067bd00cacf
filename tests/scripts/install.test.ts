import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { isInstalled } from "../../scripts/lib/install.mjs";

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "holdfast-install-"));
  await mkdir(join(root, "node_modules"));
});

afterEach(() => rm(root, { recursive: true }));

const LOCKED = {
  "": {},
  "node_modules/idb": { version: "8.0.4" },
  "node_modules/other-platform": { version: "1.0.0", optional: true },
};

async function write(installed: object | undefined): Promise<void> {
  await writeFile(join(root, "package-lock.json"), JSON.stringify({ packages: LOCKED }));
  if (installed === undefined) return;
  await writeFile(join(root, "node_modules", ".package-lock.json"), JSON.stringify({ packages: installed }));
}

test.each([
  ["what is locked", { "node_modules/idb": { version: "8.0.4" } }, true],
  ["another version", { "node_modules/idb": { version: "8.0.3" } }, false],
  ["a package less", {}, false],
  ["an install that was cut short", undefined, false],
])("%s", async (_name, installed, expected) => {
  await write(installed);
  expect(isInstalled(root)).toBe(expected);
});
