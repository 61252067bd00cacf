/**
 * A text as tokens: its characters, of which the most frequent pair becomes a token of its own, again and again
 * (byte-pair encoding: Gage 1994; for words, Sennrich, Haddow and Birch 2016, arXiv:1508.07909).
 *
 * The same text and number of merges give the same tokens in every browser: pieces are cut by code points, not by
 * Unicode's tables, which differ from one browser to the next, and of equally frequent pairs the one of lower numbers is
 * merged.
 */
import { HoldfastError } from "../errors";

/** What a text is written with. */
export interface Vocabulary {
  /** What each token spells: the alphabet, then one for each merge. A number is a place in here. */
  readonly tokens: readonly string[];
  /** How many of them are characters. */
  readonly alphabet: number;
  /** `invalid` where a character is not in the alphabet. */
  encode(text: string): readonly number[];
  /**
   * The space at the end of a text that is to be gone on from, where it may be the beginning of a longer token; else empty. All
   * before it is encoded as it is where a word follows; a token of the space alone would say that none of those does.
   */
  openEnd(text: string): string;
}

/**
 * No token reaches from one piece into the next: a word with the space before it, a number, what stands between words. At
 * most 16 characters, so that scripts without spaces have pieces too.
 */
const PIECE = / ?(?:[A-Za-z\u{80}-\u{10FFFF}]{1,16}|[0-9]{1,16}|[!-/:-@[-`{-~]{1,16})|./gsu;
/** More than there are tokens: a pair is one number. */
const PAIR = 65_536;

/** `merges`: at most so many, fewer where no pair is left that occurs twice. `alphabet`: all characters of the text. */
export function vocabularyOf(text: string, alphabet: readonly string[], merges: number): Vocabulary {
  const places = new Map(alphabet.map((character, place) => [character, place]));
  const learnt = merges === 0 ? [] : learn(text, places, merges);
  const tokens = [...alphabet];
  for (const pair of learnt) {
    const [left, right] = sidesOf(pair);
    tokens.push(`${tokens[left] ?? ""}${tokens[right] ?? ""}`);
  }
  const made = new Map(learnt.map((pair, rank) => [pair, alphabet.length + rank]));
  const known = new Map<string, readonly number[]>();
  const encodePiece = (piece: string): readonly number[] => {
    const before = known.get(piece);
    if (before !== undefined) return before;
    const ids = merged(placesOf(piece, places), made);
    known.set(piece, ids);
    return ids;
  };
  return {
    tokens,
    alphabet: alphabet.length,
    encode: (given) =>
      learnt.length === 0 ? placesOf(given, places) : (given.match(PIECE) ?? []).flatMap(encodePiece),
    openEnd: (given) => (learnt.length > 0 && given.endsWith(" ") && places.has(" ") ? " " : ""),
  };
}

/** The pairs that are merged, first to last. */
function learn(text: string, places: ReadonlyMap<string, number>, merges: number): readonly number[] {
  const counts = new Map<string, number>();
  for (const [piece] of text.matchAll(PIECE)) counts.set(piece, (counts.get(piece) ?? 0) + 1);
  const pieces = Array.from(counts, ([piece, count]) => ({ ids: placesOf(piece, places), count }));
  const pairs = new Pairs();
  for (const piece of pieces) pairs.add(piece);
  const learnt: number[] = [];
  while (learnt.length < merges) {
    const best = pairs.mostFrequent();
    if (best === null) break;
    const made = new Map([[best, places.size + learnt.length]]);
    learnt.push(best);
    for (const piece of pairs.piecesWith(best)) {
      pairs.remove(piece);
      piece.ids = merged(piece.ids, made);
      pairs.add(piece);
    }
  }
  return learnt;
}

interface Piece {
  ids: readonly number[];
  /** How often it occurs in the text. */
  readonly count: number;
}

/** How often each pair stands in the text, and in which pieces. */
class Pairs {
  readonly #found = new Map<number, { count: number; readonly pieces: Set<Piece> }>();

  add(piece: Piece): void {
    for (const pair of pairsOf(piece.ids)) {
      const found = this.#found.get(pair) ?? { count: 0, pieces: new Set() };
      found.count += piece.count;
      found.pieces.add(piece);
      this.#found.set(pair, found);
    }
  }

  remove(piece: Piece): void {
    for (const pair of pairsOf(piece.ids)) {
      const found = this.#found.get(pair);
      if (found === undefined) continue;
      found.count -= piece.count;
      found.pieces.delete(piece);
      if (found.count === 0) this.#found.delete(pair);
    }
  }

  piecesWith(pair: number): readonly Piece[] {
    return [...(this.#found.get(pair)?.pieces ?? [])];
  }

  /** Null where none occurs twice. */
  mostFrequent(): number | null {
    let best: number | null = null;
    let most = 1;
    for (const [pair, { count }] of this.#found) {
      if (count > most || (best !== null && count === most && pair < best)) {
        best = pair;
        most = count;
      }
    }
    return best;
  }
}

/** `ids` with each pair that `made` knows as its token, those that were learnt first before all others. */
function merged(ids: readonly number[], made: ReadonlyMap<number, number>): readonly number[] {
  let now = ids;
  for (;;) {
    const next = Math.min(...pairsOf(now).map((pair) => made.get(pair) ?? Infinity));
    if (next === Infinity) return now;
    const joined: number[] = [];
    for (let at = 0; at < now.length; at++) {
      const isPair = at + 1 < now.length && made.get(pairOf(now[at], now[at + 1])) === next;
      joined.push(isPair ? next : (now[at] ?? 0));
      if (isPair) at++;
    }
    now = joined;
  }
}

function pairsOf(ids: readonly number[]): readonly number[] {
  return ids.slice(1).map((right, at) => pairOf(ids[at], right));
}

function pairOf(left = 0, right = 0): number {
  return left * PAIR + right;
}

function sidesOf(pair: number): readonly [left: number, right: number] {
  return [Math.floor(pair / PAIR), pair % PAIR];
}

function placesOf(text: string, places: ReadonlyMap<string, number>): readonly number[] {
  const unknown = new Set<string>();
  const ids = Array.from(text, (character) => {
    const place = places.get(character);
    if (place === undefined) unknown.add(character);
    return place ?? 0;
  });
  if (unknown.size === 0) return ids;
  const named = [...unknown].map((character) => `“${character}”`).join(", ");
  throw new HoldfastError("invalid", `The text that it learnt from has no ${named}; leave that out.`);
}
