/**
 * The inner loops of the chunk codec, compiled to WebAssembly by `npm run assembly`. `src/format/planes.ts` calls them and
 * says what they are for; docs/format.md has the bytes.
 *
 * Everything is in one memory that never grows. Callers pass addresses within it, multiples of 16.
 */
export { survey, surveyBytes } from "./counts";
export { add, addBytes, join, split, subtract, subtractBytes } from "./planes";
export { decode, encode } from "./rans";

/** Memory that is free for callers begins here. */
export function freeFrom(): usize {
  return (__heap_base + 15) & ~15;
}
