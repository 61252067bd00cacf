/**
 * From a file's bytes to a text and its alphabet: UTF-8, one character per code point.
 *
 * Nothing is normalised (line ends, accents, case): what the model writes is what the person gave.
 */
import { HoldfastError } from "../errors";
import type { GivenFile, ReadFiles } from "../format/dataset";

const MAX_CHARACTERS = 512;
const MIB = 1024 * 1024;
/** Between two files: an empty line. */
const SEPARATOR = Uint8Array.of(0x0a, 0x0a);

export interface GivenText {
  readonly text: string;
  /** Each character that occurs, in code point order. */
  readonly alphabet: readonly string[];
}

/** Reads UTF-8 text of at most `maxBytes`. Throws `invalid` with the reason, the place and the remedy. */
export function givenText(bytes: Uint8Array<ArrayBuffer>, maxBytes: number): GivenText {
  const text = textOf(bytes, maxBytes);
  const alphabet = [...new Set(text)].sort((a, b) => (a.codePointAt(0) ?? 0) - (b.codePointAt(0) ?? 0));
  if (alphabet.length > MAX_CHARACTERS) {
    throw new HoldfastError(
      "invalid",
      `The text has ${alphabet.length} different characters; a model can take ${MAX_CHARACTERS}. Choose a text in one alphabet.`,
    );
  }
  if (alphabet.length < 2) {
    throw new HoldfastError(
      "invalid",
      "The text is only one character, again and again: nothing can be learnt. Choose another text.",
    );
  }
  return { text, alphabet };
}

/** Several files as one text, in the order of their paths; those that are no text are left out, and named. */
export function joined(files: readonly GivenFile[]): ReadFiles {
  const [only, ...more] = files;
  // One file is what it is: what is wrong with it is said of it.
  if (only !== undefined && more.length === 0) return { bytes: only.bytes, notes: [] };
  const texts: Uint8Array<ArrayBuffer>[] = [];
  const notes: string[] = [];
  for (const { path, bytes } of files) {
    const problem = bytes.includes(0) ? `byte ${bytes.indexOf(0)} is zero` : utf8Problem(bytes);
    if (problem !== null) notes.push(`“${path}” is left out: it is no text in UTF-8 (${problem}).`);
    else if (bytes.length > 0) texts.push(bytes);
  }
  if (texts.length === 0)
    throw new HoldfastError(
      "invalid",
      `None of the ${files.length} files is a text in UTF-8: ${notes[0] ?? "all are empty."}`,
    );
  const length = texts.reduce((sum, { length: bytes }) => sum + bytes + SEPARATOR.length, 0);
  const bytes = new Uint8Array(length - SEPARATOR.length);
  let at = 0;
  for (const text of texts) {
    if (at > 0) {
      bytes.set(SEPARATOR, at);
      at += SEPARATOR.length;
    }
    bytes.set(text, at);
    at += text.length;
  }
  return {
    bytes,
    notes: [
      `${texts.length.toLocaleString("en")} files, one after the other with an empty line between.`,
      ...notes,
    ],
  };
}

/** Which byte is not UTF-8; null where all are. */
function utf8Problem(bytes: Uint8Array<ArrayBuffer>): string | null {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return null;
  } catch {
    return `byte ${firstInvalid(bytes)}`;
  }
}

function textOf(bytes: Uint8Array<ArrayBuffer>, maxBytes: number): string {
  if (bytes.length === 0)
    throw new HoldfastError("invalid", "The text is empty; choose a file with text in it.");
  if (bytes.length > maxBytes) {
    const size = (bytes.length / MIB).toFixed(1);
    throw new HoldfastError(
      "invalid",
      `The text is ${size} MiB; at most ${maxBytes / MIB} MiB can be used. Choose a part of it.`,
    );
  }
  const nul = bytes.indexOf(0);
  if (nul >= 0) {
    throw new HoldfastError(
      "invalid",
      `This is not a text file: byte ${nul} is zero. Choose a text, saved as UTF-8 and not as UTF-16.`,
    );
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    const place = `byte ${firstInvalid(bytes)} is not UTF-8`;
    throw new HoldfastError(
      "invalid",
      `This is not a text file, or one in another encoding: ${place}. Save it as UTF-8.`,
      { cause },
    );
  }
}

/** The first byte that no UTF-8 text can go on with, or the length where the last character is cut off. */
function firstInvalid(bytes: Uint8Array<ArrayBuffer>): number {
  let whole = 0;
  let broken = bytes.length + 1;
  while (broken - whole > 1) {
    const middle = (whole + broken) >>> 1;
    if (beginsValidly(bytes.subarray(0, middle))) whole = middle;
    else broken = middle;
  }
  return whole;
}

/** Could more bytes make this UTF-8? A decoder in streaming mode waits for them instead of throwing. */
function beginsValidly(bytes: Uint8Array<ArrayBuffer>): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}
