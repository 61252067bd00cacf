/** What is fed with mutants: one reader each, and what must hold of what it takes. */
import { HoldfastError } from "../../src/errors";
import { equalBytes, type Bytes } from "../../src/format/bytes";
import type { Choices } from "../simulation/random";
import { ACCEPTED, faulty, refused, REFUSALS, type Outcome } from "./outcome";

const CHANGED = "it changed its input";

export interface Target {
  readonly name: string;
  /** How many of all inputs are its, beside the others' shares, in eighths. */
  readonly share: number;
  readonly examine: (choices: Choices) => Outcome | Promise<Outcome>;
}

export interface ParserTarget<T> {
  readonly name: string;
  readonly share: number;
  readonly input: (choices: Choices) => Bytes | Promise<Bytes>;
  readonly parse: (input: Bytes, choices: Choices) => T | Promise<T>;
  /** What is wrong with what was accepted, in words; null where nothing is. */
  readonly check: (value: T, input: Bytes) => string | null | Promise<string | null>;
}

export function parserTarget<T>({ name, share, input, parse, check }: ParserTarget<T>): Target {
  return {
    name,
    share,
    examine: async (choices) => {
      const bytes = await input(choices);
      const before = bytes.slice();
      let value: T;
      try {
        value = await parse(bytes, choices);
      } catch (error) {
        return equalBytes(before, bytes) ? refused(error, REFUSALS) : faulty(CHANGED);
      }
      if (!equalBytes(before, bytes)) return faulty(CHANGED);
      return checked(() => check(value, bytes));
    },
  };
}

/** What was accepted has to pass; whatever is thrown on the way is a fault. */
export async function checked(check: () => string | null | Promise<string | null>): Promise<Outcome> {
  try {
    const wrong = await check();
    return wrong === null ? ACCEPTED : faulty(wrong);
  } catch (error) {
    const code = error instanceof HoldfastError ? error.code : "not ours";
    const trace = error instanceof Error ? (error.stack ?? error.message).slice(0, 600) : String(error);
    return faulty(`what was accepted fails (${code}): ${trace}`);
  }
}
