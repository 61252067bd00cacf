import { expect, suite, test } from "vitest";
import { href, parseRoute, type Route } from "../../src/ui/route";

const ROUTES: readonly (readonly [string, Route])[] = [
  ["#/", { screen: "runs" }],
  ["#/new", { screen: "new", task: null }],
  ["#/new?task=spirals", { screen: "new", task: "spirals" }],
  ["#/settings", { screen: "settings" }],
  ["#/design", { screen: "design" }],
  ["#/run/r0123456789abcdef", { screen: "run", run: "r0123456789abcdef", step: null, metric: null }],
  ["#/run/r0123456789abcdef?step=120", { screen: "run", run: "r0123456789abcdef", step: 120, metric: null }],
  ["#/run/r1?metric=accuracy", { screen: "run", run: "r1", step: null, metric: "accuracy" }],
  ["#/run/r1?step=5&metric=a%20%26%20b", { screen: "run", run: "r1", step: 5, metric: "a & b" }],
  ["#/compare", { screen: "compare", sides: [], axis: "step", metric: null, line: null, tensor: null }],
  [
    "#/compare?a=r1@800",
    {
      screen: "compare",
      sides: [{ run: "r1", step: 800 }],
      axis: "step",
      metric: null,
      line: null,
      tensor: null,
    },
  ],
  [
    "#/compare?a=r1@0&b=r2@1200&d=r1@7",
    {
      screen: "compare",
      sides: [{ run: "r1", step: 0 }, { run: "r2", step: 1200 }, null, { run: "r1", step: 7 }],
      axis: "step",
      metric: null,
      line: null,
      tensor: null,
    },
  ],
  [
    "#/compare?a=r1@0&b=r2@5&c=r1@7&by=time&metric=val_accuracy&line=ca&tensor=slot%2Fm%2Fhead",
    {
      screen: "compare",
      sides: [
        { run: "r1", step: 0 },
        { run: "r2", step: 5 },
        { run: "r1", step: 7 },
      ],
      axis: "time",
      metric: "val_accuracy",
      line: [2, 0],
      tensor: "slot/m/head",
    },
  ],
];

suite("route", () => {
  test.each(ROUTES)("%s is read", (hash, route) => expect(parseRoute(hash)).toEqual(route));
  test.each(ROUTES)("%s is written", (hash, route) => expect(href(route)).toBe(hash));

  test.each(["", "#", "#/"])("%j is the list of runs", (hash) =>
    expect(parseRoute(hash)).toEqual({ screen: "runs" }),
  );

  test.each([
    "#/nowhere",
    "#/run",
    "#/run/",
    "#/run/a/b",
    "#/run/<b>",
    "#/new/x",
    "#/run/%2e%2e%2f",
    "#/compare/x",
  ])("%s is unknown, and keeps its address", (hash) => {
    const route = parseRoute(hash);
    expect(route).toEqual({ screen: "unknown", hash });
    expect(href(route)).toBe(hash);
  });

  test.each([
    "a=r1@-1",
    "a=r1@1.5",
    "a=r1@",
    "a=@5",
    "a=r1",
    "a=r1@1e3",
    "a=r 1@5",
    "a=r1@99999999999999999999",
  ])("a side that is no run and step is left open: %s", (query) =>
    expect(parseRoute(`#/compare?${query}&b=r2@3`)).toEqual({
      screen: "compare",
      sides: [null, { run: "r2", step: 3 }],
      axis: "step",
      metric: null,
      line: null,
      tensor: null,
    }),
  );

  test.each(["aa", "ac", "a", "abc", "a0", ""])("a line that joins no two sides is none: %j", (line) =>
    expect(parseRoute(`#/compare?a=r1@1&b=r2@3&line=${line}`)).toMatchObject({
      axis: "step",
      metric: null,
      line: null,
      tensor: null,
    }),
  );
});
