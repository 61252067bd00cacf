/**
 * Which browser the tests, benches and drills use, and how it is started.
 *
 * Order: `CHROMIUM_PATH`, an installed Chromium or Chrome, Playwright's own download, and as root on Debian the
 * package `chromium`. Nothing is downloaded from anywhere else.
 */
import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { chromium } from "@playwright/test";

const NAMES = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome"];
const MACOS = [
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];
const APT_TIMEOUT_MS = 300_000;

/**
 * Real WebGPU without a GPU: Dawn on SwiftShader. `HOLDFAST_GPU=1` leaves the adapter to the browser, for
 * machines that have one.
 */
export const LAUNCH_ARGUMENTS = [
  "--no-sandbox",
  "--enable-unsafe-webgpu",
  ...(process.env["HOLDFAST_GPU"] === "1"
    ? ["--enable-features=Vulkan", "--ignore-gpu-blocklist"]
    : ["--use-webgpu-adapter=swiftshader"]),
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** @param {string} path */
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** @param {readonly string[]} names */
function onPath(names) {
  const folders = (process.env["PATH"] ?? "").split(delimiter).filter(Boolean);
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable);
}

/** The path of a browser that is there, or undefined. A `CHROMIUM_PATH` that leads nowhere is an error. */
export function findBrowser() {
  const named = process.env["CHROMIUM_PATH"];
  if (named !== undefined && named !== "") {
    if (isExecutable(named)) return named;
    throw new Error(`CHROMIUM_PATH is ${named}, which is not an executable file: correct or unset it.`);
  }
  return onPath(NAMES) ?? MACOS.find(isExecutable) ?? playwrightsOwn();
}

function playwrightsOwn() {
  const path = chromium.executablePath();
  return path !== "" && isExecutable(path) ? path : undefined;
}

/** As `findBrowser`, and installs Debian's package where that is possible. Throws one line that says what to do. */
export function needBrowser() {
  const found = findBrowser();
  if (found !== undefined) return found;
  if (existsSync("/etc/debian_version") && process.getuid?.() === 0) {
    process.stdout.write("No Chromium found: installing Debian's package (apt-get install chromium)\n");
    spawnSync("apt-get", ["update", "-qq"], {
      stdio: ["ignore", "ignore", "inherit"],
      timeout: APT_TIMEOUT_MS,
    });
    spawnSync("apt-get", ["install", "-y", "-qq", "--no-install-recommends", "chromium"], {
      stdio: ["ignore", "ignore", "inherit"],
      timeout: APT_TIMEOUT_MS,
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    });
    const installed = onPath(NAMES);
    if (installed !== undefined) return installed;
  }
  throw new Error(
    "No Chromium or Chrome found: install one, or set CHROMIUM_PATH to its executable, or run `npx playwright install chromium`.",
  );
}
