/** Upright marks on a chart, each with a letter over it: what lies on each other is moved or shared, so that all are seen. */

export interface PlacedMark {
  readonly side: number;
  /** Pixels, as all that follows: of its line, and of the middle of its letter. */
  readonly left: number;
  readonly letter: number;
  /** Of so many marks on this very line, in turns of one dash each, this is the one at that place. */
  readonly turn: number;
  readonly turns: number;
}

/** From left to right. Letters stand `spacing` apart at least, and end at `right`. */
export function placedMarks(
  marks: readonly { readonly side: number; readonly left: number }[],
  spacing: number,
  right: number,
): readonly PlacedMark[] {
  const sorted = marks.toSorted((a, b) => a.left - b.left || a.side - b.side);
  let free = -Infinity;
  const pushed = sorted.map(({ left }) => (free = Math.max(left, free + spacing)));
  let end = right + spacing;
  const letters = pushed.toReversed().map((at) => (end = Math.min(at, end - spacing)));
  return sorted.map(({ side, left }, index) => {
    const shared = sorted.filter((other) => other.left === left);
    const turn = shared.findIndex((other) => other.side === side);
    return { side, left, letter: letters.at(-1 - index) ?? left, turn, turns: shared.length };
  });
}
