/** What can be done from every screen. */
import type { Action } from "./action";
import type { AppState } from "./app-state.svelte";
import { pickImport } from "./import-file";
import { newRunHref } from "./route";
import { OFFERED, TITLES } from "./screens";
import { settings } from "./settings-state.svelte";

export function pageActions(app: AppState): readonly Action[] {
  const go = (href: string) => () => (location.hash = href);
  const screens = OFFERED.map(({ screen, href, ...words }): Action => ({
    name: TITLES[screen],
    about: "screen",
    ...words,
    isPossible: true,
    run: go(href),
  }));
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
    ...screens,
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
