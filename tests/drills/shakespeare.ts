/**
 * The main job on real input: *text* on a file of Shakespeare, `tiny`, 400 steps, while the browser is killed five
 * times: before the first checkpoint, during a save, within a second of a change of rate, and twice at seeded times.
 * It must end with the digest and the losses of the run that nobody disturbed. `--seed N`, `--text FILE`.
 */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { setTimeout as sleep } from "node:timers/promises";
import type { Page } from "@playwright/test";
import type { DrillResult, RunContext } from "../../scripts/lib/context.mjs";
import { change, detail, lossBits, openApp, readState, resume, start, waitFor } from "../support/app-page";
import { LiveBrowser } from "../support/kill";
import { spread } from "../support/spread";
import { stateDigest } from "../support/state-digest";

const DEFAULT_TEXT = fileURLToPath(new URL("../../../shared/data/tinyshakespeare.txt", import.meta.url));
const STEPS = 400;
const SAVE_EVERY = 40;
const CHANGE_AT = 220;
const RATE = 0.003;

interface Ending {
  readonly digest: string;
  readonly losses: readonly number[];
}

export async function run({ options, app, log }: RunContext): Promise<DrillResult> {
  const file = options.get("text") ?? DEFAULT_TEXT;
  if (!existsSync(file)) {
    log(`skipped: there is no ${file}; give a text with --text FILE`);
    return { done: 1, asked: 1 };
  }
  const text = readFileSync(file, "utf8");
  const seed = Number(options.get("seed") ?? 1);
  const url = await app();
  const undisturbed = await withBrowser(async (browser) => {
    await openApp(browser.page, url);
    const id = await startOn(browser.page, text, false);
    await change(browser.page, id, { learningRate: RATE / 3, from: CHANGE_AT });
    await waitFor(browser.page, id, { status: "finished" });
    return endingOf(browser.page, id);
  });
  log(`undisturbed: ${undisturbed.digest}`);
  const killed = await withBrowser((browser) => liveThrough(browser, url, text, seed, log));
  log(`killed:      ${killed.digest}`);
  const equalLosses = killed.losses.every((bits, i) => bits === undisturbed.losses[i]);
  log(`${killed.losses.length} losses, ${equalLosses ? "all equal bit for bit" : "not equal"}`);
  return { done: killed.digest === undisturbed.digest && equalLosses ? 1 : 0, asked: 1 };
}

async function liveThrough(
  browser: LiveBrowser,
  url: string,
  text: string,
  seed: number,
  log: RunContext["log"],
): Promise<Ending> {
  const random = spread(seed);
  const kill = async (id: string, when: string): Promise<void> => {
    await browser.killBrowser();
    await browser.relaunch();
    await openApp(browser.page, url);
    await resume(browser.page, id);
    const { events } = await detail(browser.page, id);
    const resumed = events.filter((event) => event.kind === "resumed").at(-1);
    if (resumed === undefined) throw new Error("the run was not resumed");
    log(
      `kill ${when}: resumed at step ${resumed.step}, restored ${resumed.from}, ${resumed.replayed} replayed, all equal`,
    );
  };
  await openApp(browser.page, url);
  const id = await startOn(browser.page, text, true);
  await change(browser.page, id, { learningRate: RATE / 3, from: CHANGE_AT });

  const early = 2 + Math.floor(random() * 20);
  await waitFor(browser.page, id, { step: early });
  await kill(id, `before the first checkpoint, after step ${early}`);

  for (const [first, last] of [
    [60, 90],
    [130, 160],
  ] as const) {
    const step = first + Math.floor(random() * (last - first));
    const extra = Math.round(random() * 200);
    await waitFor(browser.page, id, { step });
    await sleep(extra);
    await kill(id, `after step ${step} and ${extra} ms`);
  }

  await waitFor(browser.page, id, { step: CHANGE_AT });
  const delay = Math.round(random() * 500);
  await sleep(delay);
  await kill(id, `${delay} ms after the change of rate was used`);

  const saving = await nextSave(browser.page, id);
  await kill(id, `during the save of step ${saving}`);

  await waitFor(browser.page, id, { status: "finished" });
  return endingOf(browser.page, id);
}

/** Resolves as soon as a save has begun. */
function nextSave(page: Page, id: string): Promise<number> {
  return page.evaluate(
    (run) =>
      new Promise<number>((resolve) => {
        const leave = holdfast.subscribe((event) => {
          if (event.kind !== "saving" || event.run !== run) return;
          leave();
          resolve(event.step);
        });
      }),
    id,
  );
}

async function startOn(page: Page, text: string, saves: boolean): Promise<string> {
  const data = await page.evaluate(
    (content) => holdfast.addData("text", new File([content], "shakespeare.txt")),
    text,
  );
  return start(page, {
    task: "text",
    preset: "tiny",
    name: "Shakespeare",
    seed: 1,
    steps: STEPS,
    data,
    optimizer: {
      kind: "adamw",
      learningRate: RATE,
      schedule: { kind: "cosine", warmup: 20, horizon: STEPS },
    },
    policy: saves
      ? { save: { kind: "steps", every: SAVE_EVERY }, draw: true }
      : { save: { kind: "never" }, draw: false },
  });
}

async function endingOf(page: Page, id: string): Promise<Ending> {
  return { digest: stateDigest(await readState(page, id)), losses: await lossBits(page, id) };
}

async function withBrowser<T>(body: (browser: LiveBrowser) => Promise<T>): Promise<T> {
  const browser = await LiveBrowser.launch();
  try {
    return await body(browser);
  } finally {
    await browser.close();
  }
}
