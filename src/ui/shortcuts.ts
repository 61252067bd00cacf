/**
 * Keys without a modifier that do something. They can be switched off (WCAG 2.1.4): who speaks to the machine, or reads the
 * page by a screen reader, types letters too.
 */

/** Where a key is text, or chooses. */
const FIELDS = "input, textarea, select, [contenteditable], dialog";

/** The key of a shortcut; null where it is text, a key held down, or means something already. */
export function singleKey(event: KeyboardEvent): string | null {
  const { target, key } = event;
  if (event.defaultPrevented || event.repeat || event.isComposing) return null;
  if (event.ctrlKey || event.metaKey || event.altKey) return null;
  return target instanceof Element && target.closest(FIELDS) !== null ? null : key;
}

/** Does it open the command palette? */
export function isPaletteKey({ key, ctrlKey, metaKey, altKey, shiftKey }: KeyboardEvent): boolean {
  return key.toLowerCase() === "k" && ctrlKey !== metaKey && !altKey && !shiftKey;
}

/** As it stands on the keyboard that is likely here. */
export function paletteKeys(): string {
  return /Mac|iPhone|iPad/.test(navigator.userAgent) ? "⌘ K" : "Ctrl K";
}
