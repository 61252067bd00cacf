/**
 * What the page costs: how much it fetches before it can be used, how long a first visit takes until a model learns, how
 * long the page's own thread is held while a run trains and saves, and what a frame takes while one moves through a run of
 * 1,000,000 steps with 1,000 checkpoints.
 *
 * Times are those of the page's thread on the processor: a software GPU takes the cores from it, and waiting is not work.
 * Those of the first visit are by the clock. `--seconds N` (default 60) is how long the run trains.
 */
import type { Browser, Page } from "@playwright/test";
import type { BenchResult, RunContext } from "../scripts/lib/context.mjs";
import { ensureBuilt } from "../scripts/lib/build.mjs";
import { openApp, start, waitFor } from "../tests/support/app-page";
import { gzipBytes } from "../tests/support/first-load";
import { frameTimes, mainThreadTasks, p95, traced } from "../tests/support/trace";

const SECONDS = 60;
const SAVES = 10;
/** Moves of each kind. */
const MOVES = 40;
/** Losses that a loss is averaged over: one batch says little. */
const AVERAGED = 10;
const POLL_MS = 100;

declare global {
  /** When the page could be used, ms since 1970. */
  var usableAt: number | undefined;
}

export async function run({ app, browser, page: pageOf, log, options }: RunContext): Promise<BenchResult> {
  const seconds = Number(options.get("seconds") ?? SECONDS);
  const started = await browser();
  const first = await firstLoad(started, await app(), log);
  const visit = await firstVisit(started, await app());
  const training = await whileTraining(started, await app(), seconds);
  log(
    `${training.saves} saves; the longest tasks took ${training.longest.map((ms) => ms.toFixed(1)).join(", ")} ms`,
  );
  const frames = await whileMoving(started, await pageOf("moving"));
  log(
    `${frames.length} frames; the longest took ${frames
      .slice(0, 5)
      .map((ms) => ms.toFixed(1))
      .join(", ")} ms`,
  );
  return {
    adapter: training.adapter,
    results: {
      first_load_kb: first / 1000,
      first_step_s: visit.firstStep / 1000,
      learning_s: visit.learning / 1000,
      saves: training.saves,
      longest_task_ms: training.longest[0] ?? Number.NaN,
      frames: frames.length,
      frame_p50_ms: frames[Math.floor(frames.length * 0.5)] ?? Number.NaN,
      frame_p95_ms: p95(frames),
    },
  };
}

/** Bytes after gzip of all scripts that were asked for before the list of runs stood there, by page and workers. */
async function firstLoad(browser: Browser, url: string, log: (line: string) => void): Promise<number> {
  const context = await browser.newContext();
  const page = await context.newPage();
  const asked: { readonly url: string; readonly time: number }[] = [];
  context.on("requestfinished", (request) => {
    asked.push({ url: request.url(), time: request.timing().startTime });
  });
  await page.addInitScript(() => {
    new MutationObserver(() => {
      const isRead =
        document.querySelector("main h1") !== null &&
        document.querySelector("main [role=status]:not(:empty)") === null;
      if (isRead) globalThis.usableAt ??= performance.timeOrigin + performance.now();
    }).observe(document, { subtree: true, childList: true });
  });
  await page.goto(url);
  const usableAt = await (await page.waitForFunction(() => globalThis.usableAt)).jsonValue();
  await page.waitForLoadState("networkidle");
  const names = asked
    .filter(({ time }) => time <= (usableAt ?? 0))
    .flatMap(({ url: address }) => /\/assets\/([^/]+\.js)$/.exec(address)?.[1] ?? []);
  const unique = [...new Set(names)];
  log(`before it can be used: ${unique.sort().join(", ")}`);
  await context.close();
  return gzipBytes(await ensureBuilt(), unique);
}

/**
 * From the address to the first step, and to a loss of half of what it began with, ms by the clock: one press of the one
 * button, in a browser that was never there. What computes is the GPU that the browser has.
 */
async function firstVisit(
  browser: Browser,
  url: string,
): Promise<{ readonly firstStep: number; readonly learning: number }> {
  const context = await browser.newContext();
  const page = await context.newPage();
  const start = performance.now();
  await page.goto(url);
  await page.getByRole("button", { name: "Start training spirals" }).click();
  let firstStep: number | null = null;
  for (;;) {
    const losses = await page.evaluate(async () => {
      const [run] = await holdfast.runs();
      return run === undefined ? [] : Array.from(await holdfast.losses(run.id));
    });
    const now = performance.now() - start;
    if (losses.length > 0) firstStep ??= now;
    const [first, newest] = [mean(losses.slice(0, AVERAGED)), mean(losses.slice(-AVERAGED))];
    if (firstStep !== null && losses.length > 2 * AVERAGED && newest <= first / 2) {
      await context.close();
      return { firstStep, learning: now };
    }
    await page.waitForTimeout(POLL_MS);
  }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

async function whileTraining(
  browser: Browser,
  url: string,
  seconds: number,
): Promise<{ readonly adapter: string; readonly saves: number; readonly longest: readonly number[] }> {
  const page = await browser.newPage();
  await openApp(page, url);
  const save = { kind: "seconds", every: seconds / SAVES } as const;
  const run = await start(page, {
    task: "spirals",
    preset: "small",
    seed: 1,
    steps: 1_000_000,
    policy: { save, draw: true },
  });
  await page.evaluate((id) => (location.hash = `#/run/${id}`), run);
  await waitFor(page, run, { step: 2 });
  const trace = await traced(browser, page, () => page.waitForTimeout(seconds * 1000));
  const { saves, adapter } = await page.evaluate(async (id) => {
    const backend = await holdfast.backend();
    return {
      saves: (await holdfast.checkpoints(id)).length,
      adapter: `${backend.name} ${Object.values(backend.adapter).slice(0, 2).join(" ")}`,
    };
  }, run);
  await page.context().close();
  return { adapter, saves, longest: mainThreadTasks(trace).slice(0, 5) };
}

async function whileMoving(browser: Browser, url: string): Promise<readonly number[]> {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  await page.goto(url);
  await page.waitForSelector(".u-over");
  const box = await page.locator(".u-over").boundingBox();
  if (box === null) throw new Error("The chart has no place on the page.");
  const y = box.y + box.height / 2;
  const at = (share: number) => box.x + share * box.width;
  await zoom(page, at(0.1), at(0.3), y);
  const button = await page.getByRole("button", { name: "Whole run" }).boundingBox();
  if (button === null) throw new Error("There is no way back to the whole run.");
  const whole = { x: button.x + button.width / 2, y: button.y + button.height / 2 };
  await page.mouse.click(whole.x, whole.y);
  const trace = await traced(browser, page, async () => {
    for (let move = 0; move < MOVES; move += 1) {
      const from = (move % 8) / 10;
      await zoom(page, at(from), at(from + 0.2), y);
      await page.mouse.move(at(0.9), y, { steps: 5 });
      // By its place: to look for it would count as script of the page.
      await page.mouse.click(whole.x, whole.y);
    }
  });
  await page.context().close();
  return frameTimes(trace);
}

/** To what lies between two places of the chart. */
async function zoom(page: Page, from: number, to: number, y: number): Promise<void> {
  await page.mouse.move(from, y);
  await page.mouse.down();
  await page.mouse.move(to, y, { steps: 5 });
  await page.mouse.up();
}
