/**
 * Keys without a modifier that do something. They can be switched off (WCAG 2.1.4): who speaks to the machine, or reads the
 * page by a screen reader, types letters too.
 */
const STORED = "holdfast.shortcuts";
/** Where a key is text, or chooses. */
const FIELDS = "input, textarea, select, [contenteditable], dialog";

export class Shortcuts {
  #on = $state.raw(readOn());

  get on(): boolean {
    return this.#on;
  }

  set on(on: boolean) {
    this.#on = on;
    try {
      localStorage.setItem(STORED, on ? "on" : "off");
    } catch {
      // Nothing is stored here; it holds until the page is closed.
    }
  }

  /** The key of a shortcut; null where it is text, a key held down, or means something already. */
  keyOf(event: KeyboardEvent): string | null {
    const { target, key } = event;
    if (!this.#on || event.defaultPrevented || event.repeat || event.isComposing) return null;
    if (event.ctrlKey || event.metaKey || event.altKey) return null;
    return target instanceof Element && target.closest(FIELDS) !== null ? null : key;
  }
}

function readOn(): boolean {
  try {
    return localStorage.getItem(STORED) !== "off";
  } catch {
    return true;
  }
}

/** Does it open the command palette? */
export function isPaletteKey({ key, ctrlKey, metaKey, altKey, shiftKey }: KeyboardEvent): boolean {
  return key.toLowerCase() === "k" && ctrlKey !== metaKey && !altKey && !shiftKey;
}

/** As it stands on the keyboard that is likely here. */
export function paletteKeys(): string {
  return /Mac|iPhone|iPad/.test(navigator.userAgent) ? "⌘ K" : "Ctrl K";
}
