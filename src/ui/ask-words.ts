import type { Question } from "../worker/protocol";

interface AskWords {
  /** Of one run. */
  readonly how: string;
  /** Of several states. */
  readonly same: string;
  readonly each: string;
  /** Where they learnt from different data. */
  readonly differ: string;
}

/** What is said of a question of each kind. */
export const ASK_WORDS: Readonly<Record<Question["kind"], AskWords>> = {
  image: {
    how: "draw, and see what it makes of it",
    same: "drawing",
    each: "draw, and see what each makes of it",
    differ: "images: each answers with the classes of its own",
  },
  text: {
    how: "let it write on",
    same: "beginning",
    each: "each writes on, drawing with the same seed",
    differ: "texts: each reads and writes the characters of its own",
  },
  row: {
    how: "change a row, and see what it predicts",
    same: "row",
    each: "change a row, and see what each predicts",
    differ: "tables: each reads the columns of its own",
  },
};
