/** Every screen of the app in every state, for those who open them all: pictures, axe, the policy. */
import type { Page } from "@playwright/test";
import type { Scene } from "./fake-holdfast";

export interface Screen {
  readonly name: string;
  /** After `#`. */
  readonly route: string;
  /** What it is made up of (`ui.ts`); none: of the built app and what is stored there. */
  readonly scene?: Scene | "unopened";
  /** What is opened on it first. */
  readonly act?: ((page: Page) => Promise<unknown>) | undefined;
  /** Is something on it always at work? */
  readonly isBusy?: true;
}

interface Place {
  readonly name: string;
  readonly route: string;
  readonly scenes: readonly NonNullable<Screen["scene"]>[];
  readonly act?: Screen["act"];
  readonly isBusy?: true;
}

const RUN = "/run/shakespeareslower";
const SPIRALS = "/run/spiralsdropout";
const SIDES = "/compare?a=shakespeare@400&b=shakespeareslower@1200&c=spiralsdropout@803";
const ALL = ["empty", "loading", "full", "failed"] as const;

const press = (name: string) => (page: Page) =>
  page.getByRole("main").getByRole("button", { name, exact: true }).first().click();

/** A button whose name goes on with a number. */
const pressBeginning = (name: string) => (page: Page) =>
  page
    .getByRole("main")
    .getByRole("button", { name: new RegExp(`^${name}`) })
    .click();

const unfold = (page: Page) =>
  page.locator("main details").evaluateAll((all) => {
    for (const details of all) details.setAttribute("open", "");
  });

/** One line for a screen, or for what can be opened on it. */
const PLACES: readonly Place[] = [
  { name: "runs", route: "/", scenes: ALL },
  { name: "trash", route: "/", scenes: ["full"], act: unfold },
  { name: "new", route: "/new", scenes: ["full", "empty"] },
  { name: "new-unfolded", route: "/new", scenes: ["full"], act: unfold },
  { name: "new-drawn", route: "/new?task=digits", scenes: ["full"], act: pressBeginning("Draw examples") },
  { name: "run", route: RUN, scenes: ["loading", "full", "failed", "interrupted", "elsewhere"] },
  { name: "run-bad-numbers", route: RUN, scenes: ["bad-numbers"] },
  { name: "run-missing", route: "/run/no-such-run", scenes: ["empty"] },
  { name: "run-spirals", route: SPIRALS, scenes: ["full"] },
  { name: "run-checkpoint", route: `${SPIRALS}?step=800`, scenes: ["full"], act: unfold },
  { name: "run-step", route: `${SPIRALS}?step=803`, scenes: ["full"], act: press("Fork from here") },
  ...["Export", "Notes", "Policy", "Learning rate", "More steps"].map((menu) => ({
    name: `run-${menu.toLowerCase().replace(" ", "-")}`,
    route: SPIRALS,
    scenes: ["full"] as const,
    act: press(menu),
  })),
  { name: "compare", route: "/compare", scenes: ["empty"] },
  { name: "compare", route: `${SIDES}&line=ab`, scenes: ["loading", "full", "failed"] },
  {
    name: "compare-text",
    route: "/compare?a=shakespeare@400&b=shakespeareslower@1200",
    scenes: ["full"],
    act: press("Write"),
  },
  { name: "run-row", route: "/run/birds", scenes: ["table"], act: press("Predict") },
  { name: "compare-row", route: "/compare?a=birds@40&b=birds@800", scenes: ["table"], act: press("Predict") },
  { name: "health", route: "/health", scenes: [...ALL, "memory"] },
  { name: "design", route: "/design", scenes: ["full"], isBusy: true },
  {
    name: "commands",
    route: RUN,
    scenes: ["full"],
    act: (page) => page.keyboard.press("Control+k"),
  },
  {
    name: "keys",
    route: RUN,
    scenes: ["full"],
    act: (page) => page.keyboard.press("?"),
  },
  { name: "settings", route: "/settings", scenes: ["full", "empty"] },
  { name: "unknown", route: "/no/such/place", scenes: ["empty"] },
  { name: "unopened", route: "/", scenes: ["unopened"] },
];

export const MADE_UP_SCREENS: readonly Screen[] = PLACES.flatMap(({ name, route, scenes, ...rest }) =>
  scenes.map((scene) => ({
    name: name.endsWith(scene) ? name : `${name}-${scene}`,
    route,
    scene,
    ...rest,
  })),
);

/** Of the built app, before anything is stored. */
export const EMPTY_SCREENS: readonly Screen[] = PLACES.flatMap(({ name, route, scenes }) =>
  scenes.includes("empty") ? [{ name, route }] : [],
);

/** Steps of the small runs: enough for a curve and two checkpoints. */
const STEPS = 30;
const CHECKPOINT_EVERY = 10;
/** Until what follows in the next frames has followed: a chart's size, and what comes after the heading. */
const SETTLE_MS = 300;

/** Trains a tiny run of each task through the console until it pauses, and says which screens show them. */
export async function makeData(page: Page): Promise<readonly Screen[]> {
  await page.waitForFunction(() => "holdfast" in window);
  const runs = new Map<string, string>();
  const tasks = await page.evaluate(() => holdfast.tasks().map(({ id }) => id));
  for (const task of tasks) {
    const run = await page.evaluate(
      async ({ task, steps, every }) => {
        const api = window.holdfast;
        const id = await api.start({
          task,
          preset: "tiny",
          seed: 7,
          steps,
          policy: { save: { kind: "steps", every }, draw: true },
        });
        await api.waitFor(id, { step: Math.ceil((steps * 2) / 3) });
        const info = await api.pause(id);
        return info.id;
      },
      { task, steps: STEPS, every: CHECKPOINT_EVERY },
    );
    runs.set(task, run);
  }
  const spirals = runs.get("spirals") ?? "";
  const text = runs.get("text") ?? "";
  return [
    { name: "trained-runs", route: "/" },
    ...Array.from(runs, ([task, run]) => ({ name: `trained-${task}`, route: `/run/${run}` })),
    { name: "trained-compare", route: `/compare?a=${spirals}@0&b=${spirals}@${CHECKPOINT_EVERY}&line=ab` },
    { name: "trained-compare-tasks", route: `/compare?a=${spirals}@3&b=${text}@${CHECKPOINT_EVERY}&by=time` },
    { name: "trained-health", route: "/health" },
  ];
}

/** Opens a screen by its address alone, as a reload does, and waits until it is what it stays. */
export async function openScreen(
  page: Page,
  app: string,
  { route, scene, act, isBusy }: Screen,
): Promise<void> {
  // From elsewhere: a change of what follows `#` alone would load nothing.
  await page.goto("about:blank");
  await page.goto(scene === undefined ? `${app}#${route}` : `${app}?still&scene=${scene}#${route}`);
  if (scene === undefined) {
    await page.waitForFunction(() => "holdfast" in window);
    await page.waitForLoadState("networkidle");
  }
  await page.locator("main h1").waitFor();
  if (scene !== "loading" && isBusy !== true) await settled(page);
  await act?.(page);
  await page.waitForTimeout(SETTLE_MS);
}

/** Until nothing on the screen says that it is at work: pictures come from a worker that compiles shaders first. */
async function settled(page: Page): Promise<void> {
  await page.waitForFunction(() => {
    const busy = /^(reading|drawing|loading|compiling|restoring|replaying)/i;
    const lines = [...document.querySelectorAll('main :is([role="status"], [aria-live])')];
    const isBusy = lines.some(({ textContent }) => busy.test(textContent.trim()));
    return !isBusy && document.querySelector('main [role="progressbar"]') === null;
  });
}
