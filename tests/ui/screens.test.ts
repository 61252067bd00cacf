/** No screen is forgotten where all of them have to be: in what is offered, and in what pictures and axe-core look at. */
import { expect, test } from "vitest";
import { parseRoute, type Route } from "../../src/ui/route";
import { OFFERED, TITLES } from "../../src/ui/screens";
import { MADE_UP_SCREENS } from "../support/screens";

const ALL = Object.keys(TITLES) as readonly Route["screen"][];

/** Screens that no address in the list leads to. */
function missing(routes: readonly string[]): readonly string[] {
  const seen = new Set(routes.map((route) => parseRoute(`#${route}`).screen));
  return ALL.filter((screen) => !seen.has(screen));
}

test("every screen is looked at", () => {
  expect(missing(MADE_UP_SCREENS.map(({ route }) => route))).toEqual([]);
});

test("control: one that is not entered is missed", () => {
  const routes = MADE_UP_SCREENS.map(({ route }) => route).filter((route) => route !== "/health");
  expect(missing(routes)).toEqual(["health"]);
});

test.each(OFFERED)("$href leads to the screen $screen", ({ screen, href }) => {
  expect(parseRoute(href).screen).toBe(screen);
});
