/** What a person asks for beside training, cut short by a kill: all is as before or as after, and nothing in between. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Page } from "@playwright/test";
import { detail, openApp, resume, start, waitFor } from "../support/app-page";
import { expect, test } from "../support/browser";

const KEEP_ALL = [{ kind: "every", steps: 1 }] as const;
const STEPS = 60;

/** Fires and does not wait; how long afterwards the renderer is killed, milliseconds. */
const ACTS: Readonly<Record<string, { readonly after: number; readonly fire: (run: string) => void }>> = {
  prune: {
    after: 8,
    fire: (run) =>
      void holdfast.setPolicy(run, {
        save: { kind: "steps", every: 5 },
        draw: false,
        keep: [{ kind: "latest", count: 1 }],
      }),
  },
  goto: { after: 1200, fire: (run) => void holdfast.goto(run, 44) },
  fork: { after: 1600, fire: (run) => void holdfast.fork(run, 33, { steps: 40 }) },
  drill: { after: 1400, fire: (run) => void holdfast.drill(run, 30) },
};

async function saved(page: Page): Promise<string> {
  const run = await start(page, {
    task: "spirals",
    preset: "tiny",
    seed: 5,
    steps: STEPS,
    policy: { save: { kind: "steps", every: 5 }, draw: false, keep: KEEP_ALL },
  });
  await waitFor(page, run, { status: "finished" });
  return run;
}

/** What must be the same however often something was cut short. */
async function looked(page: Page, run: string) {
  const { status, step, events, checkpointList } = await detail(page, run);
  const digests = await page.evaluate(
    ([id]) => Promise.all([0, 33, 60].map((at) => holdfast.digest(id!, at))),
    [run],
  );
  return {
    digests,
    status,
    step,
    kinds: events.map(({ kind }) => kind).filter((kind) => kind !== "forked"),
    steps: checkpointList.map((one) => one.step),
  };
}

test("a kill in the middle of a prune, a goto, a fork or a drill", async ({ live, app }) => {
  let page = live.page;
  await openApp(page, app.url);
  const run = await saved(page);
  const before = await looked(page, run);
  for (const [name, { after, fire }] of Object.entries(ACTS).toReversed()) {
    await page.evaluate(fire, run);
    await sleep(after);
    await live.killRenderers();
    page = live.page;
    await openApp(page, app.url);
    const now = await looked(page, run);
    const allKept = JSON.stringify(now.steps) === JSON.stringify(before.steps);
    const pruned = now.steps.filter((step) => step !== 0 && step !== STEPS).length === 0;
    expect(allKept || (name === "prune" && pruned), `${name} left ${now.steps.join(", ")}`).toBe(true);
    expect({ ...now, steps: [] }, name).toEqual({ ...before, steps: [] });
    const forks = (await page.evaluate(() => holdfast.runs())).filter(({ parent }) => parent !== null);
    expect(forks.length, name).toBeLessThan(2);
    for (const fork of forks) {
      expect(fork.parent).toEqual({ run, step: 33 });
      expect(await page.evaluate((id) => holdfast.digest(id, 33), fork.id)).toBe(before.digests[1]);
    }
    const { damaged } = await page.evaluate(() => holdfast.verify({ all: true }));
    expect(damaged, name).toEqual([]);
    expect((await page.evaluate(() => holdfast.audit())).broken, name).toEqual([]);
  }
});

test("a kill right where a run stops early: it stops at the same step, with the same best one", async ({
  live,
  app,
}) => {
  let page = live.page;
  await openApp(page, app.url);
  const begin = () =>
    start(page, {
      task: "spirals",
      preset: "tiny",
      seed: 3,
      steps: 400,
      optimizer: { learningRate: 0.5, schedule: { kind: "constant", warmup: 0 } },
      policy: {
        save: { kind: "steps", every: 7 },
        draw: false,
        evaluate: 5,
        stop: { metric: "val_loss", mode: "min", patience: 3 },
      },
    });
  const stops = async (run: string) => {
    await waitFor(page, run, { status: "stopped" });
    const { step, events } = await detail(page, run);
    const evaluated = events.flatMap((event) =>
      event.kind === "evaluated" ? [[event.step, event.metrics] as const] : [],
    );
    const end = events.findLast(({ kind }) => kind === "stopped");
    const digest = await page.evaluate((id) => holdfast.digest(id), run);
    return { step, evaluated, best: end?.kind === "stopped" ? end.best : null, digest };
  };
  const undisturbed = await stops(await begin());
  for (const early of [8, 5, 2]) {
    const run = await begin();
    await waitFor(page, run, { step: undisturbed.step - early });
    await live.killRenderers();
    page = live.page;
    await openApp(page, app.url);
    // That it stopped may be in its pack alone, which the dead tab holds for a moment, as it does its lock.
    // Asked twice it may say two things: one answer decides.
    let status = "";
    await expect
      .poll(async () => (status = (await detail(page, run)).status))
      .toMatch(/^(interrupted|stopped)$/);
    if (status === "interrupted") await expect(() => resume(page, run)).toPass();
    expect(await stops(run)).toEqual(undisturbed);
  }
});
