/** A run from a file: the one way in, whether it was picked, dropped or pasted. */
import type { AppState } from "./app-state.svelte";
import { runHref } from "./route";

/** Takes a bundle in, and shows its first run. */
export async function importFile(app: AppState, file: File): Promise<void> {
  const { hash } = location;
  const run = await app.transfers.importBundle(file);
  // Whoever went elsewhere meanwhile stays there.
  if (run !== null && location.hash === hash) location.hash = runHref(run);
}

/** The same, of a file that is asked for: in a click or a key press alone does the browser ask. */
export function pickImport(app: AppState): void {
  const input = document.createElement("input");
  input.type = "file";
  input.addEventListener("change", () => {
    const file = input.files?.[0];
    if (file !== undefined) void importFile(app, file);
  });
  input.click();
}
