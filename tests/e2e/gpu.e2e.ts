/**
 * The GPU process dies under a run. After the first death it goes on by itself. After the second Chromium gives the
 * page no adapter until a person reloads it; a reload by script does not count. Then it goes on by itself too.
 */
import { expect, test } from "../support/browser";
import { detail, openApp, readState, start, waitFor } from "../support/app-page";
import { reference } from "../support/exactness";
import { stateDigest } from "../support/state-digest";

const ROW = { task: "spirals", optimizer: "momentum" } as const;

test("after two deaths of the GPU process the run goes on once a person reloads the page", async ({
  live,
  app,
}) => {
  await openApp(live.page, app.url);
  const expected = await reference(live.page, ROW);
  const run = await start(live.page, {
    task: "spirals",
    preset: "tiny",
    name: "spirals momentum",
    seed: 20_240_229,
    steps: 160,
    optimizer: {
      kind: "momentum",
      learningRate: 0.02,
      clipNorm: 0.5,
      weightDecay: 0.01,
      schedule: { kind: "cosine", warmup: 5, horizon: 160 },
    },
    policy: { save: { kind: "steps", every: 20 }, draw: true },
  });
  await live.page.evaluate((id) => holdfast.change(id, { learningRate: 0.02 / 3, from: 100 }), run);
  await waitFor(live.page, run, { step: 30 });
  await live.killGpu();
  await expect.poll(() => resumptions(run), { timeout: 60_000 }).toBe(1);
  await waitFor(live.page, run, { step: 70 });
  await live.killGpu();
  // The page reloads itself, and finds that the browser wants a person to do so.
  await expect(live.page.getByText("Reload the page by hand")).toBeVisible({ timeout: 60_000 });
  await live.page.reload();
  await expect.poll(() => resumptions(run), { timeout: 60_000 }).toBe(2);
  await waitFor(live.page, run, { status: "finished" });
  expect(stateDigest(await readState(live.page, run))).toBe(expected.digest);

  /** The page may be loaded anew under the question. */
  async function resumptions(id: string): Promise<number> {
    const { events } = await detail(live.page, id).catch(() => ({ events: [] }));
    return events.filter((event) => event.kind === "resumed").length;
  }
});
