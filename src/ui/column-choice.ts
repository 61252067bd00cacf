/** What the columns of the person's table are used for: read from the form's settings, and written back into them. */
import { COLUMNS, correctionsOf, correctionsText, TARGET, usualTarget } from "../tasks/column-settings";
import type { ColumnFacts, ColumnKind, Field } from "../worker/protocol";
import type { NewRunState } from "./new-run-state.svelte";

/** Holds nothing itself: the form has it all. */
export class ColumnChoice {
  readonly #form: NewRunState;
  readonly #found: readonly ColumnFacts[];

  constructor(form: NewRunState, found: readonly ColumnFacts[]) {
    this.#form = form;
    this.#found = found;
  }

  /** As they are used now, in the order of the table. What was said of another use is left out until it is read anew. */
  get columns(): readonly ColumnFacts[] {
    const corrected = this.#corrected;
    return this.#found.map((column) => {
      const kind = corrected.get(column.name) ?? column.kind;
      return kind === column.kind ? column : { ...column, kind, notes: [] };
    });
  }

  /** What is learned; null where no column can be. */
  get target(): string | null {
    const chosen = this.#read(TARGET);
    return chosen === "" ? usualTarget(this.columns) : chosen;
  }

  /** What it is predicted from, as a sentence that says so where nobody chose it; null where nothing can be. */
  get targetWords(): readonly [before: string, target: string, after: string] | null {
    const { columns, target } = this;
    if (target === null) return null;
    const others = columns.filter(({ name, kind }) => kind !== "ignored" && name !== target).length;
    const from = `from ${others} other ${others === 1 ? "column" : "columns"}`;
    if (this.#read(TARGET) !== "") return ["Predicts ", target, ` ${from}.`];
    const which = columns.at(-1)?.name === target ? "the last column" : "the last column that can be used";
    return ["Predicts ", target, `, ${which}, ${from}. Choose another where that is not meant.`];
  }

  /** The target first, where it can be seen; the others in the order of the table. */
  get listed(): readonly ColumnFacts[] {
    const { columns, target } = this;
    return columns.toSorted((a, b) => Number(b.name === target) - Number(a.name === target));
  }

  /** What is wrong with what was chosen; null where nothing is. Whether it can be trained on, the task says. */
  get problem(): string | null {
    const errors = [COLUMNS, TARGET].map((name) => this.#form.error("config", this.#field(name)));
    return errors.find((error) => error !== null) ?? this.#form.data.problem;
  }

  use(name: string, kind: ColumnKind): void {
    const { target } = this;
    const corrected = new Map(this.#corrected);
    if (this.#found.some((column) => column.name === name && column.kind === kind)) corrected.delete(name);
    else corrected.set(name, kind);
    this.#write(COLUMNS, correctionsText(corrected));
    // A column behind it that can be used now would become the target, unasked.
    if (target !== null && target !== name && target !== this.target) this.learn(target);
  }

  learn(name: string): void {
    this.#write(TARGET, name);
  }

  get #corrected(): ReadonlyMap<string, ColumnKind> {
    const read = correctionsOf(this.#read(COLUMNS));
    return read.ok ? read.kinds : new Map<string, ColumnKind>();
  }

  #field(name: string): Field {
    const field = this.#form.task?.fields.find((one) => one.name === name);
    return field ?? { name, label: name, kind: "text", default: "", maxLength: 0 };
  }

  #read(name: string): string {
    return String(this.#form.value("config", this.#field(name)));
  }

  #write(name: string, value: string): void {
    this.#form.set("config", this.#field(name), value);
  }
}
