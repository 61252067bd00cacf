/** What the mirror is doing, for a person. */
import type { MirrorReport, MirrorStatus } from "../worker/protocol";
import { counted } from "./format";
import type { Tone } from "./words";

export function mirrorState({ state }: MirrorStatus): { readonly words: string; readonly tone: Tone } {
  switch (state) {
    case "working":
      return { words: "writing", tone: "plain" };
    case "behind":
      return { words: "a save behind", tone: "plain" };
    case "in step":
      return { words: "in step", tone: "good" };
    case "asks":
      return { words: "waits for permission", tone: "warning" };
    case "failed":
      return { words: "not in step", tone: "bad" };
  }
}

/** What came of reading all of it back. */
export function mirroredWords({ runs, mended, broughtBack }: MirrorReport): string {
  const checkpoints = runs.reduce((sum, one) => sum + one.checkpoints, 0);
  const mends = [
    ...(mended > 0 ? [`${counted(mended, "checkpoint")} mended in the folder`] : []),
    ...(broughtBack > 0 ? [`${counted(broughtBack, "checkpoint")} or data mended in the browser`] : []),
  ];
  const behind = runs.filter(({ problem }) => problem !== null).length;
  const whole = `${counted(checkpoints, "checkpoint")} of ${counted(runs.length, "run")} read back`;
  if (behind > 0) return `Mirror: ${whole}; ${counted(behind, "run")} not in step`;
  return `Mirror: ${whole}, ${mends.length === 0 ? "all whole" : mends.join(", ")}`;
}
