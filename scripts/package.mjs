/** `npm run package`: the library as a tarball in `.cache/package`, and what it weighs. */
import { ensureInstalled } from "./lib/install.mjs";
import { main } from "./lib/main.mjs";

await main(async () => {
  await ensureInstalled();
  const { buildPackage, packPackage, sizes } = await import("./lib/package.mjs");
  await buildPackage();
  for (const { what, bytes, gzip } of await sizes()) {
    process.stdout.write(`${what.padEnd(44)} ${kilobytes(bytes)} ${kilobytes(gzip)} gzip\n`);
  }
  process.stdout.write(`${packPackage()}\n`);
});

/** @param {number} bytes */
function kilobytes(bytes) {
  return `${(bytes / 1000).toFixed(1).padStart(7)} kB`;
}
