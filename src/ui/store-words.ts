/** What became of what is stored, and of files that come and go, in words a person would say. */
import type { Deployment, Drill, Imported, Recovery, ScrubStatus } from "../worker/protocol";
import { count, counted, loss } from "./format";
import type { SaveFailure } from "./run-state.svelte";
import { metricWords } from "./words";

/** What the opening of the store found and missed; null where that is nothing to speak of. */
export function recoveryWords({ runs, lost }: Recovery): string | null {
  const back = runs.filter(({ listed }) => !listed);
  const checkpoints = back.reduce((sum, run) => sum + run.checkpoints, 0);
  const found =
    back.length === 0
      ? ""
      : `The browser had lost its list of runs. ${counted(back.length, "run")} came back from what is stored, with ${counted(checkpoints, "checkpoint")}.`;
  const missed = lost.length === 0 ? "" : `Not whole any more: ${lost.join("; ")}`;
  return [found, missed].filter((part) => part !== "").join(" ") || null;
}

/** How the last reading back of everything went; null before the first one, and where there was nothing to read. */
export function scrubWords({ finished, checkpoints, damaged }: ScrubStatus): string | null {
  if (damaged.length > 0) return `Damaged on this device: ${damaged.join("; ")}`;
  if (finished === null || checkpoints === 0) return null;
  return `${counted(checkpoints, "checkpoint")} read back, all whole`;
}

/** So many checkpoints went because the site's storage is nearly full. */
export function thinnedWords(gone: number): string {
  return `The site's storage is nearly full, so ${counted(gone, "older checkpoint")} went. Their steps can still be gone back to; delete runs, or export them, to keep more.`;
}

/** What came of trying to return to a checkpoint. */
export function rehearsalWords({ step, from, to, proof, failure }: Drill): string {
  if (failure !== null) return `Step ${count(step)} did not come back as it was. ${failure}`;
  const steps = counted(to - from, "step");
  switch (proof) {
    case "digest":
      return `${steps} computed again, to the very state that was saved`;
    case "losses":
      return `${steps} computed again, with the same losses`;
    case "stored":
      return "restored; there is no step to compare with";
    default:
      return proof satisfies never;
  }
}

/** What came of a bundle. */
export function importedWords(file: string, imported: readonly Imported[]): string {
  const counts = (["new", "copy", "present"] as const).map(
    (wanted) => imported.filter(({ how }) => how === wanted).length,
  );
  const [fresh = 0, copies = 0, present = 0] = counts;
  const trashed = imported.filter((one) => one.trashed !== undefined).length;
  const others = copies - trashed;
  const parts = [
    ...(fresh > 0 ? [counted(fresh, "run")] : []),
    ...(others > 0 ? [`${counted(others, "run")} as a copy, since another one has its id`] : []),
    ...(trashed > 0
      ? [`${counted(trashed, "run")} as a copy, since the one with its id is in the trash`]
      : []),
    ...(present > 0 ? [`${counted(present, "run")} was here already, and is as it was`] : []),
  ];
  const bare = imported.filter(({ hasData }) => !hasData).length;
  const data =
    bare === 0
      ? ""
      : `. The data that ${bare === 1 ? "it trains" : "they train"} on did not come along: choose that file under New run once, and it is here`;
  return `Imported ${file}: ${parts.join("; ")}${data}`;
}

/** What weights that leave cost on held-out data, as they are stored. */
export function deployedWords(file: string, { before, after }: Deployment): string {
  const [metric] = Object.keys(before);
  const [was, is] = [before, after].map((metrics) => (metric === undefined ? undefined : metrics[metric]));
  if (metric === undefined || was === undefined || is === undefined) return `Exported ${file}`;
  const change = was === is ? `${loss(is)}, as trained` : `${loss(was)} became ${loss(is)}`;
  return `Exported ${file}: ${metricWords(metric)} ${change}`;
}

/** What did not come to be, and why. */
export function failureWords({ what, step, message }: SaveFailure): string {
  switch (what) {
    case "checkpoint":
      return `The checkpoint at step ${count(step)} was not saved: ${message}`;
    case "losses":
      return `The losses up to step ${count(step)} are not stored yet: ${message}`;
    case "evaluation":
      return `Step ${count(step)} was not evaluated: ${message}`;
    default:
      return what satisfies never;
  }
}
