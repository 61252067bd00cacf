/** What the screens are called, and which of them are offered everywhere: in the navigation and in the command palette. */
import type { Action } from "./action";
import type { Route } from "./route";

/** `run` is what a run's screen is called before its name is known. */
export const TITLES: Readonly<Record<Route["screen"], string>> = {
  runs: "Runs",
  new: "New run",
  run: "Run",
  compare: "Compare",
  health: "Health",
  settings: "Settings",
  design: "Design",
  unknown: "Not found",
};

interface Offered extends Pick<Action, "key" | "also"> {
  readonly screen: Route["screen"];
  readonly href: string;
}

/** In the order of the palette. */
export const OFFERED: readonly Offered[] = [
  { screen: "new", href: "#/new", key: "n", also: "start train" },
  { screen: "runs", href: "#/", also: "all list home" },
  { screen: "compare", href: "#/compare", also: "difference" },
  { screen: "health", href: "#/health", also: "storage saving audit mirror trash" },
  { screen: "settings", href: "#/settings", also: "theme dark notifications units" },
];
