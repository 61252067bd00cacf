/**
 * How a text is cut into samples.
 *
 * The last tenth is held out. The rest is cut into windows that lie end to end, so an epoch reads the text once; where
 * the first one begins is drawn anew for each epoch, so a token is not always at the same place of its window.
 */
import { HoldfastError } from "../errors";
import { randomInteger } from "../engine/random";
import type { SamplePosition } from "../engine/task";

const HELD_OUT_SHARE = 0.1;

/** Windows of one text; offsets count tokens from its beginning. */
export interface Windows {
  readonly trainTokens: number;
  readonly heldOutTokens: number;
  readonly perEpoch: number;
  readonly heldOutWindows: number;
  /** Where the inputs of a sample begin; its targets begin one later. */
  readonly offsetOf: (sample: SamplePosition) => number;
  /** At most `count` held-out windows, evenly spread. */
  readonly heldOut: (count: number) => readonly number[];
}

/** Cuts `tokens` tokens; `invalid` where they do not fill two windows to train on and one to test on. */
export function windowsOf(tokens: number, context: number, seed: number): Windows {
  // A target for each input: a window reads one token more than it is long.
  const heldOutTokens = Math.max(Math.floor(HELD_OUT_SHARE * tokens), context + 1);
  const trainTokens = tokens - heldOutTokens;
  // One window fewer than fit, because the first may begin up to context - 1 tokens late.
  const perEpoch = Math.floor(trainTokens / context) - 1;
  if (perEpoch < 1) {
    throw new HoldfastError(
      "invalid",
      `The text has ${tokens} tokens; a context of ${context} needs at least ${3 * context + 1}. Choose a longer text or a shorter context.`,
    );
  }
  const heldOutWindows = Math.floor((heldOutTokens - 1) / context);
  return {
    trainTokens,
    heldOutTokens,
    perEpoch,
    heldOutWindows,
    offsetOf: ({ epoch, index }) => randomInteger(seed, "order/phase", epoch, 0, context) + index * context,
    heldOut: (count) => {
      const shown = Math.min(count, heldOutWindows);
      return Array.from(
        { length: shown },
        (_, i) => trainTokens + context * Math.floor((i * heldOutWindows) / shown),
      );
    },
  };
}
