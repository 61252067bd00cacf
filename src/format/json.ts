/**
 * JSON as bytes: one canonical way to write it, one strict way to read it.
 *
 * Canonical: keys sorted, no spaces. So equal values have equal bytes and equal hashes, and a reader can prove
 * that it understood everything by writing the value again and comparing.
 */
import { HoldfastError } from "../errors";
import type { Bytes } from "./bytes";

/** Deeper than anything that Holdfast writes. */
const MAX_DEPTH = 16;
/** More than anything that Holdfast writes has in one object. */
const MAX_KEYS = 100_000;

/** UTF-8 of the value with sorted keys. `invalid` for what JSON would change silently: NaN, infinities, functions. */
export function encodeJson(value: unknown): Bytes {
  return new TextEncoder().encode(JSON.stringify(canonical(value, "value")));
}

/**
 * Parses UTF-8 JSON. `corrupt` where it is longer than `maxBytes`, nested too deep, not UTF-8, or names a key
 * twice in one object (`JSON.parse` would keep the last one, other readers the first).
 */
export function parseJson(bytes: Uint8Array, what: string, maxBytes: number): unknown {
  if (bytes.length > maxBytes)
    throw new HoldfastError(
      "corrupt",
      `${what} has ${bytes.length} bytes, more than the ${maxBytes} it may have.`,
    );
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    checkStructure(text, what);
    const value: unknown = JSON.parse(text);
    return value;
  } catch (error) {
    if (error instanceof HoldfastError) throw error;
    throw new HoldfastError("corrupt", `${what} is not JSON in UTF-8.`, { cause: error });
  }
}

function canonical(value: unknown, path: string): unknown {
  switch (typeof value) {
    case "string":
      // It would be written as another character, and come back as one.
      if (/\p{Surrogate}/u.test(value))
        throw new HoldfastError("invalid", `${path} has half of a surrogate pair.`);
      return value;
    case "boolean":
      return value;
    case "number":
      if (!Number.isFinite(value))
        throw new HoldfastError("invalid", `${path} is ${value}, which JSON cannot hold.`);
      return value;
    case "object": {
      if (value === null) return null;
      if (Array.isArray(value)) return value.map((item, index) => canonical(item, `${path}[${index}]`));
      const entries = Object.entries(value).filter(([, item]) => item !== undefined);
      entries.sort(([a], [b]) => (a < b ? -1 : 1));
      return Object.fromEntries(
        entries.map(([key, item]) => [canonical(key, path), canonical(item, `${path}.${key}`)]),
      );
    }
    default:
      throw new HoldfastError("invalid", `${path} is a ${typeof value}, which JSON cannot hold.`);
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;

/**
 * Depth and doubled keys, in one pass by hand: `JSON.parse` tells neither, and a regular expression can be made to
 * take quadratic time or to run out of stack. Text that is not JSON may pass here; `JSON.parse` refuses it next.
 */
function checkStructure(text: string, what: string): void {
  const open: Set<string>[] = [];
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case 0x7b: // {
      case 0x5b: // [
        if (open.push(new Set()) > MAX_DEPTH)
          throw new HoldfastError("corrupt", `${what} is nested too deep.`);
        break;
      case 0x7d: // }
      case 0x5d: // ]
        open.pop();
        break;
      case QUOTE: {
        const end = endOfText(text, at);
        if (text.charCodeAt(skipSpace(text, end)) === COLON) addKey(open.at(-1), text.slice(at, end), what);
        at = end - 1;
        break;
      }
    }
  }
}

function addKey(keys: Set<string> | undefined, quoted: string, what: string): void {
  // Most names have nothing escaped, and parsing a million of them takes seconds.
  const key: unknown = quoted.includes("\\") ? JSON.parse(quoted) : quoted.slice(1, -1);
  if (keys === undefined || typeof key !== "string") return;
  if (keys.size >= MAX_KEYS) throw new HoldfastError("corrupt", `${what} has too many names in one object.`);
  if (keys.has(key))
    throw new HoldfastError("corrupt", `${what} names the key "${key.slice(0, 100)}" twice.`);
  keys.add(key);
}

/** Where the text that begins at `start` is over; the end of all where it is not closed. */
function endOfText(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit === QUOTE) return at + 1;
    if (unit === BACKSLASH) at++;
  }
  return text.length;
}

function skipSpace(text: string, start: number): number {
  let at = start;
  while (" \t\n\r".includes(text.charAt(at)) && at < text.length) at++;
  return at;
}
