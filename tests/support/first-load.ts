/** What the built page needs before it can be used: its own scripts, and those of the worker that holds the runs. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

/** With all that they import at once; what is imported later does not count. */
export function firstScripts(dist: string): readonly string[] {
  const assets = join(dist, "assets");
  const page = readFileSync(join(dist, "index.html"), "utf8");
  const worker = readdirSync(assets).filter((name) => /^storage\.worker-.*\.js$/.test(name));
  const waiting = [
    ...[...page.matchAll(/(?:src|href)="\.\/assets\/([^"]+\.js)"/g)].map(([, name = ""]) => name),
    ...worker,
  ];
  const found = new Set<string>();
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (found.has(name)) continue;
    found.add(name);
    const code = readFileSync(join(assets, name), "utf8");
    const imported = code.matchAll(/(?:\bfrom|\bimport)\s*["'`]\.\/([^"'`]+\.js)["'`]/g);
    waiting.push(...[...imported].map(([, other = ""]) => other));
  }
  return [...found];
}

/** Bytes after gzip, each script by itself, as a server sends them. */
export function gzipBytes(dist: string, names: readonly string[]): number {
  const sizes = names.map((name) => gzipSync(readFileSync(join(dist, "assets", name)), { level: 9 }).length);
  return sizes.reduce((sum, size) => sum + size, 0);
}
