/** Every screen of the app, with data and without, for those who open them all. */
import type { Page } from "@playwright/test";

export interface Screen {
  readonly name: string;
  /** After `#`. */
  readonly route: string;
}

/** Steps of the small runs: enough for a curve and two checkpoints. */
const STEPS = 30;
const CHECKPOINT_EVERY = 10;
const SETTLE_MS = 700;

export const EMPTY_SCREENS: readonly Screen[] = [
  { name: "runs-empty", route: "/" },
  { name: "new", route: "/new" },
  { name: "run-missing", route: "/run/no-such-run" },
  { name: "compare-empty", route: "/compare" },
];

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
    { name: "runs", route: "/" },
    ...Array.from(runs, ([task, run]) => ({ name: `run-${task}`, route: `/run/${run}` })),
    { name: "compare", route: `/compare?a=${spirals}@0&b=${spirals}@${CHECKPOINT_EVERY}&line=ab` },
    { name: "compare-tasks", route: `/compare?a=${spirals}@3&b=${text}@${CHECKPOINT_EVERY}&by=time` },
  ];
}

/** Opens a screen by its address alone, as a reload does. */
export async function openScreen(page: Page, app: string, { route }: Screen): Promise<void> {
  // From elsewhere: a change of what follows `#` alone would load nothing.
  await page.goto("about:blank");
  await page.goto(`${app}#${route}`);
  await page.waitForFunction(() => "holdfast" in window);
  await page.waitForLoadState("networkidle");
  await page.waitForTimeout(SETTLE_MS);
}

/** Until nothing on the screen says that it is at work: pictures come from a worker that compiles shaders first. */
export async function settled(page: Page): Promise<void> {
  await page.waitForFunction(() => {
    const busy = /^(Reading|Drawing|Loading|Compiling|Restoring|Replaying)/;
    return [...document.querySelectorAll('[role="status"]')].every(
      ({ textContent }) => !busy.test(textContent.trim()),
    );
  });
}
