/** What of all that happens to a run is worth a notification to somebody who looks elsewhere. */
import type { HoldfastEvent } from "../worker/api";
import { count, loss } from "./format";
import { bestWords } from "./event-words";
import { failureWords, rehearsalWords } from "./store-words";

export interface Told {
  /** Is it the end of a run, or something that went wrong? */
  readonly kind: "end" | "trouble";
  readonly run: string;
  readonly words: string;
}

/** Null for all that goes its way, and for what a person did. */
export function toldOf(event: HoldfastEvent): Told | null {
  switch (event.kind) {
    case "event": {
      const { run, event: what } = event;
      if (what.kind === "finished")
        return { kind: "end", run, words: `Finished at step ${count(what.step)}.` };
      if (what.kind === "stopped" && what.best !== undefined)
        return {
          kind: "end",
          run,
          words: `Stopped early at step ${count(what.step)}: ${bestWords(what.best)}.`,
        };
      if (what.kind === "paused" && what.spike !== undefined)
        return {
          kind: "trouble",
          run,
          words: `Paused: the loss of step ${count(what.spike.step)} was ${loss(what.spike.loss)}, where ${loss(what.spike.usual)} was usual.`,
        };
      return what.kind === "trouble" ? { kind: "trouble", run, words: what.message } : null;
    }
    case "save-failed":
      // A run that another tab took over is in good hands.
      return event.code === "fenced" ? null : { kind: "trouble", run: event.run, words: failureWords(event) };
    case "rehearsed":
      return event.drill.failure === null
        ? null
        : { kind: "trouble", run: event.run, words: rehearsalWords(event.drill) };
    case "notice":
      return event.level === "error" && event.run !== null
        ? { kind: "trouble", run: event.run, words: event.message }
        : null;
    // What cannot be mended comes as a notice, too.
    case "trouble":
    case "runs":
    case "phase":
    case "progress":
    case "saving":
    case "saved":
    case "status":
    case "picture":
    case "resumed":
    case "visiting":
      return null;
    default:
      return event satisfies never;
  }
}
