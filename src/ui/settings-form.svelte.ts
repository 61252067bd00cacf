/** The settings screen: what is typed, and what the browser says when it is asked for something. */
import { DRAW, KEEP, SAVE_KIND, saveEveryField } from "../tasks/training-fields";
import type { Field } from "../worker/protocol";
import { parseField, type FieldForm, type FormValue } from "./field-parse";
import { refusalWords, type Permission } from "./notifications";
import { everyBy, isPolicyName, type Settings } from "./settings";
import type { SettingsState } from "./settings-state.svelte";

/** What is asked of the browser. */
export interface Asked {
  readonly permission: () => Permission;
  readonly askPermission: () => Promise<Permission>;
  /** Will it never clear what is stored to make room? */
  readonly persist: () => Promise<boolean>;
}

/** Components read it and call its methods. */
export class SettingsForm implements FieldForm {
  readonly settings: SettingsState;
  /** Of the policy that new runs begin with. */
  fields = $derived.by((): readonly Field[] => [
    SAVE_KIND,
    saveEveryField(this.settings.now.saveKind),
    KEEP,
    DRAW,
  ]);
  /** Why no notification is shown although one is wanted, or was just now; null where they are. */
  refused = $state.raw<string | null>(null);
  /** Why the browser may still clear what is stored; null where it was not asked, or will not. */
  notPersisted = $state.raw<string | null>(null);
  /** Out of range, so what holds is what was before; forgotten with the settings that it was typed over. */
  #typed = $state.raw<{ readonly text: FormValue; readonly field: string; readonly over: Settings } | null>(
    null,
  );
  readonly #asked: Asked;

  constructor(settings: SettingsState, asked: Asked) {
    this.settings = settings;
    this.#asked = asked;
    const { notifyEnd, notifyTrouble } = settings.now;
    if (notifyEnd || notifyTrouble) this.refused = refusalWords(asked.permission());
  }

  value(_group: string, { name }: Field): FormValue {
    const { now } = this.settings;
    if (this.#typed?.field === name && this.#typed.over === now) return this.#typed.text;
    if (name === SAVE_KIND.name) return now.saveKind;
    if (name === KEEP.name) return now.keep;
    return name === DRAW.name ? now.draw : String(now.saveEvery);
  }

  error(group: string, field: Field): string | null {
    const parsed = parseField(field, this.value(group, field));
    return parsed.ok ? null : parsed.message;
  }

  set(_group: string, field: Field, text: FormValue): void {
    const parsed = parseField(field, text);
    if (parsed.ok) this.settings.change(changeOf(field, parsed.value));
    else this.#typed = { text, field: field.name, over: this.settings.now };
  }

  /** The person is asked when the first one is switched on, and it stays off where the browser refuses. */
  async notify(name: "notifyEnd" | "notifyTrouble", on: boolean): Promise<void> {
    this.refused = on ? refusalWords(await this.#asked.askPermission()) : null;
    this.settings.change({ [name]: on && this.refused === null });
  }

  /** True where the browser will keep what is stored. */
  async persist(): Promise<boolean> {
    const isKept = await this.#asked.persist().catch(() => false);
    this.notPersisted = isKept
      ? null
      : "The browser did not promise it. Browsers do for pages that are installed, bookmarked or often used: install Holdfast as an app, or bookmark it, and ask again.";
    return isKept;
  }
}

function changeOf({ name }: Field, value: FormValue | number): Partial<Settings> {
  if (name === SAVE_KIND.name) return { saveKind: String(value), saveEvery: everyBy(String(value)) };
  if (name === KEEP.name) return isPolicyName(value) ? { keep: value } : {};
  return name === DRAW.name ? { draw: value === true } : { saveEvery: Number(value) };
}
