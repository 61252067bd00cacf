/**
 * Child processes that cannot outlive us: each runs in its own process group, which ends as a whole when its
 * time is up or when this process is interrupted.
 */
import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { Socket } from "node:net";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Between asking a group to end and ending it. */
const GRACE_MS = 3_000;

/** @type {Set<number>} */
const groups = new Set();

/** @param {number} pid @param {NodeJS.Signals} signal */
function signalGroup(pid, signal) {
  try {
    process.kill(-pid, signal);
  } catch {
    // The group has ended by itself.
  }
}

/**
 * Ends a process group when this process ends, even by SIGKILL, and removes `folder` then: a shell waits for its
 * end of a pipe, which only the kernel closes. Returns the call that lets go.
 *
 * @param {number} pid leader of the group
 * @param {string} [folder]
 * @returns {() => void}
 */
export function guardGroup(pid, folder = "") {
  const script = 'cat > /dev/null; kill -9 -"$1" 2> /dev/null; [ -z "$2" ] || { sleep 1; rm -rf "$2"; }';
  const guard = spawn("sh", ["-c", script, "guard", String(pid), folder], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  guard.unref();
  // Typed as a stream; it is a socket, which would keep this process alive.
  if (guard.stdin instanceof Socket) guard.stdin.unref();
  return () => {
    if (guard.pid !== undefined) signalGroup(guard.pid, "SIGKILL");
  };
}

for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) {
  process.once(signal, () => {
    for (const pid of groups) signalGroup(pid, "SIGKILL");
    process.exit(1);
  });
}

/** The command line of a tool of ours, without a shell and without npx. @param {string} path inside node_modules */
export function tool(path) {
  return join(ROOT, "node_modules", path);
}

/**
 * Runs Node on `args` in the project's root. Output goes to `log`, or to our own where none is given.
 *
 * @param {readonly string[]} args
 * @param {{ readonly timeoutMs: number, readonly log?: string, readonly env?: Readonly<Record<string, string>> }} options
 * @returns {Promise<{ readonly code: number | null, readonly timedOut: boolean }>}
 */
export function runNode(args, options) {
  return run(process.execPath, args, options);
}

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ readonly timeoutMs: number, readonly log?: string, readonly env?: Readonly<Record<string, string>> }} options
 * @returns {Promise<{ readonly code: number | null, readonly timedOut: boolean }>}
 */
export function run(command, args, { timeoutMs, log, env }) {
  return new Promise((resolve, reject) => {
    if (log !== undefined) mkdirSync(dirname(log), { recursive: true });
    const output = log === undefined ? "inherit" : openSync(log, "a");
    const child = spawn(command, args, {
      cwd: ROOT,
      detached: true,
      stdio: ["ignore", output, output],
      env: { ...process.env, ...env },
    });
    if (output !== "inherit") closeSync(output);
    const { pid } = child;
    if (pid !== undefined) groups.add(pid);
    const release = pid === undefined ? undefined : guardGroup(pid);
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      if (pid === undefined) return;
      signalGroup(pid, "SIGTERM");
      setTimeout(() => signalGroup(pid, "SIGKILL"), GRACE_MS).unref();
    }, timeoutMs);
    const finished = () => {
      clearTimeout(timer);
      release?.();
      if (pid === undefined) return;
      // What the tool left behind (a browser, a server) would hold a core of the stages that follow.
      signalGroup(pid, "SIGKILL");
      groups.delete(pid);
    };
    child.once("error", (error) => {
      finished();
      reject(error);
    });
    child.once("exit", (code) => {
      finished();
      resolve({ code, timedOut });
    });
  });
}
