/** How well a name fits what somebody types to find it. */

/** Cost of a word that is found only beside the name, and of one that is found only inside a word. */
const BESIDE = 100;
const INSIDE = 1000;

/** Without case, accents and the commas of large numbers. */
function wordsOf(text: string): readonly string[] {
  const plain = text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
  return plain.replace(/(?<=\d),(?=\d)/g, "").match(/[\p{L}\p{N}]+/gu) ?? [];
}

/**
 * Null where a word that is typed is found nowhere; else the lower, the better: each begins a word of the name, the earlier
 * the better, or one of `beside`, or stands inside a word of the name. Nothing typed fits everything, equally well.
 */
export function mismatch(typed: string, name: string, beside = ""): number | null {
  const names = wordsOf(name);
  const others = wordsOf(beside);
  let cost = 0;
  for (const word of wordsOf(typed)) {
    const at = names.findIndex((one) => one.startsWith(word));
    if (at >= 0) cost += at;
    else if (others.some((one) => one.startsWith(word))) cost += BESIDE;
    else if (names.some((one) => one.includes(word))) cost += INSIDE;
    else return null;
  }
  return cost;
}
