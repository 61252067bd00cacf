/** Memory of the processes that render pages, as the system counts it. */
import { readdirSync, readFileSync } from "node:fs";

const SAMPLE_MS = 20;
const PAGE_BYTES = 4096;

/** The most bytes that a renderer below this process had while `work` was done, beyond what it had before. */
export async function peakDuring<T>(
  work: () => Promise<T>,
): Promise<{ readonly result: T; readonly bytes: number }> {
  const pids = renderersOf(process.pid);
  const resident = () => Math.max(...pids.map(residentBytes));
  const before = resident();
  let most = before;
  const timer = setInterval(() => {
    most = Math.max(most, resident());
  }, SAMPLE_MS);
  try {
    return { result: await work(), bytes: most - before };
  } finally {
    clearInterval(timer);
  }
}

/** Processes that descend from this one and render pages. */
function renderersOf(root: number): number[] {
  const parents = new Map<number, number>();
  const renderers: number[] = [];
  for (const name of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
    try {
      const pid = Number(name);
      parents.set(pid, Number(/^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]));
      if (readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("--type=renderer")) renderers.push(pid);
    } catch {
      // It ended while it was looked at.
    }
  }
  const isOurs = (pid: number | undefined): boolean =>
    pid !== undefined && (pid === root || isOurs(parents.get(pid)));
  return renderers.filter((pid) => isOurs(pid));
}

/** Of a process; 0 where it is gone. */
function residentBytes(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, "utf8").split(" ")[1]) * PAGE_BYTES;
  } catch {
    return 0;
  }
}
