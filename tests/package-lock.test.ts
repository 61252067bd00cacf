import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const PUBLIC = "https://registry.npmjs.org/";

/** Where a lock file sends those who install, other than to the public registry. None is named where it is the default. */
function privateAddresses(lock: string): readonly string[] {
  const found: string[] = [];
  JSON.parse(lock, (key, value: unknown) => {
    const isAddress = key === "resolved" || (key === "version" && String(value).includes(":"));
    if (isAddress && !String(value).startsWith(PUBLIC)) found.push(String(value));
    return value;
  });
  return found;
}

test("packages come from the public registry, whoever installs", () => {
  const lock = readFileSync(new URL("../package-lock.json", import.meta.url), "utf8");
  expect(lock).toContain('"node_modules/comlink"');
  expect(privateAddresses(lock)).toEqual([]);
});

test.each([
  "https://packages.example.internal/comlink/-/comlink-4.4.2.tgz",
  "http://127.0.0.1:4873/idb.tgz",
  "git+ssh://git@example.org/idb.git",
  "../idb",
])("a private address is caught: %s", (address) => {
  expect(privateAddresses(JSON.stringify({ packages: { "node_modules/x": { resolved: address } } }))).toEqual(
    [address],
  );
});
