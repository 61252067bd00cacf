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
