/** Held-out examples of which two states do not say the same: another class, or another amount. */
import type { Answers } from "../worker/protocol";

export interface AnswerChange {
  readonly example: string;
  /** Names of classes, or amounts: the right one, and those that the two give. */
  readonly right: string | number;
  readonly from: string | number;
  readonly to: string | number;
  /** What the second one made of it; an amount is better where it is closer to the right one. */
  readonly became: "better" | "worse" | "other";
}

/**
 * Classes in the order of the examples, amounts those first that moved most. Null where the two were not asked about the
 * same examples, or say something else of them.
 */
export function answerChanges(a: Answers, b: Answers): readonly AnswerChange[] | null {
  const isSame =
    isSameList(a.examples, b.examples) &&
    isSameList(a.right, b.right) &&
    (a.kind === "classes"
      ? b.kind === "classes" && isSameList(a.classes, b.classes)
      : b.kind === "amounts" && a.of === b.of);
  if (!isSame) return null;
  const at = [...a.examples.keys()].filter((index) => !Object.is(a.given[index], b.given[index]));
  if (a.kind === "classes") {
    const nameOf = (place: number | undefined): string => a.classes[place ?? -1] ?? "?";
    return at.map((index) => {
      const [right, from, to] = [a.right[index], a.given[index], b.given[index]];
      const became = to === right ? "better" : from === right ? "worse" : "other";
      const names = { right: nameOf(right), from: nameOf(from), to: nameOf(to) };
      return { example: a.examples[index] ?? "", ...names, became };
    });
  }
  const moved = at.map((index) => {
    const right = a.right[index] ?? Number.NaN;
    const [from, to] = [a, b].map(({ given }) => given[index] ?? Number.NaN) as [number, number];
    const [before, after] = [distance(from, right), distance(to, right)];
    const became = after < before ? "better" : after > before ? "worse" : "other";
    return { example: a.examples[index] ?? "", right, from, to, became } as const;
  });
  return moved.sort((one, other) => {
    const [near, far] = [distance(one.from, one.to), distance(other.from, other.to)];
    // Infinities are not subtracted.
    return near === far ? 0 : far > near ? 1 : -1;
  });
}

/** What is not finite is as far away as can be. */
function distance(a: number, b: number): number {
  const apart = Math.abs(a - b);
  return Number.isNaN(apart) ? Infinity : apart;
}

function isSameList<T>(a: ArrayLike<T>, b: ArrayLike<T>): boolean {
  return a.length === b.length && Array.from(a).every((value, index) => value === b[index]);
}
