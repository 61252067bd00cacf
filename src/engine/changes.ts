/** Checks of what a person asks to change: once an event is committed, every later save and replay depends on it. */
import { HoldfastError } from "../errors";
import type { Changes } from "../format/run";

const NAMES: ReadonlySet<string> = new Set<keyof Changes>(["learningRate", "clipNorm"]);

/** A copy that holds nothing but finite numbers in range; `invalid` names what is wrong. */
export function checkedChanges(changes: Changes): Changes {
  const unknown = Object.keys(changes).filter((name) => !NAMES.has(name));
  if (unknown.length > 0) {
    throw new HoldfastError(
      "invalid",
      `${unknown.join(", ")} cannot change during a run; learningRate and clipNorm can.`,
    );
  }
  const { learningRate, clipNorm } = changes;
  if (learningRate === undefined && clipNorm === undefined) {
    throw new HoldfastError(
      "invalid",
      "A change names a learningRate or a clipNorm; this one names neither.",
    );
  }
  if (learningRate !== undefined && !(learningRate > 0 && learningRate <= 10)) {
    throw new HoldfastError(
      "invalid",
      `The learning rate must be above 0 and at most 10; this is ${learningRate}.`,
    );
  }
  if (clipNorm !== undefined && !(clipNorm >= 0 && clipNorm <= 1e6)) {
    throw new HoldfastError(
      "invalid",
      `The clipping norm must be 0 (off) to 1,000,000; this is ${clipNorm}.`,
    );
  }
  return {
    ...(learningRate === undefined ? {} : { learningRate }),
    ...(clipNorm === undefined ? {} : { clipNorm }),
  };
}

/** `invalid` unless `value` is a whole number of at least `min`. */
export function checkWhole(what: string, value: number, min: number): void {
  if (Number.isSafeInteger(value) && value >= min) return;
  throw new HoldfastError("invalid", `${what} must be a whole number of at least ${min}; this is ${value}.`);
}
