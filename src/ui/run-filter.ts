/** The list of runs, narrowed by words. */
import type { RunInfo } from "../worker/protocol";
import { statusWord } from "./words";

/** Runs in whose name, task, status or tags (of the run, or of its steps) every word occurs. */
export function filtered(runs: readonly RunInfo[], wanted: string): readonly RunInfo[] {
  const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
  return runs.filter(({ name, task, status, tags, stepTags }) => {
    const text = [name, task, statusWord(status), ...tags, ...stepTags].join(" ").toLowerCase();
    return words.every((word) => text.includes(word));
  });
}
