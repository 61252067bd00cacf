/** Reads `NAME --key value --flag`. @typedef {{ readonly name: string | undefined, readonly options: ReadonlyMap<string, string> }} Arguments */

/**
 * A flag without a value reads as `true`.
 *
 * @param {readonly string[]} words
 * @returns {Arguments}
 */
export function readArguments(words) {
  /** @type {string | undefined} */
  let name;
  /** @type {Map<string, string>} */
  const options = new Map();
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? "";
    if (!word.startsWith("--")) {
      if (name !== undefined) throw new Error(`One name at a time: ${name} or ${word}?`);
      name = word;
      continue;
    }
    const [key = "", inline] = word.slice(2).split("=", 2);
    const next = words[index + 1];
    if (inline !== undefined) options.set(key, inline);
    else if (next !== undefined && !next.startsWith("--")) {
      options.set(key, next);
      index++;
    } else options.set(key, "true");
  }
  return { name, options };
}
