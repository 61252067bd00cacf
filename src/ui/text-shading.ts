/** Held-out text shaded by how much each character surprised the model. */

/** A stretch of characters with the same shade: 0 expected … `SHADES` - 1 a surprise. */
export interface ShadedStretch {
  readonly text: string;
  readonly shade: number;
}

export const SHADES = 6;

/** Above it a character is as surprising as it gets on screen: a chance of less than 1 in 400. */
const LARGEST_LOSS_NATS = 6;

/** `losses[i]` belongs to character i (code point); characters without a loss are unshaded. */
export function shadeText(text: string, losses: Float32Array): readonly ShadedStretch[] {
  const stretches: { text: string; shade: number }[] = [];
  let at = 0;
  for (const character of text) {
    const share = (losses[at++] ?? 0) / LARGEST_LOSS_NATS;
    const shade = Number.isFinite(share)
      ? Math.min(SHADES - 1, Math.max(0, Math.floor(share * SHADES)))
      : SHADES - 1;
    const last = stretches.at(-1);
    if (last?.shade === shade) last.text += character;
    else stretches.push({ text: character, shade });
  }
  return stretches;
}
