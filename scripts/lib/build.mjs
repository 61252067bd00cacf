/** Builds the app, the pages of the benches and the page over made-up runs, when what they are made from is newer. */
import { existsSync, mkdirSync, readdirSync, rmdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { ROOT, runNode, tool } from "./process.mjs";

export const DIST = join(ROOT, "dist");
export const BENCH_DIST = join(ROOT, ".cache", "bench");
const MADE_UP_DIST = join(ROOT, ".cache", "made-up");

const BUILD_TIMEOUT_MS = 180_000;
const LOCK = join(ROOT, ".cache", "build.lock");
const LOCK_RETRY_MS = 100;
const APP_SOURCES = [
  "src",
  "public",
  "index.html",
  "vite.config.ts",
  "scripts/lib/csp.mjs",
  "scripts/lib/offline.mjs",
  "package-lock.json",
];

/**
 * The newest change in a file or folder, ms since 1970. Folders count themselves, so that a deleted file is seen.
 *
 * @param {string} path
 * @returns {number}
 */
function newestChange(path) {
  if (!existsSync(path)) return 0;
  const { mtimeMs } = statSync(path);
  if (!statSync(path).isDirectory()) return mtimeMs;
  return Math.max(mtimeMs, ...readdirSync(path).map((name) => newestChange(join(path, name))));
}

/** @param {readonly string[]} sources @param {string} product */
function isOlder(sources, product) {
  const made = newestChange(product);
  return sources.some((source) => newestChange(join(ROOT, source)) > made);
}

/**
 * One build at a time: test workers and drills that start together would empty the folder under each other. A
 * lock older than any build is the remains of one that was killed.
 *
 * @param {() => Promise<void>} body
 */
async function locked(body) {
  mkdirSync(join(ROOT, ".cache"), { recursive: true });
  for (;;) {
    try {
      mkdirSync(LOCK);
      break;
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
      const made = statSync(LOCK, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
      if (Date.now() - made > BUILD_TIMEOUT_MS) rmdirSync(LOCK);
      else await new Promise((resolve) => setTimeout(resolve, LOCK_RETRY_MS));
    }
  }
  try {
    await body();
  } finally {
    rmdirSync(LOCK);
  }
}

/**
 * @param {string} what
 * @param {readonly string[]} sources
 * @param {string} product
 * @param {readonly string[]} args
 */
async function ensure(what, sources, product, args) {
  if (!isOlder(sources, product)) return;
  await locked(async () => {
    // Built by another process while this one waited.
    if (!isOlder(sources, product)) return;
    const log = join(ROOT, ".cache", "logs", "build.log");
    process.stdout.write(`Building ${what}\n`);
    const { code, timedOut } = await runNode([tool("vite/bin/vite.js"), "build", ...args], {
      timeoutMs: BUILD_TIMEOUT_MS,
      log,
      // A test runner that asks for a build sets another one, and Vite would go by it.
      env: { NODE_ENV: "production" },
    });
    if (code !== 0) throw new Error(`The build ${timedOut ? "did not end in time" : "failed"}: see ${log}.`);
  });
}

/** The folder of the built app, fresh. */
export async function ensureBuilt() {
  await ensure("the app", APP_SOURCES, join(DIST, "index.html"), []);
  return DIST;
}

/** The folder with `bench/pages/*.html`, built on the sources of the app. */
export async function ensureBenchPages() {
  const product = join(BENCH_DIST, "bench", "pages");
  await ensure("the pages of the benches", [...APP_SOURCES, "bench", "tests/support"], product, [
    "--config",
    "bench/pages.config.ts",
  ]);
  return BENCH_DIST;
}

/** The folder with `tests/support/ui.html`, the app over made-up runs. */
export async function ensureMadeUpPage() {
  const product = join(MADE_UP_DIST, "tests", "support", "ui.html");
  await ensure("the page over made-up runs", [...APP_SOURCES, "tests/support"], product, [
    "--config",
    "tests/support/ui.config.ts",
  ]);
  return MADE_UP_DIST;
}
