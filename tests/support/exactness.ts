/**
 * The exactness matrix: every task, every optimizer, every death. A run dies between two saves, comes back, and must
 * end in the very state of a run that never saved, paused, evaluated or drew.
 */
import type { Page } from "@playwright/test";
import type { StartOptions } from "../../src/worker/api";
import type { Config, OptimizerKind } from "../../src/worker/protocol";
import { change, detail, lossBits, openApp, pause, readState, resume, start, waitFor } from "./app-page";
import { loseDevices, terminateWorkers, type LiveBrowser } from "./kill";
import { stateDigest } from "./state-digest";

export const TASKS = ["spirals", "text", "table", "digits", "modular"] as const;
export const OPTIMIZERS: readonly OptimizerKind[] = ["sgd", "momentum", "rmsprop", "adam", "adamw"];
export const DEATHS = [
  "pause and reload",
  "page closed",
  "worker terminated",
  "renderer SIGKILL",
  "browser SIGKILL",
  "device.destroy()",
] as const;

export type TaskId = (typeof TASKS)[number];
export type Death = (typeof DEATHS)[number];

export interface Cell {
  readonly task: TaskId;
  readonly optimizer: OptimizerKind;
  readonly death: Death;
  /** Does it die within a second of the change of rate? */
  readonly nearChange: boolean;
  /** Task settings other than the preset's. */
  readonly config?: Config;
}

/** What decides a cell's numbers; how it dies must not. */
export type Row = Pick<Cell, "task" | "optimizer" | "config">;

interface Plan {
  readonly steps: number;
  readonly saveEvery: number;
  /** The rate changes at this state. */
  readonly changeAt: number;
  /** When a cell that dies near the change asks for it. */
  readonly askAt: number;
}

/** Long enough that the page can act between two saves, short enough for SwiftShader. */
const PLANS: Readonly<Record<TaskId, Plan>> = {
  spirals: { steps: 160, saveEvery: 40, changeAt: 100, askAt: 45 },
  text: { steps: 24, saveEvery: 8, changeAt: 17, askAt: 9 },
  table: { steps: 200, saveEvery: 80, changeAt: 100, askAt: 45 },
  digits: { steps: 24, saveEvery: 8, changeAt: 17, askAt: 9 },
  modular: { steps: 160, saveEvery: 40, changeAt: 100, askAt: 45 },
};

const RATES: Readonly<Record<OptimizerKind, number>> = {
  sgd: 0.05,
  momentum: 0.02,
  rmsprop: 0.002,
  adam: 0.004,
  adamw: 0.004,
};

/** All of them; every third one dies near the change, spread over all rows and columns. */
export function allCells(): Cell[] {
  return TASKS.flatMap((task, t) =>
    OPTIMIZERS.flatMap((optimizer, o) =>
      DEATHS.map((death, d) => ({ task, optimizer, death, nearChange: (t + o + d) % 3 === 0 })),
    ),
  );
}

/** All are in *spirals*; another task needs to be seen once, and *text*, whose state is the largest, more often. */
const SOME_OPTIMIZERS: Readonly<Record<TaskId, readonly OptimizerKind[]>> = {
  spirals: OPTIMIZERS,
  text: ["sgd", "adam", "adamw"],
  table: ["momentum"],
  digits: ["rmsprop"],
  modular: ["adamw"],
};

/** Each task, optimizer and death at least once. */
export function someCells(): Cell[] {
  return allCells().filter(({ task, optimizer, death }) => {
    if (!SOME_OPTIMIZERS[task].includes(optimizer)) return false;
    const row = TASKS.indexOf(task) * OPTIMIZERS.length + OPTIMIZERS.indexOf(optimizer);
    return row % DEATHS.length === DEATHS.indexOf(death);
  });
}

export function nameOf({ task, optimizer, death, nearChange }: Cell): string {
  return `${task}, ${optimizer}: ${death}${nearChange ? " within 1 s of the change of rate" : ""}`;
}

export interface Outcome {
  readonly digest: string;
  readonly losses: readonly number[];
}

/** What the run is: everything but how it is lived through. */
function optionsOf({ task, optimizer, config = {} }: Row, saves: boolean): StartOptions {
  const { steps, saveEvery } = PLANS[task];
  return {
    task,
    preset: "tiny",
    name: `${task} ${optimizer}`,
    seed: 20_240_229,
    steps,
    config,
    optimizer: {
      kind: optimizer,
      learningRate: RATES[optimizer],
      clipNorm: 0.5,
      weightDecay: 0.01,
      schedule: { kind: "cosine", warmup: 5, horizon: steps },
    },
    policy: saves
      ? { save: { kind: "steps", every: saveEvery }, draw: true }
      : { save: { kind: "never" }, draw: false },
  };
}

/** The run that nothing happens to. */
export async function reference(page: Page, row: Row): Promise<Outcome> {
  const { task, optimizer } = row;
  const run = await start(page, optionsOf(row, false));
  await change(page, run, { learningRate: RATES[optimizer] / 3, from: PLANS[task].changeAt });
  await waitFor(page, run, { status: "finished" });
  const outcome = await outcomeOf(page, run);
  const { checkpointList } = await detail(page, run);
  if (checkpointList.length !== 1) throw new Error("The reference run saved more than its first state.");
  return outcome;
}

/** The same run with saves, on its way. */
export async function begin(page: Page, row: Row): Promise<string> {
  const run = await start(page, optionsOf(row, true));
  await change(page, run, { learningRate: RATES[row.optimizer] / 3, from: PLANS[row.task].changeAt });
  return run;
}

/** A cell that could not be brought to die as planned: the machine was too fast or too slow for it. */
export class Missed extends Error {}

/**
 * Lives through one cell. Throws `Missed` where the death did not fall at least one journaled step after the last
 * commit and before the end.
 */
export async function live(
  browser: LiveBrowser,
  url: string,
  cell: Cell,
): Promise<Outcome & { readonly told: string }> {
  const plan = PLANS[cell.task];
  const rate = RATES[cell.optimizer] / 3;
  await openApp(browser.page, url);
  const run = await start(browser.page, optionsOf(cell, true));
  if (cell.nearChange) {
    await waitFor(browser.page, run, { step: plan.askAt });
    await change(browser.page, run, { learningRate: rate, from: plan.changeAt }).catch((error: unknown) => {
      if (String(error).includes("Name a later step"))
        throw new Missed("it was past the change before it was asked");
      throw error;
    });
  } else {
    await change(browser.page, run, { learningRate: rate, from: plan.changeAt });
    await waitFor(browser.page, run, { step: plan.changeAt + 3 });
  }
  await die(browser, url, run, cell.death);
  await waitFor(browser.page, run, { status: "finished" });
  const { events } = await detail(browser.page, run);
  const resumed = events.find((event) => event.kind === "resumed");
  if (resumed === undefined) throw new Missed("the run was never resumed");
  const paused = cell.death === "pause and reload";
  if (!paused && resumed.replayed < 1) throw new Missed("it died right after a commit");
  return {
    ...(await outcomeOf(browser.page, run)),
    told: `died at step ${resumed.step}, restored ${resumed.from}, replayed ${resumed.replayed}`,
  };
}

async function die(browser: LiveBrowser, url: string, run: string, death: Death): Promise<void> {
  switch (death) {
    case "pause and reload":
      await pause(browser.page, run);
      await browser.page.reload();
      break;
    case "page closed":
      await browser.closePage();
      break;
    case "renderer SIGKILL":
      await browser.killRenderers();
      break;
    case "browser SIGKILL":
      await browser.killBrowser();
      await browser.relaunch();
      break;
    case "worker terminated":
      if ((await terminateWorkers(browser.page, "train.worker")) !== 1)
        throw new Missed("its trainer was just being replaced");
      return;
    case "device.destroy()":
      if ((await loseDevices(browser.page, "train.worker")) !== 1)
        throw new Missed("its trainer was just being replaced");
      return;
    default:
      death satisfies never;
  }
  await openApp(browser.page, url);
  if ((await detail(browser.page, run)).status === "finished") throw new Missed("it finished before it died");
  await resume(browser.page, run);
}

async function outcomeOf(page: Page, run: string): Promise<Outcome> {
  const state = await readState(page, run);
  const digest = stateDigest(state);
  const told = await page.evaluate((id) => holdfast.digest(id), run);
  if (told !== digest)
    throw new Error(`The app says the digest is ${told}; the tensors that it gives have ${digest}.`);
  return { digest, losses: await lossBits(page, run) };
}

/** Runs a cell, again where it missed its moment. */
export async function proveCell(
  browser: LiveBrowser,
  url: string,
  cell: Cell,
  expected: Outcome,
): Promise<string> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const { digest, losses, told } = await live(browser, url, cell);
      const first = losses.findIndex((bits, i) => bits !== expected.losses[i]);
      if (first !== -1) throw new Error(`${nameOf(cell)}: the loss of step ${first + 1} differs (${told})`);
      if (digest !== expected.digest) throw new Error(`${nameOf(cell)}: the last state differs (${told})`);
      return told;
    } catch (error) {
      if (!(error instanceof Missed) || attempt === 3) throw error;
    }
  }
}
