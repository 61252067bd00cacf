/** Held-out examples of which two states do not say the same. */
import type { Answers } from "../worker/protocol";

export interface Flip {
  readonly example: string;
  /** Names of classes: the right one, and those that the two give. */
  readonly right: string;
  readonly from: string;
  readonly to: string;
  /** What the second one made of it. */
  readonly became: "better" | "worse" | "other";
}

/** In the order of the examples; null where the two were not asked about the same ones. */
export function flipsOf(a: Answers, b: Answers): readonly Flip[] | null {
  const isSame =
    a.examples.length === b.examples.length &&
    a.examples.every((example, index) => example === b.examples[index] && a.right[index] === b.right[index]);
  if (!isSame) return null;
  const nameOf = (place: number | undefined): string => a.classes[place ?? -1] ?? "?";
  return a.examples.flatMap((example, index): readonly Flip[] => {
    const [right, from, to] = [a.right[index], a.given[index], b.given[index]];
    if (from === to) return [];
    const became = to === right ? "better" : from === right ? "worse" : "other";
    return [{ example, right: nameOf(right), from: nameOf(from), to: nameOf(to), became }];
  });
}
