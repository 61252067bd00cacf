/** Where the page is, as a value and as the part of its address after `#`. Links survive a reload. */
import type { RunStep } from "../worker/protocol";

/** Screens whose address is their name. `design`: the pieces that screens are made of, for those who work on them. */
const PLAIN = ["health", "settings", "design"] as const;

export type Route =
  | { readonly screen: "runs" }
  /** `task`: the one that is chosen already; null where none is. */
  | { readonly screen: "new"; readonly task: string | null }
  | { readonly screen: (typeof PLAIN)[number] }
  | ({ readonly screen: "run"; readonly run: string } & RunView)
  | ({ readonly screen: "compare" } & CompareView)
  /** An address that means nothing here. */
  | { readonly screen: "unknown"; readonly hash: string };

/** How a run is looked at. */
export interface RunView {
  /** The step that is looked at; null where none is. */
  readonly step: number | null;
  /** What its chart shows; null: the loss. */
  readonly metric: string | null;
}

/** What curves are drawn over. */
export const X_AXES = ["step", "time", "samples"] as const;
export type XAxis = (typeof X_AXES)[number];

/** What is compared, and how it is looked at. */
export interface CompareView {
  /** At most as many as there are letters; null where nothing is chosen yet. */
  readonly sides: readonly (RunStep | null)[];
  /** What the curves are drawn over. */
  readonly axis: XAxis;
  /** What the curves are of; null: the loss. */
  readonly metric: string | null;
  /** Places of the two sides between which the loss is computed; null where it is not. */
  readonly line: readonly [from: number, to: number] | null;
  /** The tensor that is looked at; null where nobody chose one. */
  readonly tensor: string | null;
}

/** What the sides of a comparison are called, in the address as well. */
export const SIDES = ["a", "b", "c", "d", "e", "f"] as const;

/** Of runs and tasks. */
const ID = /^[\w-]{1,64}$/;
const STEP = /^\d{1,15}$/;
const LINE = /^([a-z])([a-z])$/;
const RUN_STEP = /^([\w-]{1,64})@(\d{1,15})$/;

function parseRunStep(text: string | null): RunStep | null {
  const match = RUN_STEP.exec(text ?? "");
  return match?.[1] === undefined ? null : { run: match[1], step: Number(match[2]) };
}

/** `ab`: two letters that have a side. */
function parseLine(text: string | null, sides: number): CompareView["line"] {
  const [, ...letters] = LINE.exec(text ?? "") ?? [];
  const [from = -1, to = -1] = letters.map((one) => SIDES.findIndex((side) => side === one));
  return from >= 0 && to >= 0 && from !== to && Math.max(from, to) < sides ? [from, to] : null;
}

/** Reads `location.hash`. Never throws: what it does not know is `unknown`. */
export function parseRoute(hash: string): Route {
  const [path = "", query = ""] = hash.replace(/^#/, "").split("?", 2);
  const [first = "", second, ...rest] = path.split("/").filter((part) => part !== "");
  if (rest.length > 0) return { screen: "unknown", hash };
  if (first === "" && second === undefined) return { screen: "runs" };
  if (first === "new" && second === undefined) {
    const task = new URLSearchParams(query).get("task") ?? "";
    return { screen: "new", task: ID.test(task) ? task : null };
  }
  const plain = PLAIN.find((screen) => screen === first);
  if (plain !== undefined && second === undefined) return { screen: plain };
  if (first === "run" && second !== undefined && ID.test(second)) {
    const asked = new URLSearchParams(query);
    const step = asked.get("step") ?? "";
    return {
      screen: "run",
      run: second,
      step: STEP.test(step) ? Number(step) : null,
      metric: asked.get("metric"),
    };
  }
  if (first === "compare" && second === undefined) {
    const asked = new URLSearchParams(query);
    const sides = SIDES.map((letter) => parseRunStep(asked.get(letter)));
    const end = sides.findLastIndex((side) => side !== null) + 1;
    return {
      screen: "compare",
      sides: sides.slice(0, end),
      axis: X_AXES.find((axis) => axis === asked.get("by")) ?? "step",
      metric: asked.get("metric"),
      line: parseLine(asked.get("line"), end),
      tensor: asked.get("tensor"),
    };
  }
  return { screen: "unknown", hash };
}

/** The address of a run; of itself alone, where no more is given. */
export function runHref(run: string, { step = null, metric = null }: Partial<RunView> = {}): string {
  const query = step === null ? [] : [`step=${step}`];
  if (metric !== null) query.push(`metric=${encodeURIComponent(metric)}`);
  return query.length === 0 ? `#/run/${run}` : `#/run/${run}?${query.join("&")}`;
}

/** The address of the form of a new run, with a task chosen or not. */
export function newRunHref(task: string | null): string {
  return task === null ? "#/new" : `#/new?task=${task}`;
}

/** The address of a comparison; of its sides alone, where no more is given. */
export function compareHref({
  sides,
  axis = "step",
  metric = null,
  line = null,
  tensor = null,
}: Pick<CompareView, "sides"> & Partial<CompareView>): string {
  const query = sides.flatMap((at, index) => (at === null ? [] : [`${SIDES[index]}=${at.run}@${at.step}`]));
  if (axis !== "step") query.push(`by=${axis}`);
  if (metric !== null) query.push(`metric=${encodeURIComponent(metric)}`);
  if (line !== null) query.push(`line=${line.map((place) => SIDES[place]).join("")}`);
  if (tensor !== null) query.push(`tensor=${encodeURIComponent(tensor)}`);
  return query.length === 0 ? "#/compare" : `#/compare?${query.join("&")}`;
}

/** The address of a route; the inverse of `parseRoute`. */
export function href(route: Route): string {
  switch (route.screen) {
    case "runs":
      return "#/";
    case "new":
      return newRunHref(route.task);
    case "health":
    case "settings":
    case "design":
      return `#/${route.screen}`;
    case "run":
      return runHref(route.run, route);
    case "compare":
      return compareHref(route);
    case "unknown":
      return route.hash;
    default:
      return route satisfies never;
  }
}
