/** What happens to a run, in words a person would say. */
import type {
  Deployment,
  Drill,
  Imported,
  Interpolation,
  BackendInfo,
  BestStep,
  CheckpointInfo,
  Phase,
  Policy,
  PolicyPreview,
  Recovery,
  RunEvent,
  RunInfo,
  SaveReason,
  ScrubStatus,
  Visit,
} from "../worker/protocol";
import { bytes, count, counted, loss, rate } from "./format";
import type { ChangedSetting } from "./run-settings";
import type { SaveFailure } from "./run-state.svelte";

/** How a line or a mark is coloured; the words say the same. */
export type Tone = "plain" | "good" | "warning" | "bad";

/** One word for a run's status. `isResuming`: it was interrupted, and goes on in a moment. */
export function statusWord(status: RunInfo["status"], isResuming = false): string {
  if (isResuming) return "resuming";
  switch (status) {
    case "running":
      return "training";
    case "paused":
    case "finished":
    case "stopped":
    case "failed":
    case "interrupted":
      return status;
    case "elsewhere":
      return "in another tab";
    default:
      return status satisfies never;
  }
}

/** The tone of a status. */
export function statusTone(status: RunInfo["status"]): Tone {
  switch (status) {
    case "running":
    case "elsewhere":
      return "good";
    case "paused":
    case "interrupted":
      return "warning";
    case "failed":
      return "bad";
    case "finished":
    case "stopped":
      return "plain";
    default:
      return status satisfies never;
  }
}

/** What the trainer is at; null where the status alone says it. */
export function phaseWords(phase: Phase): string | null {
  switch (phase.kind) {
    case "idle":
    case "training":
      return null;
    case "loading":
      return `Loading ${phase.what}`;
    case "compiling":
      return "Compiling shaders for the first step, once per visit";
    case "restoring":
      return "Restoring the last checkpoint";
    case "replaying":
      return phase.done === 0
        ? `Replaying ${counted(phase.total, "step")}; shaders are compiled for the first one`
        : `Replaying ${count(phase.done)} of ${counted(phase.total, "step")}, each checked against the journal`;
    default:
      return phase satisfies never;
  }
}

/** How far a phase has come, 0 … 1; null where nobody knows. */
export function phaseShare(phase: Phase): number | null {
  return phase.kind === "replaying" && phase.total > 0 ? phase.done / phase.total : null;
}

/** An event and how it is toned. */
export function eventWords(event: RunEvent): { readonly text: string; readonly tone: Tone } {
  switch (event.kind) {
    case "started":
      return { text: "started", tone: "plain" };
    case "paused":
      return {
        text: event.why === "" || event.why === "asked" ? "paused" : `paused: ${event.why}`,
        tone: "plain",
      };
    case "resumed":
      return { text: resumedWords(event.step, event.from, event.replayed), tone: "good" };
    case "changed":
      return { text: changedWords(event.changes), tone: "plain" };
    case "extended":
      return { text: `extended to ${counted(event.steps, "step")}`, tone: "plain" };
    case "evaluated":
      return { text: `evaluated: ${metricsWords(event.metrics)}`, tone: "plain" };
    case "finished":
      return { text: "finished", tone: "good" };
    case "stopped":
      return {
        text: event.best === undefined ? "stopped" : `stopped early: ${bestWords(event.best)}`,
        tone: "plain",
      };
    case "forked":
      return { text: "forked", tone: "plain" };
    case "trouble":
      return { text: event.message, tone: "bad" };
    default:
      return event satisfies never;
  }
}

/** What it costs to begin or to go on with another run, while one trains in this tab. */
export function pausesWords(training: Pick<RunInfo, "name"> | null): string {
  return training === null ? "" : `Pauses “${training.name}”, which trains here.`;
}

function resumedWords(step: number, from: number, replayed: number): string {
  if (replayed === 0) return `resumed at step ${count(step)}, straight from its checkpoint`;
  return `resumed at step ${count(step)} from the checkpoint at ${count(from)}: ${count(replayed)} replayed, all equal`;
}

function changedWords(changes: { readonly learningRate?: number; readonly clipNorm?: number }): string {
  const parts: string[] = [];
  if (changes.learningRate !== undefined)
    parts.push(`learning rate changed to ${rate(changes.learningRate)}`);
  if (changes.clipNorm !== undefined) {
    parts.push(
      changes.clipNorm === 0 ? "clipping turned off" : `gradients clipped at ${rate(changes.clipNorm)}`,
    );
  }
  return parts.join(", ");
}

function metricsWords(metrics: Readonly<Record<string, number>>): string {
  return Object.entries(metrics)
    .map(([name, value]) => `${metricWords(name)} ${loss(value)}`)
    .join(", ");
}

/** Which state was the best by a metric. */
export function bestWords({ metric, step, value }: BestStep): string {
  return `${metricWords(metric)} was best at step ${count(step)}, ${loss(value)}`;
}

/** What a run is watched for from now on. */
export function watchWords({ evaluate, stop, spike }: Policy): string {
  const parts = [
    evaluate === undefined ? "Not evaluated while it trains" : `Evaluated every ${counted(evaluate, "step")}`,
    ...(stop === undefined ? [] : [`stopped after ${count(stop.patience)} without a better one`]),
    ...(spike === undefined ? [] : [`paused where the loss is ${spike} times the usual`]),
  ];
  return `${parts.join(", ")}.`;
}

/** A metric's name as people say it: `val_loss` is the held-out loss, `val_r2` the held-out R². */
export function metricWords(name: string): string {
  const said = name.replace(/^val_/, "held-out ").replaceAll("_", " ");
  return said.replace(/\brmse\b/, "RMSE").replace(/\br2\b/, "R²");
}

/** The same at the beginning of a line. */
export function metricTitle(name: string): string {
  const said = metricWords(name);
  return `${said.charAt(0).toUpperCase()}${said.slice(1)}`;
}

/** A setting's name as people say it, where no field has a label for it: `heldOutRows` is held out rows. */
export function settingWords(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

/** What a small curve of losses shows. */
export function sparkWords(losses: readonly number[]): string {
  const [first = null] = losses;
  return first === null ? "No loss yet" : `Loss from ${loss(first)} to ${loss(losses.at(-1) ?? null)}`;
}

/** Whether the loss on the line between two states rises above what lies between its ends. */
export function barrierWords(barrier: Interpolation["barrier"]): string {
  if (barrier === null) return "There is no held-out loss at both ends, so nothing can be said of a barrier.";
  const { alpha, height } = barrier;
  if (height === 0)
    return "No barrier: nowhere between the two does the loss rise above the straight line from the one to the other.";
  return `A barrier of ${loss(height)} above the straight line from the one loss to the other, highest at ${alpha}.`;
}

/** A tensor's name as people read it; the slot of an optimizer stands before that of its parameter. */
export function tensorWords(name: string): string {
  return name.replace(/^(param|slot)\//, "").replaceAll("/", " / ");
}

/** A backend's name as its makers write it. */
export function backendName(name: BackendInfo["name"]): string {
  switch (name) {
    case "webgpu":
      return "WebGPU";
    case "webgl":
      return "WebGL";
    case "cpu":
      return "CPU";
    default:
      return name satisfies never;
  }
}

/** What the adapter calls itself, most telling first. */
export function adapterName(adapter: BackendInfo["adapter"]): string {
  const description = adapter["description"];
  if (description !== undefined && description !== "") return description;
  return [adapter["vendor"], adapter["architecture"]]
    .filter((part) => part !== undefined && part !== "")
    .join(" ");
}

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

/** What is known of its bytes. */
export function checkWords(check: CheckpointInfo["check"]): string {
  switch (check) {
    case "saved":
      return "on the device, not read back yet";
    case "verified":
      return "read back, every bit";
    case "damaged":
      return "damaged: an older one is used";
    default:
      return check satisfies never;
  }
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

/** Why a checkpoint was made. */
export function reasonWords(reason: SaveReason): string {
  switch (reason) {
    case "start":
      return "saved at the start";
    case "policy":
      return "saved on schedule";
    case "improved":
      return "saved as the best so far";
    case "pause":
      return "saved at a pause";
    case "hidden":
      return "saved when the tab was hidden";
    case "end":
      return "saved at the end";
    case "recovered":
      return "saved after a recovery";
    case "fork":
      return "saved by a fork";
    case "import":
      return "came with the imported file";
    case "asked":
      return "saved when asked";
    default:
      return reason satisfies never;
  }
}

/** What a fork began with that its parent had not. */
export function forkChangesWords(changes: readonly ChangedSetting[]): string {
  if (changes.length === 0) return "with the same settings";
  return changes
    .map(({ label, value, was }) => `${uncapitalized(label)} ${was === null ? "" : `${was} → `}${value}`)
    .join(", ");
}

function uncapitalized(text: string): string {
  return `${text.charAt(0).toLowerCase()}${text.slice(1)}`;
}

/** What a schedule makes of the learning rate that a person sets; empty where it leaves it as it is. */
export function scheduleWords(scheduled: number | null, set: number): string {
  if (scheduled === null || rate(scheduled) === rate(set)) return "";
  return ` The schedule makes ${rate(scheduled)} of ${rate(set)} here.`;
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

/** On the way to a step. */
export function goingWords({ done, total }: { readonly done: number; readonly total: number }): string {
  if (total === 0) return "Restoring the checkpoint before it";
  if (done === 0) return `Computing ${counted(total, "step")} again; shaders are compiled for the first one`;
  return `Computed ${count(done)} of ${counted(total, "step")} again`;
}

/** What shows that it is that very step. */
export function visitWords({ checkpoint, replayed, proof }: Visit): string {
  const from = `Computed again from step ${count(checkpoint)}`;
  switch (proof) {
    case "stored":
      return "This very state, as it was saved";
    case "losses":
      return `${from}: ${counted(replayed, "step")}, every loss the same, bit for bit`;
    case "digest":
      return `${from}: ${counted(replayed, "step")}, the same digest as the state that was saved`;
    default:
      return proof satisfies never;
  }
}

/** What another policy would do. */
export function previewWords({ gone, freed, left, longestNow, longestThen }: PolicyPreview): string {
  if (gone.length === 0) return "All checkpoints there are would stay.";
  const longer =
    longestThen > longestNow
      ? ` A return then computes up to ${counted(longestThen, "step")} again, instead of ${count(longestNow)}.`
      : "";
  return `${counted(gone.length, "checkpoint")} would go: ${bytes(freed)} less, ${bytes(left)} left.${longer}`;
}
