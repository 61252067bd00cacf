/** What the build says of its files, and what an installed page needs. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { ensureBuilt } from "../../scripts/lib/build.mjs";

let dist = "";

beforeAll(async () => {
  dist = await ensureBuilt();
}, 120_000);

function readJson(text: string): unknown {
  return JSON.parse(text);
}

/** Width and height, from the header of a PNG. */
function sizeOf(file: string): string {
  const bytes = readFileSync(join(dist, file));
  expect(bytes.subarray(1, 4).toString()).toBe("PNG");
  return `${bytes.readUInt32BE(16)}x${bytes.readUInt32BE(20)}`;
}

test("the service worker knows every file of the build by its digest, and imports nothing", () => {
  const script = readFileSync(join(dist, "service-worker.js"), "utf8");
  // Files have such names too.
  expect(script.replaceAll(/"[^"]*"/g, "")).not.toMatch(/\bimport\b|\bexport\b/);
  const list = /^const HOLDFAST_BUILD=(\{.*?\}\});/.exec(script)?.[1] ?? "null";
  const expected = readdirSync(dist, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== "service-worker.js")
    .map(({ parentPath, name }): readonly [string, string] => {
      const path = join(parentPath, name);
      const digest = createHash("sha256").update(readFileSync(path)).digest("hex");
      return [path === join(dist, "index.html") ? "./" : path.slice(dist.length + 1), digest];
    });
  expect(expected.length).toBeGreaterThan(20);
  expect(readJson(list)).toMatchObject({ files: Object.fromEntries(expected) });
});

test("the page brings its service worker, and is built for those who use it, also when a test builds it", () => {
  const entry = /src="\.\/(assets\/index-[\w-]+\.js)"/.exec(
    readFileSync(join(dist, "index.html"), "utf8"),
  )?.[1];
  expect(readFileSync(join(dist, entry ?? ""), "utf8")).toContain("./service-worker.js");
});

test("an installed page has its icons, in the sizes that it says", () => {
  const manifest = readJson(readFileSync(join(dist, "manifest.webmanifest"), "utf8"));
  expect(manifest).toMatchObject({ start_url: "./", scope: "./", display: "standalone" });
  expect(sizeOf("icon-192.png")).toBe("192x192");
  expect(sizeOf("icon-512.png")).toBe("512x512");
  expect(sizeOf("icon-maskable-512.png")).toBe("512x512");
  expect(readFileSync(join(dist, "index.html"), "utf8")).toContain(
    '<link rel="manifest" href="./manifest.webmanifest"',
  );
});
