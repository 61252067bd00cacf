/** What can be done from every screen. */
import type { Action } from "./action";
import type { AppState } from "./app-state.svelte";
import { pickImport } from "./import-file";
import { newRunHref } from "./route";
import { settings } from "./settings-state.svelte";

export function pageActions(app: AppState): readonly Action[] {
  const go = (href: string) => () => (location.hash = href);
  const screens: readonly Action[] = [
    { name: "New run", key: "n", also: "start train", isPossible: true, run: go("#/new") },
    { name: "Runs", also: "all list home", isPossible: true, run: go("#/") },
    { name: "Compare", also: "difference", isPossible: true, run: go("#/compare") },
    { name: "Health", also: "storage saving audit mirror trash", isPossible: true, run: go("#/health") },
    { name: "Settings", also: "theme dark notifications units", isPossible: true, run: go("#/settings") },
  ];
  const themes = [
    ["as the system", "system"],
    ["light", "light"],
    ["dark", "dark"],
  ] as const;
  const starts = app.api.tasks().map(({ id, title }): Action => ({
    name: `New run: ${title}`,
    about: "task",
    also: `start train ${id}`,
    isPossible: true,
    run: go(newRunHref(id)),
  }));
  return [
    ...screens.map((screen) => ({ about: "screen", ...screen })),
    ...starts,
    ...themes.map(([name, theme]): Action => ({
      name: `Theme: ${name}`,
      about: "setting",
      also: "colour scheme",
      isPossible: settings.now.theme !== theme,
      run: () => settings.change({ theme }),
    })),
    {
      name: "Import a run",
      about: "runs",
      also: "open bundle file holdfast",
      isPossible: true,
      run: () => pickImport(app),
    },
    {
      name: "Export all",
      about: "runs",
      also: "backup download bundle",
      isPossible: (app.runs?.length ?? 0) > 0,
      run: () => app.transfers.exportBundle(app.runs?.map(({ id }) => id) ?? [], "all runs"),
    },
    { name: "Keyboard shortcuts", key: "?", also: "keys help", isPossible: true, run: () => app.ask("keys") },
  ];
}
