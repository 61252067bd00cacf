/** Runs and their numbers, in words a person would say. */
import type { BackendInfo, RunInfo } from "../worker/protocol";
import { loss } from "./format";

/** How a line or a mark is coloured; the words say the same. */
export type Tone = "plain" | "good" | "warning" | "bad";

/** One word for a run's status. `isResuming`: it was interrupted, and is brought back. */
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

/** The tone of that word. */
export function statusTone(status: RunInfo["status"], isResuming = false): Tone {
  if (isResuming) return "good";
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

/** What it costs to begin or to go on with another run, while one trains in this tab. */
export function pausesWords(training: Pick<RunInfo, "name"> | null): string {
  return training === null ? "" : `Pauses “${training.name}”, which trains here.`;
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

/** What begins a line elsewhere, within one. */
export function uncapitalized(text: string): string {
  return `${text.charAt(0).toLowerCase()}${text.slice(1)}`;
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
