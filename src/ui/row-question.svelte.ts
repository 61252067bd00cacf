/** A row of a table that a person asks by: filled in from rows that are held out, and changed. */
import { messageOf } from "../errors";
import { excerpt } from "../excerpt";
import type { HoldfastPage } from "../worker/api";
import type { Question, RowExample, RowField } from "../worker/protocol";

/** Characters of a cell that are told. */
const SHOWN = 60;

/** Components read it, write `cells`, and call the rest. */
export class RowQuestion {
  readonly #api: HoldfastPage;
  readonly #runs: readonly string[];
  #place = -1;
  /** What it was filled in from: the same place among each run's held-out rows. */
  #examples = $state.raw<readonly RowExample[]>([]);
  /** By the name of their column, as they stand in the table. */
  cells = $state<Record<string, string>>({});
  failed = $state<string | null>(null);
  /** What any of the runs reads; the first one says how. */
  readonly fields: readonly RowField[] = $derived(
    this.#examples
      .flatMap(({ fields }) => fields)
      .filter(({ name }, at, all) => all.findIndex((field) => field.name === name) === at),
  );
  /** Where it is from, and what is right there; null while nothing is filled in. */
  readonly origin = $derived(originWords(this.#examples));

  constructor(api: HoldfastPage, runs: readonly string[]) {
    this.#api = api;
    this.#runs = runs;
  }

  /** Fills in the next row; false where it could not be had, or another was asked for meanwhile. */
  async next(): Promise<boolean> {
    const place = ++this.#place;
    try {
      const examples = await Promise.all(this.#runs.map((run) => this.#api.example(run, place)));
      if (place !== this.#place) return false;
      this.#examples = examples;
      this.cells = filledIn(examples);
      this.failed = null;
      return true;
    } catch (error) {
      if (place === this.#place) this.failed = messageOf(error);
      return false;
    }
  }

  /** Of a category: its values, and for the rare ones the one that is filled in, or one of them. */
  optionsOf({ name, values, rare, canBeMissing }: RowField): readonly { value: string; label: string }[] {
    const filled = filledIn(this.#examples)[name] ?? "";
    const one = filled === "" || values.includes(filled) ? rare : filled;
    return [
      ...values.map((value) => ({ value, label: value })),
      ...(one === null ? [] : [{ value: one, label: `${one}, or another rare one` }]),
      ...(canBeMissing ? [{ value: "", label: "missing" }] : []),
    ];
  }

  question(): Question {
    return {
      kind: "row",
      cells: Object.fromEntries(this.fields.map(({ name }) => [name, this.cells[name] ?? ""])),
    };
  }
}

/**
 * Where runs hold out different rows, or learn from different tables, the first one's row as far as it goes. Who reads a
 * column goes before who leaves it alone: a word in a column of numbers is missing to the one, and a word to the other.
 */
function filledIn(examples: readonly RowExample[]): Record<string, string> {
  const ofAll = examples.toReversed();
  const read = ofAll.flatMap(({ fields, cells }) =>
    fields.map(({ name }): [string, string] => [name, cells[name] ?? ""]),
  );
  return Object.fromEntries([...ofAll.flatMap(({ cells }) => Object.entries(cells)), ...read]);
}

function originWords(examples: readonly RowExample[]): string | null {
  const [first] = examples;
  if (first === undefined) return null;
  const isHeldOutByAll = examples.every(({ row }) => row === first.row);
  // Of another table's row it would not be true.
  const truths = examples.flatMap(({ target }) =>
    target in first.cells ? [`its ${target} is ${excerpt(first.cells[target] ?? "", SHOWN)}`] : [],
  );
  return `Filled in from row ${first.row}, held out${isHeldOutByAll ? "" : " of the first one’s training"}: ${[...new Set(truths)].join(", ")}.`;
}
