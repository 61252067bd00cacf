/** What a person can do, as a value: a button shows it, and the command palette offers it, so that the two cannot differ. */

/** Each single key and what it does, in the order in which they are listed. */
export const KEYS = {
  "?": "All keys",
  n: "New run",
  p: "On a run: pause, resume, start or take over",
  s: "On a paused run: one step",
  f: "On a run: fork from the step that is looked at, or from the newest checkpoint",
  c: "On a run: compare",
  e: "On a run: export",
} as const;
export type Key = keyof typeof KEYS;

export interface Action {
  /** As on its button. */
  readonly name: string;
  /** What it is about, where the name alone does not say it: a run, a step, a kind. */
  readonly about?: string;
  /** Can it be done now? What cannot is greyed on its button, and not offered. */
  readonly isPossible: boolean;
  /** Shown in place of the name while it is under way. */
  readonly underway?: string | null;
  /** What it does or costs, for those who hesitate. */
  readonly title?: string | undefined;
  /** Other words that it is looked for by. */
  readonly also?: string;
  /** Does it without the palette: `KeyboardEvent.key`. */
  readonly key?: Key;
  readonly run: () => unknown;
}

/** What the screen that is open can do. */
export interface ActionSource {
  readonly actions: readonly Action[];
  /** To go to a step by its number; null where there is no such step. */
  toStep(step: number): Action | null;
}

/** The action that a key does now; undefined where it does none. */
export function byKey(actions: readonly Action[], key: string): Action | undefined {
  return actions.find((action) => action.isPossible && action.key === key);
}
