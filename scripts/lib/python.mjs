/**
 * A Python with NumPy and PyTorch, which nothing but `npm run interop` needs.
 *
 * Order: `HOLDFAST_PYTHON`, the Pythons on the path, and as root on Debian the packages. Nothing is downloaded from
 * anywhere else.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

const APT_TIMEOUT_MS = 600_000;
const IMPORT_TIMEOUT_MS = 60_000;

/** One of another origin may come first on the path and know nothing of Debian's packages. */
const NAMES = ["python3", "/usr/bin/python3"];

/** @param {string} path */
function hasPackages(path) {
  const { stdout } = spawnSync(path, ["-c", "import numpy, torch; print('both')"], {
    encoding: "utf8",
    timeout: IMPORT_TIMEOUT_MS,
  });
  return stdout?.trim() === "both";
}

/** The command of a Python that can import both. Throws one line that says what to do. */
export function needPython() {
  const named = process.env["HOLDFAST_PYTHON"];
  if (named !== undefined && named !== "") {
    if (hasPackages(named)) return named;
    throw new Error(`HOLDFAST_PYTHON is ${named}, which cannot import numpy and torch: correct or unset it.`);
  }
  const found = NAMES.find(hasPackages);
  if (found !== undefined) return found;
  if (existsSync("/etc/debian_version") && process.getuid?.() === 0) {
    process.stdout.write(
      "No Python with NumPy and PyTorch found: installing Debian's packages (apt-get install python3-numpy python3-torch)\n",
    );
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    for (const words of [
      ["update", "-qq"],
      ["install", "-y", "-qq", "--no-install-recommends", "python3-numpy", "python3-torch"],
    ]) {
      spawnSync("apt-get", words, { stdio: ["ignore", "ignore", "inherit"], timeout: APT_TIMEOUT_MS, env });
    }
    const installed = NAMES.find(hasPackages);
    if (installed !== undefined) return installed;
  }
  throw new Error(
    "No Python with NumPy and PyTorch found: install both (Debian: apt-get install python3-numpy python3-torch), or set HOLDFAST_PYTHON to one that has them.",
  );
}
