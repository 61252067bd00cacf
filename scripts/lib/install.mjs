/**
 * Installs the packages where they are missing or other than package-lock.json says. Imports nothing that would
 * have to be installed first.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT, run } from "./process.mjs";

const INSTALL_TIMEOUT_MS = 300_000;

/** @typedef {{ readonly version?: string, readonly optional?: boolean, readonly devOptional?: boolean, readonly peer?: boolean }} LockedPackage */

/**
 * @param {string} path
 * @returns {Readonly<Record<string, LockedPackage>> | undefined}
 */
function readLock(path) {
  if (!existsSync(path)) return undefined;
  /** @type {{ readonly packages?: Readonly<Record<string, LockedPackage>> }} */
  const lock = JSON.parse(readFileSync(path, "utf8"));
  return lock.packages;
}

/**
 * Does what is installed have every version that is locked? npm writes `node_modules/.package-lock.json` last,
 * so an install that was interrupted has none.
 *
 * @param {string} root
 */
export function isInstalled(root) {
  const wanted = readLock(join(root, "package-lock.json"));
  const present = readLock(join(root, "node_modules", ".package-lock.json"));
  if (wanted === undefined || present === undefined) return false;
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === "") return true;
    const found = present[path];
    // Packages for other platforms are locked and rightly absent.
    if (found === undefined)
      return entry.optional === true || entry.devOptional === true || entry.peer === true;
    return found.version === entry.version;
  });
}

/** Throws one line that says what to do. */
export async function ensureInstalled() {
  if (isInstalled(ROOT)) return;
  process.stdout.write("Installing packages (npm ci)\n");
  // `--include=dev`: with NODE_ENV=production npm would leave out every tool.
  const { code } = await run("npm", ["ci", "--include=dev", "--no-audit", "--no-fund", "--loglevel=error"], {
    timeoutMs: INSTALL_TIMEOUT_MS,
  });
  if (code !== 0) throw new Error("`npm ci` failed: see its messages above, mend that, and run this again.");
}
