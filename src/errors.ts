/**
 * The one error class. A `code` and not a subclass tells callers what happened, because a class does not
 * survive a worker boundary and a code does.
 */
export type ErrorCode =
  | "invalid" // What was asked for is out of range or malformed; the message names the field.
  | "missing" // No such run, checkpoint, step or data.
  | "corrupt" // Bytes are there but fail their checksum or their schema.
  | "unsupported" // Written by a newer Holdfast, or needs what this browser does not have.
  | "quota" // The browser refused the write for lack of space.
  | "refused" // The browser refuses to store at all (private window, blocked site data).
  | "orphaned" // Site data was cleared under an open file: what is written there is lost.
  | "busy" // Another tab holds this run, or this call does not fit what the run is doing.
  | "fenced" // This writer lost the run to another one; it must not write any more.
  | "device-lost" // The GPU went away; the run resumes from its checkpoint.
  | "adapter-missing" // The browser has WebGPU and gives no adapter until the page is loaded again.
  | "worker-died" // The worker ended, or fell silent, before it answered.
  | "diverged" // A replayed step gave other numbers than the journal recorded.
  | "bad-numbers" // The loss is NaN or infinite.
  | "cancelled"
  | "internal"; // A fault of ours; the message says where.

/**
 * What went wrong: names the thing, the reason and the remedy in its message, and the kind in its code.
 *
 * @example
 * throw new HoldfastError("invalid", "The batch has 0 samples; it needs 1 or more.");
 */
export class HoldfastError extends Error {
  override readonly name = "HoldfastError";
  constructor(
    readonly code: ErrorCode,
    message: string,
    options?: { readonly cause?: unknown },
  ) {
    super(message, options);
  }
}

/**
 * Is this an error of that kind? True for errors that crossed a worker boundary too.
 *
 * @example
 * if (hasCode(error, "busy")) offer("Another tab trains this. Take it over?");
 */
export function hasCode(error: unknown, code: ErrorCode): error is HoldfastError {
  return error instanceof Error && (error as Partial<HoldfastError>).code === code;
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
