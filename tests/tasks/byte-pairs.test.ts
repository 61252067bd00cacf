import { readFileSync } from "node:fs";
import * as fc from "fast-check";
import { expect, suite, test } from "vitest";
import { hasCode } from "../../src/errors";
import { vocabularyOf, type Vocabulary } from "../../src/tasks/byte-pairs";
import { sentences } from "../../src/tasks/grammar";

const MADE_UP = new TextDecoder().decode(sentences(20_000, 1));

function learnt(text: string, merges: number): Vocabulary {
  return vocabularyOf(text, [...new Set(text)].sort(), merges);
}

function spelt({ tokens }: Vocabulary, ids: readonly number[]): string {
  return ids.map((id) => tokens[id]).join("");
}

suite("merges", () => {
  test("none: a token is a character", () => {
    const vocabulary = learnt("abab", 0);
    expect(vocabulary.tokens).toEqual(["a", "b"]);
    expect(vocabulary.encode("ba")).toEqual([1, 0]);
  });

  test("the most frequent pair comes first, then the pairs with what it made", () => {
    // The example of Sennrich, Haddow and Birch: "es", then "est".
    const text =
      "low low low low low lower lower newest newest newest newest newest newest widest widest widest";
    expect(learnt(text, 3).tokens.slice(-3)).toEqual(["es", "est", "lo"]);
  });

  test("of pairs as frequent as each other, the one of lower numbers", () => {
    expect(learnt("cd\nab\ncd\nab", 1).tokens.at(-1)).toBe("ab");
  });

  test("never from one word into the next, and never between letters and digits", () => {
    const { tokens } = learnt("ab12ab12 ab12 ab12; ab12", 100);
    expect(tokens.filter((token) => /[a-z].*[0-9]|[0-9].*[a-z]|\S\s/.test(token))).toEqual([]);
    expect(tokens).toContain(" ab");
  });

  test("end where no pair is left that occurs twice", () => {
    expect(learnt("abc", 10).tokens).toEqual(["a", "b", "c"]);
  });

  test("a token that a script without spaces makes is at most 16 characters", () => {
    const { tokens } = learnt("訓練は止まらない".repeat(50), 2000);
    expect(Math.max(...tokens.map((token) => Array.from(token).length))).toBe(16);
  });
});

suite("encoded", () => {
  test("any text of its characters is spelt as it was", () => {
    const vocabulary = learnt(MADE_UP, 200);
    const alphabet = [...new Set(MADE_UP)];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...alphabet)), (characters) => {
        const text = characters.join("");
        expect(spelt(vocabulary, vocabulary.encode(text))).toBe(text);
      }),
    );
  });

  test("a beginning without its open end is encoded as it is where a word follows", () => {
    const vocabulary = learnt(MADE_UP, 200);
    const alphabet = [...new Set(MADE_UP)];
    const follows = (begin: string): boolean => {
      const ids = vocabulary.encode(begin);
      return ids.every((id, at) => vocabulary.encode(`${begin} the`)[at] === id);
    };
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...alphabet)), (characters) => {
        const begin = characters.join("");
        expect(vocabulary.openEnd(`${begin} `)).toBe(" ");
        expect(follows(begin)).toBe(true);
      }),
    );
    // Control: with the space it is not, in which the word begins.
    expect(vocabulary.tokens).toContain(" the");
    const [before, after] = ["the ", "the the"].map((text) => vocabulary.encode(text));
    expect(after?.slice(0, before?.length)).not.toEqual(before);
  });

  test("nothing is open where no word follows in the same token, or tokens are characters", () => {
    expect(["the", "the\n", ""].map((text) => learnt(MADE_UP, 50).openEnd(text))).toEqual(["", "", ""]);
    expect(learnt(MADE_UP, 0).openEnd("the ")).toBe("");
    expect(learnt("abab", 1).openEnd("ab ")).toBe("");
  });

  test("its own text takes fewer tokens, the more merges the fewer", () => {
    const [none, few, many] = [0, 50, 400].map((merges) => learnt(MADE_UP, merges).encode(MADE_UP).length);
    expect(none).toBe(MADE_UP.length);
    expect(few).toBeLessThan(0.75 * MADE_UP.length);
    expect(many).toBeLessThan(0.4 * MADE_UP.length);
  });

  test("a character beyond the basic plane is one", () => {
    const vocabulary = learnt("🙂🙂a 🙂🙂b", 1);
    expect(vocabulary.tokens.at(-1)).toBe("🙂🙂");
    expect(vocabulary.encode("🙂🙂🙂")).toHaveLength(2);
  });

  test("a character that the text has not is named", () => {
    const error = catchError(() => learnt("abab", 1).encode("axb犬"));
    expect(hasCode(error, "invalid")).toBe(true);
    expect(String(error)).toContain("has no “x”, “犬”; leave that out.");
  });

  test("pieces are cut by code points alone, not by a browser's tables of Unicode", () => {
    const source = readFileSync(new URL("../../src/tasks/byte-pairs.ts", import.meta.url), "utf8");
    expect(source).not.toMatch(/\\[pPbBwWsSdD]|localeCompare|Intl|toLowerCase/);
  });
});

function catchError(act: () => unknown): unknown {
  try {
    return act();
  } catch (error) {
    return error;
  }
}
