/** What became of an input, and what may. */
import { HoldfastError, type ErrorCode } from "../../src/errors";

export interface Outcome {
  /** "accepted", or how it was refused: code and message without numbers and names. */
  readonly reached: string;
  /** What must not happen, in words; null where all is as it should be. */
  readonly fault: string | null;
}

/** What a file may be refused with. All else is a fault: of ours, or one that tells a person the wrong thing. */
export const REFUSALS: readonly ErrorCode[] = ["corrupt", "unsupported"];

export const ACCEPTED: Outcome = { reached: "accepted", fault: null };

export function faulty(fault: string): Outcome {
  return { reached: "fault", fault };
}

/** An error as an outcome. `codes`: those that may come. */
export function refused(error: unknown, codes: readonly ErrorCode[] = REFUSALS): Outcome {
  if (!(error instanceof HoldfastError)) return faulty(`an error that is not ours: ${traceOf(error)}`);
  if (!codes.includes(error.code)) return faulty(`it is ${error.code}: ${error.message.slice(0, 300)}`);
  return { reached: `${error.code}: ${kindOf(error.message)}`, fault: null };
}

function traceOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message).slice(0, 600) : String(error);
}

/** A message without what is only of this input. */
function kindOf(message: string): string {
  return message
    .replaceAll(/"[^"]*"?/g, "…")
    .replaceAll(/\b(adapter|config|counters|flags|header|math|metrics|preprocessing)[.[]\S*/g, "$1…")
    .replaceAll(/[0-9a-f]{16,}|p-\w+|-?\d[\d.e+]*/g, "#")
    .replaceAll(/[^ -~…]+/g, "?")
    .slice(0, 110);
}
