/** Which of their two colours all tokens have. */
import type { Settings } from "./settings";

/** On the page's root, where `tokens.css` reads it; and for the bar that a phone draws above the page. */
export function showTheme(theme: Settings["theme"]): void {
  // The library's tests and tools read settings without a page.
  if (typeof document === "undefined") return;
  const { documentElement: root, head } = document;
  if (theme === "system") delete root.dataset["theme"];
  else root.dataset["theme"] = theme;
  for (const meta of head.querySelectorAll<HTMLMetaElement>('meta[name="theme-color"]')) {
    const of = meta.dataset["theme"];
    meta.media = theme === "system" ? `(prefers-color-scheme: ${of})` : of === theme ? "all" : "not all";
  }
}
