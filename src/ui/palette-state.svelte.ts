/** The command palette: what is typed, what can be done that fits it, and which of those is next. */
import type { Action } from "./action";
import type { AppState } from "./app-state.svelte";
import { pageActions } from "./page-actions";
import { runHref } from "./route";
import { mismatch } from "./word-match";
import { statusWord } from "./words";

/** Nobody reads more; a word more narrows them down. */
const SHOWN = 60;
const STEP_NUMBER = /^(?:step\s+)?(\d[\d,]*)$/i;

export class PaletteState {
  readonly #app: AppState;
  #typed = $state.raw("");
  #at = $state.raw(0);

  constructor(app: AppState) {
    this.#app = app;
  }

  get typed(): string {
    return this.#typed;
  }

  set typed(text: string) {
    this.#typed = text;
    this.#at = 0;
  }

  /** Nearest first: what the screen can do, then the page, then other runs. */
  #possible = $derived.by((): readonly Action[] =>
    [...(this.#app.here?.actions ?? []), ...pageActions(this.#app), ...this.#runs()].filter(
      ({ isPossible }) => isPossible,
    ),
  );

  #runs(): readonly Action[] {
    return (this.#app.runs ?? []).map(({ id, name, task, status }) => ({
      name,
      about: `run, ${statusWord(status, this.#app.isResuming({ id, status }))}`,
      also: `open go ${task} ${id}`,
      isPossible: true,
      run: () => (location.hash = runHref(id)),
    }));
  }

  /** All that fits, best first. */
  #fitting = $derived.by((): readonly Action[] => {
    const typed = this.#typed.trim();
    const number = STEP_NUMBER.exec(typed)?.[1]?.replaceAll(",", "");
    const step = number === undefined ? null : (this.#app.here?.toStep(Number(number)) ?? null);
    const ranked = this.#possible.flatMap((action) => {
      const cost = mismatch(typed, action.name, `${action.about ?? ""} ${action.also ?? ""}`);
      return cost === null ? [] : [{ action, cost }];
    });
    const sorted = ranked.sort((a, b) => a.cost - b.cost).map(({ action }) => action);
    return step === null ? sorted : [step, ...sorted];
  });

  found = $derived.by(() => this.#fitting.slice(0, SHOWN));
  /** How many more fit than are shown. */
  more = $derived.by(() => this.#fitting.length - this.found.length);
  /** Place of the one that Enter does; −1 where nothing fits. */
  at = $derived.by(() => Math.min(this.#at, this.found.length - 1));
  chosen = $derived.by((): Action | null => this.found[this.at] ?? null);

  /** From the last one on to the first, and back. */
  move(by: number): void {
    const { length } = this.found;
    if (length > 0) this.#at = (this.at + by + length) % length;
  }

  choose(at: number): void {
    this.#at = at;
  }
}
