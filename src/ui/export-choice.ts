/** Which checkpoints leave, and how large that file becomes. */
import type { CheckpointInfo, Mark } from "../worker/protocol";

export type Choice = "all" | "newest" | "marked";

/** Of a head and of a line in a journal, as they come out in the middle. */
const HEAD_BYTES = 4096;
const LINE_BYTES = 36;

/** Null: all of them. */
export function chosenSteps(
  choice: Choice,
  checkpoints: readonly CheckpointInfo[],
  marks: readonly Mark[],
): readonly number[] | null {
  switch (choice) {
    case "all":
      return null;
    case "newest":
      return checkpoints.slice(-1).map(({ step }) => step);
    case "marked": {
      const marked = new Set(
        marks.filter(({ pinned, tags }) => pinned || tags.length > 0).map(({ step }) => step),
      );
      return checkpoints.filter(({ step }) => marked.has(step)).map(({ step }) => step);
    }
    default:
      return choice satisfies never;
  }
}

/** About so many bytes; in the compact form at most. `data`: bytes of it that come along. */
export function bundleBytes(
  checkpoints: readonly CheckpointInfo[],
  steps: readonly number[] | null,
  { data, step }: { readonly data: number; readonly step: number },
): number {
  const wanted = steps === null ? null : new Set(steps);
  const states = checkpoints.reduce(
    (sum, info) => (wanted?.has(info.step) === false ? sum : sum + info.rawBytes + HEAD_BYTES),
    0,
  );
  return states + data + step * LINE_BYTES;
}
