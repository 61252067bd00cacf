/**
 * A run whose GPU process is killed. After the first death it goes on by itself. After the second Chromium gives the
 * page no adapter until a person reloads it; a reload by script does not count. Then it goes on by itself too.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Page } from "@playwright/test";
import { detail, openApp, readState, waitFor } from "./app-page";
import { begin, reference } from "./exactness";
import type { LiveBrowser } from "./kill";
import { stateDigest } from "./state-digest";

const ROW = { task: "spirals", optimizer: "momentum" } as const;
const PATIENCE_MS = 60_000;

/** What is wrong afterwards; null where the run ended in the state of one that nothing happened to. */
export async function faultAfterGpuDeaths(
  live: LiveBrowser,
  url: string,
  deaths: 1 | 2,
): Promise<string | null> {
  await openApp(live.page, url);
  const expected = await reference(live.page, ROW);
  const run = await begin(live.page, ROW);
  await waitFor(live.page, run, { step: 30 });
  await live.killGpu();
  await until(
    async () => (await resumptions(live.page, run)) >= 1,
    "it does not go on after the first death",
  );
  if (deaths === 2) {
    await waitFor(live.page, run, { step: 70 });
    await live.killGpu();
    // The page reloads itself, and finds that the browser wants a person to do so.
    const asks = live.page.getByText("Reload the page by hand");
    await until(() => asks.isVisible(), "the page does not ask for a reload after the second death");
    await live.page.reload();
    await until(async () => (await resumptions(live.page, run)) >= 2, "it does not go on after the reload");
  }
  await waitFor(live.page, run, { status: "finished" });
  const digest = stateDigest(await readState(live.page, run));
  return digest === expected.digest ? null : `it ended in ${digest}, not in ${expected.digest}`;
}

async function until(isSo: () => Promise<boolean>, otherwise: string): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error(otherwise);
    await sleep(100);
  }
}

/** The page may be loaded anew under the question. */
async function resumptions(page: Page, run: string): Promise<number> {
  const { events } = await detail(page, run).catch(() => ({ events: [] }));
  return events.filter((event) => event.kind === "resumed").length;
}
